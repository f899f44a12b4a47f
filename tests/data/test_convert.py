"""From public files to what the readers read: every converter on files that are written here."""

from __future__ import annotations

import io
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from datahost import tarred, zipped
from PIL import Image
from publicfiles import digest, idx, inside, jpeg, pixels, plain, published
from scipy import io as matlab
from torchvision import datasets

from domain_translation.data import convert, fetch, registry
from domain_translation.data.arrays import load

IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing from elsewhere, and nothing goes out."""
    monkeypatch.setenv(fetch.OWN, str(tmp_path / "own"))
    monkeypatch.setenv(fetch.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv(fetch.OFFLINE, "1")
    (tmp_path / "own").mkdir()


# Arrays


def digits(kind: type[datasets.MNIST], labels: tuple[np.ndarray, np.ndarray]) -> dict[str, bytes]:
    """Files of MNIST's form; picture i of a part has i % 256 in its first pixel."""
    found = {}
    for k, y in enumerate(labels):
        x = pixels(len(y), 28, 28, seed=k)
        x[:, 0, 0] = np.arange(len(y)) % 256
        found |= {IDX[2 * k]: idx(x), IDX[2 * k + 1]: idx(y)}
    return found


def trust(monkeypatch: pytest.MonkeyPatch, kind: type, files: dict[str, bytes]) -> None:
    """Let torchvision expect the files that were written here."""
    monkeypatch.setattr(kind, "resources", [(name, digest(c)) for name, c in files.items()])


def test_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = tuple(np.arange(n, dtype=np.uint8) % 10 for n in (70, 40))
    files = digits(datasets.MNIST, labels)
    trust(monkeypatch, datasets.MNIST, files)
    monkeypatch.setattr(convert, "MNIST_TEST", 30)
    toy = published("mnist", files, tmp_path / "own")
    train, test = load(toy, "train"), load(toy, "test")
    assert train.x.shape == (70, 1, 32, 32)
    assert train.y.tolist() == labels[0].tolist()
    expected = torch.from_numpy(pixels(70, 28, 28, seed=0)).float() / 127.5 - 1
    assert torch.equal(train.x[:, 0, 3:30, 2:30], expected[:, 1:])
    # Of the test digits the first ones.
    assert test.y.tolist() == labels[1][:30].tolist()
    assert ((test.x[:, 0, 2, 2] + 1) * 127.5).round().tolist() == list(range(30))
    for file in (tmp_path / "own").iterdir():  # they are not needed any more
        file.unlink()
    assert torch.equal(load(toy, "test").x, test.x)


def test_the_classes_of_fashion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (convert.OF_CLOTHES, convert.OF_TEST) == (1000, 500)
    monkeypatch.setattr(convert, "OF_CLOTHES", 20)
    monkeypatch.setattr(convert, "OF_TEST", 10)
    labels = (np.tile(np.arange(10), 22), np.tile(np.arange(10)[::-1], 11))
    files = digits(datasets.FashionMNIST, tuple(y.astype(np.uint8) for y in labels))
    trust(monkeypatch, datasets.FashionMNIST, files)
    whole = published("fashion_unbalanced", files, tmp_path / "own")
    y = load(whole, "train", 1).y
    counts = {5: 22, 7: 22, 8: 22, 9: 22, **dict.fromkeys((0, 1, 2, 3, 4, 6), 20)}
    assert y.tolist() == [c for c, n in counts.items() for _ in range(n)]
    test = load(whole, "test", 1)
    assert test.y.tolist() == [c for c in range(10) for _ in range(10)]
    balanced = published("fashion", files, tmp_path / "own", each_class="15")
    assert load(balanced, "train", 1).y.bincount().tolist() == [15] * 10
    # The first ones of a class: rows 5, 15, 25 ... of the public file.
    rows = np.arange(15) * 10 + 5
    first = load(balanced, "train").x[:15, 0, 2, 2]
    assert ((first + 1) * 127.5).round().tolist() == (rows % 256).tolist()


