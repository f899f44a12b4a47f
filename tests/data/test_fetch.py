"""From the registry to intact files, against a local web server."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from datahost import Host, entry, serving, tarred

from domain_translation.data import download, fetch, prepare
from domain_translation.data.fetch import MissingData
from domain_translation.data.verify import DamagedData

BODY = np.random.default_rng(0).bytes(300_000)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of this machine, no proxy, no waiting."""
    for variable in (fetch.OWN, fetch.CACHE, fetch.OFFLINE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(download, "PAUSE", 0.0)


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as h:
        yield h


# Downloads


def test_download_and_cache(host: Host, tmp_path: Path) -> None:
    host.content["/a.bin"] = BODY
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])})
    (path,) = fetch.fetch(toy, cache=tmp_path)
    assert path.read_bytes() == BODY
    assert fetch.fetch(toy, cache=tmp_path) == (path,)
    assert len(host.requests) == 1
    assert not list(path.parent.glob("*.part")) + list(path.parent.glob("tmp*"))


def test_a_wrong_download_is_refused(host: Host, tmp_path: Path) -> None:
    host.content["/a.bin"] = BODY[::-1]
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])})
    with pytest.raises(MissingData, match="does not match the known hash"):
        fetch.fetch(toy, cache=tmp_path)
    assert len(host.requests) == 1  # a server with another file is not asked for it again
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size]


def test_a_broken_connection_is_resumed(host: Host, tmp_path: Path) -> None:
    host.content["/a.bin"], host.cut["/a.bin"] = BODY, [100_000, 50_000]
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])})
    (path,) = fetch.fetch(toy, cache=tmp_path)
    assert path.read_bytes() == BODY
    starts = [int(asked[6:-1]) if asked else 0 for _, asked in host.requests]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert len(starts) == 3
    assert starts[2] > 100_000


def test_a_later_call_resumes(host: Host, tmp_path: Path) -> None:
    host.content["/a.bin"], host.cut["/a.bin"] = BODY, [60_000, 60_000, 60_000]
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])})
    with pytest.raises(MissingData, match="what came so far is kept"):
        fetch.fetch(toy, cache=tmp_path)
    host.requests.clear()
    (path,) = fetch.fetch(toy, cache=tmp_path)
    assert path.read_bytes() == BODY
    assert [asked for _, asked in host.requests] != [None]


def test_a_server_without_ranges_starts_anew(host: Host, tmp_path: Path) -> None:
    host.content["/a.bin"], host.cut["/a.bin"] = BODY, [100_000]
    host.rangeless.add("/a.bin")
    (path,) = fetch.fetch(entry({"a.bin": (BODY, [host.url("/a.bin")])}), cache=tmp_path)
    assert path.read_bytes() == BODY


@pytest.mark.parametrize("left", [b"another version's first bytes", BODY, BODY + b"more", b""])
def test_what_an_earlier_run_left(host: Host, tmp_path: Path, left: bytes) -> None:
    host.content["/a.bin"] = BODY
    folder = tmp_path / "files" / "toy"
    folder.mkdir(parents=True)
    (folder / ".a.bin.part").write_bytes(left)
    (path,) = fetch.fetch(entry({"a.bin": (BODY, [host.url("/a.bin")])}), cache=tmp_path)
    assert path.read_bytes() == BODY
    assert len(host.requests) == {BODY: 0, b"": 1}.get(left, 2)


def test_the_second_mirror_is_used(host: Host, tmp_path: Path) -> None:
    host.content["/good"] = BODY
    toy = entry({"a.bin": (BODY, [host.url("/gone"), host.url("/good")])})
    (path,) = fetch.fetch(toy, cache=tmp_path)
    assert path.read_bytes() == BODY
    assert [p for p, _ in host.requests] == ["/gone", "/good"]


def test_the_second_mirror_continues_the_first(host: Host, tmp_path: Path) -> None:
    host.content |= {"/bad": BODY, "/good": BODY}
    host.cut["/bad"] = [70_000, 1, 1]
    toy = entry({"a.bin": (BODY, [host.url("/bad"), host.url("/good")])})
    (path,) = fetch.fetch(toy, cache=tmp_path)
    assert path.read_bytes() == BODY
    assert host.requests[-1][1] is not None


