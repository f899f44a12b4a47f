"""From the public file of a set to what its readers read: the rules of the subsets, in code.

A converter gets the published files by name and an empty folder, and fills it. It reads through
`torchvision.datasets` where there is such a set. Pictures are stored as JPEG where the copies that
the book's results were computed on are, by the same steps, so that the same pictures come out
wherever the same libraries of JPEG and of resizing are used.
"""

from __future__ import annotations

import random
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torchvision import datasets

from domain_translation.data.extract import extract
from domain_translation.data.images import half, open_rgb
from domain_translation.data.labelled_files import first_of_each, save_labelled
from domain_translation.data.verify import DamagedData

Files = Mapping[str, Path]
Labelled = tuple[np.ndarray, np.ndarray]

MNIST_TEST = 5000  # the first of the 10,000 test digits
WARES = (5, 7, 8, 9)  # Fashion-MNIST's sandals, sneakers, bags and ankle boots
CLOTHES = (0, 1, 2, 3, 4, 6)
OF_CLOTHES, OF_TEST = 1000, 500  # the first pictures of a class
MNIST_M = {"train": 6000, "test": 1000}  # of the first 9,001 test digits in a random order
DIGITS = 9001
ASIDE, TESTED = 500, 500  # people of Labeled Faces in the Wild
ANIMALS = {"train": range(1, 1001), "test": range(4001, 5001, 2)}  # Kaggle's numbers


def mnist(files: Files, out: Path) -> None:
    """All 60,000 training digits, the first 5,000 test digits."""
    train, test = _published(datasets.MNIST, files, out, {"train": True}, {"train": False})
    save_labelled(out / "mnist_train.npz", *train)
    save_labelled(out / "mnist_test.npz", *(part[:MNIST_TEST] for part in test))


def fashion(files: Files, out: Path) -> None:
    """Class by class: all wares, then 1,000 of each other class; of the test, 500 of each."""
    train, test = _published(datasets.FashionMNIST, files, out, {"train": True}, {"train": False})
    for name, part, classes, n in (
        ("train_1_shoes_bags", train, WARES, None),
        ("train_2_clothes", train, CLOTHES, OF_CLOTHES),
        ("test", test, range(10), OF_TEST),
    ):
        rows = np.concatenate([first_of_each(part[1], {c: n}) for c in classes])
        save_labelled(out / f"fashion_{name}.npz", part[0][rows], part[1][rows])


def cifar10(files: Files, out: Path) -> None:
    """All 50,000 training and 10,000 test pictures, in their order, as they are."""
    train, test = _published(datasets.CIFAR10, files, out, {"train": True}, {"train": False})
    save_labelled(out / "cifar10_train.npz", *train)
    save_labelled(out / "cifar10_test.npz", *test)


def svhn(files: Files, out: Path) -> None:
    """All 73,257 training and 26,032 test digits, as they are; the label of a zero is 0."""
    train, test = _published(datasets.SVHN, files, out, {"split": "train"}, {"split": "test"})
    save_labelled(out / "svhn_train.npz", *train)
    save_labelled(out / "svhn_test.npz", *test)


def mnist_m(files: Files, out: Path) -> None:
    """MNIST's test digits over patches of BSDS500's photographs (Ganin et al. 2016).

    The published MNIST-M has the digits of the same numbers over other patches.
    """
    digits = {name: path for name, path in files.items() if name.endswith("ubyte.gz")}
    ((images, labels),) = _published(datasets.MNIST, digits, out, {"train": False})
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        folder = extract(files["BSR_bsds500.tgz"], Path(scratch) / "photographs")
        places = sorted(folder.rglob("images/train/*.jpg"))
        photographs = [np.asarray(open_rgb(place)) for place in places]
    order = np.random.RandomState(0).permutation(DIGITS)
    for part, rows in zip(MNIST_M, np.split(order, np.cumsum([*MNIST_M.values()])), strict=False):
        for k, x in zip(rows, blended(images[rows], photographs, seed=1), strict=True):
            path = out / part / str(labels[k]) / f"{k:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(x).save(path)


