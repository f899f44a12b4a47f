"""Whole or not at all: what the readers read, from copies or from public files."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from datahost import tarred
from PIL import Image
from publicfiles import digest, idx, pixels, plain, published
from torchvision import datasets

from domain_translation.data import fetch, prepare, registry
from domain_translation.data.arrays import load
from domain_translation.data.fetch import MissingData
from domain_translation.data.registry import DataSet
from domain_translation.data.verify import DamagedData

COPIES = os.environ.get(fetch.OWN)  # before `_alone`


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing from elsewhere, and nothing goes out."""
    monkeypatch.setenv(fetch.OWN, str(tmp_path / "own"))
    monkeypatch.setenv(fetch.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv(fetch.OFFLINE, "1")
    (tmp_path / "own").mkdir()


def toy(tmp_path: Path, **other: str) -> DataSet:
    files = {"maps.tar.gz": tarred({"maps/train/1.jpg": plain(40, 200, size=(120, 60))}, "w:gz")}
    return published("maps256", files, tmp_path / "own", pictures=PICTURES, **other)


PICTURES = """{ root = ".", domains = ["photo", "map"], train = ["train/photo", "train/map"], \
held_out = ["val/photo", "val/map"], validation = [0, 0], test = [0, 0], seed = 0, \
counts = { "train/photo" = 1, "train/map" = 1, "val/photo" = 0, "val/map" = 0 } }"""


def test_other_pixels_are_refused_where_they_are_known(tmp_path: Path) -> None:
    wrong = "0" * 64
    with pytest.raises(DamagedData, match=r"maps\.tar\.gz of the data set 'toy' decode to"):
        prepare.prepare(toy(tmp_path, decoded=f'"{wrong}"', canonical="true"))
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_dir() and p.name != "made"]
    found = toy(tmp_path, decoded=f'"{wrong}"')
    (folder,) = prepare.prepare(found)
    own = prepare.decoded(found, [folder])
    assert json.loads((folder / prepare.ORIGIN).read_text())["decoded"] == own
    assert prepare.checksums(found) == {"toy, made anew": own}
    same = toy(tmp_path, decoded=f'"{own}"', canonical="true")
    assert prepare.checksums(same) == same.known == {"toy.tar": ""}


def test_pixels_count_and_not_how_they_are_stored(tmp_path: Path) -> None:
    found, image = toy(tmp_path), pixels(9, 9, 3)
    for name, kind in (("a", "png"), ("b", "bmp"), ("c", "png")):
        (tmp_path / name).mkdir()
        Image.fromarray(image).save(tmp_path / name / "x.jpg", kind)
    image[0, 0, 0] ^= 1
    Image.fromarray(image).save(tmp_path / "c" / "x.jpg", "png")
    a, b, c = (prepare.decoded(found, [tmp_path / name]) for name in "abc")
    assert a == b
    assert a != c


def test_the_copies_come_first(tmp_path: Path) -> None:
    found = toy(tmp_path)
    (tmp_path / "own" / "toy.tar").write_bytes(b"anything")
    assert prepare.prepare(found) == (tmp_path / "own" / "toy.tar",)


@pytest.mark.parametrize(
    "content",
    [b"<html>", tarred({"other": b""}, "w:gz"), tarred({"maps/train/1.jpg": b"?"}, "w:gz")],
    ids=["no archive", "another one", "no picture"],
)
def test_what_cannot_be_converted(tmp_path: Path, content: bytes) -> None:
    found = published("lfw64", {"lfw-deepfunneled.tgz": content}, tmp_path / "own")
    if content[:1] == b"<":
        with pytest.raises(DamagedData, match=r"'toy' cannot be converted \(.*fetched again$"):
            prepare.prepare(found)
    found = published("maps256", {"maps.tar.gz": content}, tmp_path / "own", pictures=PICTURES)
    with pytest.raises(DamagedData, match=r"maps\.tar\.gz|1\.jpg"):
        prepare.unpack(found)
    assert not [p for p in (tmp_path / "cache").rglob("*") if p.is_dir() and p.name != "made"]


def test_a_missing_public_file_is_one_sentence() -> None:
    with pytest.raises(MissingData) as caught:
        load("svhn", "train")
    for part in ("train_32x32.mat", "'svhn'", "182.0 MB", "ufldl.stanford.edu", fetch.OWN):
        assert part in str(caught.value)


def test_checksums_are_those_of_torchvision() -> None:
    sets = registry.datasets()
    md5 = {name: {f.name: f.md5 for f in sets[name].files} for name in sets}
    assert md5["mnist"] == dict(datasets.MNIST.resources)
    assert [*md5["cifar10"].values()] == [datasets.CIFAR10.tgz_md5]
    for part in ("train", "test"):
        url, name, known, *_ = datasets.SVHN.split_list[part]
        assert md5["svhn"][name] == known
        assert url in {u for f in sets["svhn"].files for u in f.urls}
    assert datasets.LFWPeople.file_dict["deepfunneled"][1:] == (*md5["lfw64"].items(),)[0]


def test_mnist_is_the_published_one() -> None:
    """The copies' arrays behind the headers of the public files have their sha256, unpacked."""
    if not COPIES or not (Path(COPIES) / "mnist_train.npz").is_file():
        pytest.skip(f"{fetch.OWN} names no folder with mnist_train.npz")
    stored = np.load(Path(COPIES) / "mnist_train.npz")
    files = (gzip.decompress(idx(stored[name])) for name in ("images", "labels"))
    assert [digest(file, "sha256") for file in files] == [
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ]


@pytest.mark.parametrize("name", ["mnist", "fashion", "fashion_unbalanced", "lfw64"])
def test_the_copies_decode_to_what_the_registry_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = registry.lookup(name)
    monkeypatch.setenv(fetch.OWN, COPIES or str(tmp_path))
    if not fetch.own_copies(found):
        pytest.skip(f"{fetch.OWN} names no folder with {', '.join(found.known)}")
    read = prepare.prepare if found.layout == "arrays" else prepare.unpack
    assert prepare.decoded(found, read(found)) == found.decoded