def test_all_mirrors_fail(host: Host, tmp_path: Path) -> None:
    toy = entry({"a.bin": (BODY, [host.url("/x"), host.url("/y")])})
    with pytest.raises(
        MissingData, match=r"a.bin .*'toy' \(0.3 MB\).*/x \(404.*/y \(404"
    ) as caught:
        fetch.fetch(toy, cache=tmp_path)
    assert fetch.OWN in str(caught.value)


def test_without_checksum_the_size_is_checked_and_nothing_resumed(
    host: Host, tmp_path: Path
) -> None:
    host.content["/a.bin"], host.cut["/a.bin"] = BODY, [100_000]
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])}, known=False)
    (path,) = fetch.fetch(toy, cache=tmp_path)
    assert path.read_bytes() == BODY
    assert [asked for _, asked in host.requests] == [None, None]
    host.content["/a.bin"] = BODY + b"!"
    path.unlink()
    with pytest.raises(MissingData, match="has 300001 bytes, but"):
        fetch.fetch(toy, cache=tmp_path)
    assert not path.exists()


def test_a_damaged_file_of_the_cache_is_replaced(host: Host, tmp_path: Path) -> None:
    host.content["/a.bin"] = BODY
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])})
    (path,) = fetch.fetch(toy, cache=tmp_path)
    path.write_bytes(BODY[:-1] + b"?")
    assert fetch.fetch(toy, cache=tmp_path) == (path,)
    assert path.read_bytes() == BODY


def test_two_callers_download_once(host: Host, tmp_path: Path) -> None:
    host.content["/a.bin"] = BODY
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])})
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: fetch.fetch(toy, cache=tmp_path), range(4)))
    assert len(set(found)) == len(host.requests) == 1
    assert found[0][0].read_bytes() == BODY


def test_the_cache_variable(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host.content["/a.bin"] = BODY
    monkeypatch.setenv(fetch.CACHE, str(tmp_path / "here"))
    (path,) = fetch.fetch(entry({"a.bin": (BODY, [host.url("/a.bin")])}))
    assert path.is_relative_to(tmp_path / "here")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=f"cannot be made .*; name another folder in {fetch.CACHE}"):
        fetch.fetch(entry({"a.bin": (BODY, [host.url("/a.bin")])}), cache=tmp_path / "file")


# Offline and local copies


@pytest.mark.parametrize("by_variable", [True, False])
def test_offline(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    host.content["/a.bin"] = BODY
    url = host.url("/a.bin")
    toy = entry({"a.bin": (BODY, [url])})
    if by_variable:
        monkeypatch.setenv(fetch.OFFLINE, "1")
    with pytest.raises(MissingData) as caught:
        fetch.fetch(toy, cache=tmp_path, offline=not by_variable)
    for part in ("a.bin", "'toy'", "0.3 MB", url, fetch.OWN, fetch.OFFLINE):
        assert part in str(caught.value)
    assert not host.requests
    monkeypatch.setenv(fetch.OFFLINE, "0")
    fetch.fetch(toy, cache=tmp_path)
    fetch.fetch(toy, cache=tmp_path, offline=True)  # it is here now
    assert len(host.requests) == 1


def test_a_set_without_an_address(tmp_path: Path) -> None:
    with pytest.raises(
        MissingData, match=f"not published .*after a login.* name its folder in {fetch.OWN}"
    ):
        fetch.fetch("mountain2glacier96", cache=tmp_path)


def test_ones_own_folder_comes_first(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.content["/a.bin"] = BODY
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])})
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv(fetch.OWN, str(own))
    (path,) = fetch.fetch(toy, cache=tmp_path / "cache")  # not there yet: downloaded
    assert path.is_relative_to(tmp_path / "cache")
    shutil.copy(path, own)
    assert fetch.fetch(toy, cache=tmp_path / "cache") == (own / "a.bin",)
    (own / "toy").mkdir()
    (own / "a.bin").rename(own / "toy" / "a.bin")
    assert fetch.fetch(toy, cache=tmp_path / "cache") == (own / "toy" / "a.bin",)
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    ("copy", "message"), [(BODY[:-1], "299999 bytes"), (BODY[:-1] + b"?", "has sha256")]
)
def test_ones_own_damaged_copy_is_refused_and_kept(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy: bytes, message: str
) -> None:
    host.content["/a.bin"] = BODY
    monkeypatch.setenv(fetch.OWN, str(tmp_path))
    (tmp_path / "a.bin").write_bytes(copy)
    with pytest.raises(DamagedData, match=message):
        fetch.fetch(entry({"a.bin": (BODY, [host.url("/a.bin")])}), cache=tmp_path / "cache")
    assert (tmp_path / "a.bin").read_bytes() == copy
    assert not host.requests


