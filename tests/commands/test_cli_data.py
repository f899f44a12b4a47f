"""``domain-translation data``: the list, getting a set, and one sentence where it fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from datahost import serving, tarred
from publicfiles import plain, published

from domain_translation import cli
from domain_translation.data import download, fetch, registry
from domain_translation.data.registry import DataSet


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(fetch.OWN, raising=False)
    monkeypatch.delenv(fetch.OFFLINE, raising=False)
    monkeypatch.setenv(fetch.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(download, "PAUSE", 0.0)


MAPS = tarred(
    {f"maps/{part}/1.jpg": plain(40, 200, size=(120, 60)) for part in ("train", "val")}, "w:gz"
)
PICTURES = """{ root = ".", domains = ["photo", "map"], train = ["train/photo", "train/map"], \
held_out = ["val/photo", "val/map"], validation = [1, 1], test = [0, 0], seed = 0, \
counts = { "train/photo" = 1, "train/map" = 1, "val/photo" = 1, "val/map" = 1 } }"""


def toy(monkeypatch: pytest.MonkeyPatch, url: str, **other: str) -> DataSet:
    """The only set of the registry; its public file is at `url`."""
    found = published("maps256", {"maps.tar.gz": MAPS}, None, url=url, pictures=PICTURES, **other)
    monkeypatch.setattr(registry, "datasets", lambda: {"toy": found})
    return found


def test_every_set_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in lines[1:]}
    assert set(rows) == set(registry.datasets())
    assert re.search(r"svhn +246.3 MB +sha256 md5 +to fetch +non-commercial", rows["svhn"])
    assert re.search(r"maps +250.2 MB +none +to fetch", rows["maps"])
    assert re.search(r"lfw64 +about 111 MB +md5 +to fetch", rows["lfw64"])
    assert re.search(r"mountain2glacier96 +by hand", rows["mountain2glacier96"])


def test_a_set_is_fetched_converted_and_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with serving() as host:
        host.content["/maps.tar.gz"] = MAPS
        toy(monkeypatch, host.url("/maps.tar.gz"), decoded=f'"{"0" * 64}"')
        assert cli.main(["data", "toy"]) == 0
        said = capsys.readouterr().out
        folder = tmp_path / "cache" / "made" / "toy"
        assert f"\n{folder}\n" in said
        assert (folder / "val" / "map" / "0001.jpg").is_file()
        assert "licence: none" in said
        pixels = re.search(r"pixels other than those .* computed on: ([0-9a-f]{64})", said)
        assert pixels
        # Converted once; and now they are the known ones.
        host.content.clear()
        toy(monkeypatch, host.url("/maps.tar.gz"), decoded=f'"{pixels[1]}"')
        assert cli.main(["data", "toy"]) == 0
        assert "pixels as those that the results of the book" in capsys.readouterr().out
        assert cli.main(["data"]) == 0
        assert "made here" in capsys.readouterr().out


def test_half_a_download_is_one_sentence_and_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with serving() as host:
        host.content["/maps.tar.gz"] = MAPS
        host.cut["/maps.tar.gz"] = [100, 100, 100]
        toy(monkeypatch, host.url("/maps.tar.gz"))
        assert cli.main(["data", "toy"]) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        for part in ("maps.tar.gz", "'toy'", "MB", host.url("/maps.tar.gz"), fetch.OWN):
            assert part in said
        assert not (tmp_path / "cache" / "made").exists()
        assert not (tmp_path / "cache" / "files" / "toy" / "maps.tar.gz").exists()
        assert cli.main(["data", "toy"]) == 0  # goes on
        assert host.requests[-1][1] == "bytes=300-"


def test_another_checksum_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "maps.tar.gz").write_bytes(MAPS[:-1] + b"?")
    monkeypatch.setenv(fetch.OWN, str(tmp_path / "own"))
    toy(monkeypatch, "http://a/b")
    assert cli.main(["data", "toy"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert re.search(r"own/maps.tar.gz has sha256 [0-9a-f]{64}, but .*replace it", said[0])
    assert not (tmp_path / "cache").exists()


def test_an_unknown_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "cifar"]) == 2
    assert "did you mean cifar10" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("study", "parts"),
    [
        ("cooling/maps", ("maps.tar.gz", "'maps256'", "250.2 MB", "efrosgans")),
        ("cooling/likeness_public", ("mobilenet_v3_small-047dcff4.pth", "10 MB", "TORCH_HOME")),
    ],
)
def test_a_study_without_its_data_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    study: str,
    parts: tuple[str, ...],
) -> None:
    monkeypatch.setenv(fetch.OFFLINE, "1")
    runs = tmp_path / "runs"
    torch.manual_seed(0)
    assert cli.main(["study", study, "--seed", "0", "--runs", str(runs)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    for part in parts:
        assert part in said[0]
    assert not [p for p in runs.rglob("*") if p.suffix == ".ckpt"]


def test_a_study_on_damaged_data_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "maps.tar.gz").write_bytes(MAPS)
    monkeypatch.setenv(fetch.OWN, str(tmp_path))
    run = ["study", "cooling/maps", "--seed", "0", "--runs", str(tmp_path / "runs")]
    assert cli.main(run) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert f"maps.tar.gz has {len(MAPS)} bytes, but maps.tar.gz has 250242400" in said