def test_cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches, members, known = {}, {}, {}
    for k, name in enumerate((*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")):
        x, y = pixels(3, 3 * 32 * 32, seed=k), [k, 9 - k, 3]
        batches[name] = x, y
        members[name] = pickle.dumps({"data": x, "labels": y})
    members["batches.meta"] = pickle.dumps({"label_names": [*"abcdefghij"]})
    known = {name: digest(content) for name, content in members.items()}
    content = tarred({f"cifar-10-batches-py/{n}": c for n, c in members.items()}, "w:gz")
    kind = datasets.CIFAR10
    monkeypatch.setattr(kind, "tgz_md5", digest(content))
    monkeypatch.setattr(kind, "train_list", [[n, known[n]] for n in [*batches][:5]])
    monkeypatch.setattr(kind, "test_list", [["test_batch", known["test_batch"]]])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": known["batches.meta"]})
    toy = published("cifar10", {"cifar-10-python.tar.gz": content}, tmp_path / "own", copies=False)
    train, test = load(toy, "train"), load(toy, "test")
    assert train.x.shape == (15, 3, 32, 32)
    assert train.y.tolist() == [v for k in range(5) for v in (k, 9 - k, 3)]
    assert test.y.tolist() == [5, 4, 3]
    stored = batches["test_batch"][0].reshape(3, 3, 32, 32)
    assert np.array_equal(((test.x + 1) * 127.5).round().numpy().astype(np.uint8), stored)


def test_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, lists = {}, {}
    for k, part in enumerate(("train", "test")):
        out, name = io.BytesIO(), f"{part}_32x32.mat"
        y = np.array([[10], [1], [9], [10]], np.uint8)[: 4 - k]
        matlab.savemat(out, {"X": pixels(32, 32, 3, len(y), seed=k), "y": y})
        files[name] = out.getvalue()
        lists[part] = ["http://a/" + name, name, digest(files[name])]
    monkeypatch.setattr(datasets.SVHN, "split_list", lists)
    toy = published("svhn", files, tmp_path / "own", copies=False)
    train, test = load(toy, "train"), load(toy, "test")
    assert train.y.tolist() == [0, 1, 9, 0]
    assert test.y.tolist() == [0, 1, 9]
    stored = pixels(32, 32, 3, 3, seed=1).transpose(3, 2, 0, 1)
    assert np.array_equal(((test.x + 1) * 127.5).round().numpy().astype(np.uint8), stored)


# Pictures


def made(name: str, files: dict[str, bytes], tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    convert.CONVERTERS[registry.lookup(name).converter](
        {file: tmp_path / file for file in files}, folder
    )
    return folder


def level(path: Path) -> int:
    return round(float(np.asarray(Image.open(path).convert("L")).mean()))


def test_maps(tmp_path: Path) -> None:
    tile = plain(40, 200, size=(1200, 600))
    members = {f"maps/{part}/{k}.jpg": tile for part in ("train", "val") for k in range(1, 11)}
    folder = made("maps256", {"maps.tar.gz": tarred(members, "w:gz")}, tmp_path)
    numbers = {"train": range(1, 11), "val": (1, 5, 9)}
    expected = [
        f"{part}/{side}/{k:04d}.jpg"
        for part, ks in numbers.items()
        for side in ("map", "photo")
        for k in ks
    ]
    assert inside(folder) == sorted(expected)
    assert Image.open(folder / "train/photo/0010.jpg").size == (256, 256)
    assert level(folder / "val/photo/0005.jpg") == pytest.approx(40, abs=2)
    assert level(folder / "val/map/0005.jpg") == pytest.approx(200, abs=2)


def test_cats_and_dogs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The middle third is the central square.
    cat, dog = plain(0, 90, 0, size=(90, 30)), plain(0, 160, 0, size=(90, 30))
    numbers = range(1, 30)
    parts = {"train": range(1, 11), "test": range(21, 29, 2)}
    assert {k: len(v) for k, v in convert.ANIMALS.items()} == {"train": 1000, "test": 500}
    monkeypatch.setattr(convert, "ANIMALS", parts)
    animals = {f"PetImages/Cat/{k}.jpg": cat for k in numbers}
    animals |= {f"PetImages/Dog/{k}.jpg": dog for k in numbers}
    files = {"kagglecatsanddogs_5340.zip": zipped(animals)}
    folder = made("cat2dog128", files, tmp_path)
    kinds = {"A": "cat", "B": "dog"}
    expected = [f"{p}{d}/{kinds[d]}.{k}.jpg" for p, ks in parts.items() for d in kinds for k in ks]
    assert inside(folder) == sorted(expected)
    assert Image.open(folder / "testA/cat.21.jpg").size == (128, 128)
    assert level(folder / "testA/cat.21.jpg") == pytest.approx(90, abs=4)
    assert level(folder / "trainB/dog.1.jpg") == pytest.approx(160, abs=4)


def test_faces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (convert.ASIDE, convert.TESTED) == (500, 500)
    monkeypatch.setattr(convert, "ASIDE", 5)
    monkeypatch.setattr(convert, "TESTED", 7)
    people = [f"Name_{k:04d}" for k in range(20)]
    frame = np.zeros((250, 250, 3), np.uint8)
    frame[50:200, 50:200] = 200  # the part that is kept
    picture = jpeg(frame)
    members = {f"lfw-deepfunneled/{p}/{p}_0001.jpg": picture for p in people}
    members |= {f"lfw-deepfunneled/{p}/{p}_0002.jpg": picture for p in people[:9]}
    folder = made("lfw64", {"lfw-deepfunneled.tgz": tarred(members, "w:gz")}, tmp_path)
    order = list(people)
    random.Random(0).shuffle(order)
    expected = [f"test/{p}_0001.jpg" for p in order[5:12]]
    expected += [f"train/{p}_0001.jpg" for p in order[12:]]
    assert inside(folder) == sorted(expected)
    face = Image.open(folder / expected[0])
    assert face.size == (64, 64)
    assert level(folder / expected[0]) == pytest.approx(200, abs=4)


def test_digits_over_photographs() -> None:
    digit = np.zeros((2, 28, 28), np.uint8)
    digit[0, 5, 7] = 1  # the faintest stroke counts as white
    photographs = [pixels(40, 50, 3, seed=3)]
    first, second = convert.blended(digit, photographs, seed=0)
    patches = np.lib.stride_tricks.sliding_window_view(photographs[0], (32, 32, 3))
    assert (patches == second).all((-3, -2, -1)).any()  # no digit: a patch as it is
    patch = first.copy()
    patch[7, 9] = 255 - patch[7, 9]
    assert (patches == patch).all((-3, -2, -1)).any()
    assert not (patches == first).all((-3, -2, -1)).any()
    again = next(convert.blended(digit, photographs, seed=0))
    assert np.array_equal(first, again)


def test_mnist_m(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = tuple((np.arange(100) % 7).astype(np.uint8) for _ in range(2))
    files = digits(datasets.MNIST, labels)
    trust(monkeypatch, datasets.MNIST, files)
    monkeypatch.setattr(convert, "DIGITS", 90)
    monkeypatch.setattr(convert, "MNIST_M", {"train": 60, "test": 10})
    photograph = jpeg(pixels(40, 40, 3))
    files["BSR_bsds500.tgz"] = tarred({"BSR/BSDS500/data/images/train/1.jpg": photograph}, "w:gz")
    found = inside(made("mnistm", files, tmp_path))
    numbers = [int(Path(p).stem) for p in found]
    assert len(set(numbers)) == 70
    assert max(numbers) < 90
    assert all(k % 7 == int(p.split("/")[1]) for k, p in zip(numbers, found, strict=True))
    assert sum(p.startswith("test/") for p in found) == 10