def test_an_md5_alone_is_compared(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.content["/a.bin"] = BODY
    toy = entry({"a.bin": (BODY, [host.url("/a.bin")])}, known=False)
    (file,) = toy.files
    right = replace(file, md5=hashlib.md5(BODY).hexdigest(), bytes=None)
    (path,) = fetch.fetch(replace(toy, files=(right,)), cache=tmp_path)
    wrong = replace(right, md5="0" * 32)
    with pytest.raises(MissingData, match="does not match the known hash"):
        fetch.fetch(replace(toy, files=(wrong,)), cache=tmp_path / "other")
    monkeypatch.setenv(fetch.OWN, str(path.parent))
    with pytest.raises(DamagedData, match="has md5"):
        fetch.fetch(replace(toy, files=(wrong,)), cache=tmp_path / "other")
    assert path.read_bytes() == BODY


def test_eight_digits_of_a_sha256_are_compared(host: Host, tmp_path: Path) -> None:
    """As torchvision publishes them; pooch could not."""
    host.content["/a.pth"] = BODY
    toy = entry({"a.pth": (BODY, [host.url("/a.pth")])})
    (file,) = toy.files
    right = replace(file, sha256=(file.sha256 or "")[:8])
    (path,) = fetch.fetch(replace(toy, files=(right,)), cache=tmp_path)
    assert path.read_bytes() == BODY
    with pytest.raises(MissingData, match="has sha256"):
        fetch.fetch(replace(toy, files=(replace(right, sha256="0" * 8),)), cache=tmp_path / "other")
    assert not list((tmp_path / "other").rglob("a.pth"))


def test_equal_names_lie_in_folders_of_their_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MNIST's and Fashion-MNIST's files have the same names."""
    monkeypatch.setenv(fetch.OWN, str(tmp_path))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "a.bin").write_bytes(BODY)
    (tmp_path / "a.bin").write_bytes(b"of another set")
    toy = entry({"a.bin": (BODY, [])})
    assert fetch.fetch(toy, cache=tmp_path / "cache") == (tmp_path / "toy" / "a.bin",)


def test_ones_own_folder_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fetch.OWN, str(tmp_path / "nowhere"))
    with pytest.raises(MissingData, match="there is no such folder; correct or unset it"):
        fetch.fetch("maps256", cache=tmp_path)


def test_an_archive_is_unpacked_once(host: Host, tmp_path: Path) -> None:
    host.content["/a.tar.gz"] = tarred({"a/1.jpg": b"one"}, "w:gz")
    for known in (True, False):
        toy = entry({"a.tar.gz": (host.content["/a.tar.gz"], [host.url("/a.tar.gz")])}, known=known)
        (folder,) = prepare.unpack(toy, cache=tmp_path)
        changed = os.stat(folder / "a" / "1.jpg").st_mtime_ns
        assert prepare.unpack(toy, cache=tmp_path, offline=True) == (folder,)
        assert os.stat(folder / "a" / "1.jpg").st_mtime_ns == changed
    assert len(list((tmp_path / "unpacked").glob("toy-*"))) == 1