def blended(digits: np.ndarray, photographs: list[np.ndarray], seed: int) -> Iterator[np.ndarray]:
    """|patch - digit| for a random patch each, (32, 32, 3), uint8.

    Args:
        digits: (n, 28, 28), uint8; every pixel above 0 counts as 255, the rim is 2 pixels wide.
        photographs: (H, W, 3), uint8, larger than 32 pixels.
        seed: of photographs and places.
    """
    draw = np.random.default_rng(seed)
    for digit in np.pad(digits, [(0, 0), (2, 2), (2, 2)]):
        photograph = photographs[draw.integers(len(photographs))]
        top, left = (draw.integers(n - 32 + 1) for n in photograph.shape[:2])
        patch = photograph[top : top + 32, left : left + 32]
        yield np.where(digit[..., None] > 0, 255 - patch, patch)


def maps256(files: Files, out: Path) -> None:
    """Both halves of each tile at 256x256: all training pairs, every fourth of the others."""
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        tiles = extract(files["maps.tar.gz"], Path(scratch) / "tiles") / "maps"
        for part, step in (("train", 1), ("val", 4)):
            for path in sorted((tiles / part).glob("*.jpg"), key=lambda p: int(p.stem))[::step]:
                tile = open_rgb(path)
                for side, domain in (("left", "photo"), ("right", "map")):
                    name = f"{int(path.stem):04d}.jpg"
                    _store(half(tile, side), 256, 90, out / part / domain / name)


def cats_dogs(files: Files, out: Path) -> None:
    """Central squares at 128x128: numbers 1 to 1000 to train, odd ones of 4001 to 4999 to test."""
    with zipfile.ZipFile(files["kagglecatsanddogs_5340.zip"]) as archive:
        for animal, domain in (("cat", "A"), ("dog", "B")):
            for part, numbers in ANIMALS.items():
                for k in numbers:
                    with archive.open(f"PetImages/{animal.title()}/{k}.jpg") as content:
                        image = Image.open(content).convert("RGB")
                    side = min(image.size)
                    left, top = ((n - side) // 2 for n in image.size)
                    image = image.crop((left, top, left + side, top + side))
                    _store(image, 128, 90, out / (part + domain) / f"{animal}.{k}.jpg")


def lfw64(files: Files, out: Path) -> None:
    """Each person's first picture at 64x64: of a shuffle 500 left aside, 500 to test, the rest."""
    with tarfile.open(files["lfw-deepfunneled.tgz"]) as archive:
        members = {m.name: m for m in archive.getmembers() if m.name.endswith("_0001.jpg")}
        people = sorted(members, key=lambda name: Path(name).name)
        random.Random(0).shuffle(people)
        for part, names in (("test", people[ASIDE:][:TESTED]), ("train", people[ASIDE + TESTED :])):
            for name in names:
                content = archive.extractfile(members[name])
                if content is None:
                    raise DamagedData(f"lfw-deepfunneled.tgz: {name} is no file; get it again")
                face = Image.open(content).convert("RGB").crop((50, 50, 200, 200))
                _store(face, 64, 95, out / part / Path(name).name)


CONVERTERS: Mapping[str, Callable[[Files, Path], None]] = {
    f.__name__: f for f in (mnist, fashion, cifar10, svhn, mnist_m, maps256, cats_dogs, lfw64)
}


def _published(
    kind: type[Any], files: Files, out: Path, *parts: Mapping[str, Any]
) -> list[Labelled]:
    """Parts of a set of torchvision, read from files that are here already.

    torchvision finds them where it would have put its downloads, and compares its own checksums;
    what it unpacks is in `out` for that time only, so that a killed run leaves nothing elsewhere.
    """
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        root = Path(scratch)
        place = root / kind.__name__ / "raw" if issubclass(kind, datasets.MNIST) else root
        place.mkdir(parents=True, exist_ok=True)
        for name, path in files.items():
            shutil.copyfile(path, place / name)
        return [_labelled(kind(root, download=True, **part)) for part in parts]


def _labelled(found: Any) -> Labelled:
    """Images (n, H, W) or (n, H, W, 3) and labels (n,) of one of torchvision's sets."""
    labels = found.labels if isinstance(found, datasets.SVHN) else found.targets
    images = np.asarray(found.data)
    return images.transpose(0, 2, 3, 1) if images.shape[1] == 3 else images, np.asarray(labels)


def _store(image: Image.Image, size: int, quality: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.resize((size, size), Image.Resampling.LANCZOS).save(path, quality=quality)
