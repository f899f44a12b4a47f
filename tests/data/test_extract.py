"""Archives: unpacked whole or not at all, and never outside their folder."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from datahost import tarred, zipped

from domain_translation.data import extract
from domain_translation.data.verify import DamagedData

BODY = np.random.default_rng(0).bytes(300_000)


def _extract(content: bytes, tmp_path: Path) -> Path:
    (tmp_path / "archive").write_bytes(content)
    return extract.extract(tmp_path / "archive", tmp_path / "out" / "set")


GOOD = {"a/1.jpg": b"one", "a/b/12:30:01.jpg": b"two"}


@pytest.mark.parametrize(
    "archive", [zipped(GOOD), tarred(GOOD), tarred(GOOD, "w:gz")], ids=["zip", "tar", "gz"]
)
def test_archives_are_unpacked(tmp_path: Path, archive: bytes) -> None:
    folder = _extract(archive, tmp_path)
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == GOOD
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def _tar_member(kind: bytes, target: str = "/etc/passwd") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return out.getvalue()


def _zip_link() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


UNSAFE = {
    **{f"zip {n}": zipped({"ok": b"", n: b"x"}) for n in ("../x", "a/../../x", "/x", "C:/x")},
    **{f"tar {n}": tarred({"ok": b"", n: b"x"}) for n in ("../x", "a/../../x", "/x", "C:/x")},
    "zip backslash": zipped({"ok": b"", "..\\x": b"x"}),
    "zip link": _zip_link(),
    "tar link": _tar_member(tarfile.SYMTYPE),
    "tar link inside": _tar_member(tarfile.SYMTYPE, "ok"),
    "tar hard link": _tar_member(tarfile.LNKTYPE),
    "tar device": _tar_member(tarfile.CHRTYPE),
    "tar pipe": _tar_member(tarfile.FIFOTYPE),
    "no archive": b"<html>not found</html>",
    "cut zip": zipped(GOOD)[:-30],
    "cut gz": tarred({"a": BODY}, "w:gz")[:-2000],
    "altered zip": zipped(GOOD).replace(b"one", b"eno", 1),
}


@pytest.mark.parametrize("archive", UNSAFE.values(), ids=UNSAFE)
def test_unsafe_and_broken_archives_are_refused(tmp_path: Path, archive: bytes) -> None:
    with pytest.raises(DamagedData, match="cannot be unpacked"):
        _extract(archive, tmp_path)
    left = {p.name for p in tmp_path.rglob("*") if not p.name.endswith(".lock")}
    assert left == {"archive", "out"}


def test_interrupted_extraction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archive").write_bytes(zipped(GOOD))
    folder = tmp_path / "out" / "set"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extractall", killed)
        with pytest.raises(KeyboardInterrupt):
            extract.extract(tmp_path / "archive", folder)
    assert not [p for p in folder.parent.iterdir() if p.is_dir()]
    # What a killed process could not clear is cleared by the next one.
    (folder.parent / ".set.abc.tmp" / "a").mkdir(parents=True)
    extract.extract(tmp_path / "archive", folder)
    assert [p.name for p in folder.parent.iterdir() if p.is_dir()] == ["set"]
