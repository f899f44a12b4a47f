"""Labelled pictures of 32x32: the registry's layouts "arrays" and "classes".

load("mnist", "train")        # (60000, 1, 32, 32), and the digits
load("cifar10", "test")       # (10000, 3, 32, 32), and the classes
load("cifar10_jpeg", "test")  # (5000, 3, 32, 32), lossy copies, by the classes' alphabet
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from domain_translation.data.digits import Split
from domain_translation.data.images import list_images, read_images
from domain_translation.data.labelled_files import LARGEST, read_labelled
from domain_translation.data.prepare import prepare, unpack
from domain_translation.data.registry import DataSet, lookup
from domain_translation.data.verify import DamagedData

SPLITS = ("train", "test")
SIDE = LARGEST


def load(
    dataset: str | DataSet,
    split: str = "train",
    size: int | None = None,
    *,
    cache: Path | None = None,
    offline: bool = False,
) -> Split:
    """Pictures and labels of mnist, fashion, cifar10, svhn, mnistm and the like.

    Pictures of 28x28 get a black rim of two pixels; greys keep one channel. 50,000 JPEG files
    take about a quarter of a minute.

    Args:
        dataset: a name in the registry, or a set of one's own, of layout arrays or classes.
        split: train or test.
        size: side of the pictures in pixels, a power of two up to 32; smaller ones are averages
            of the pixels of 32x32. None means 32.
        cache, offline: as in `fetch`.

    Returns:
        x (n, C, size, size), float32 in [-1, 1], and y (n,), int64: the stored labels, or the
        places of the class folders in their alphabetical order. The pictures of a class layout
        come class by class.

    Raises:
        ValueError: unknown set, split or size, a set of another layout.
        DamagedData: a file without images and labels, a missing split, an unsafe archive.
        MissingData, OSError: as `fetch`.
    """
    found = lookup(dataset)
    if found.layout not in ("arrays", "classes"):
        raise ValueError(
            f"{found.name!r} has layout {found.layout}; give a set of layout arrays or classes"
        )
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; allowed are {', '.join(SPLITS)}")
    if size is not None and size not in (1, 2, 4, 8, 16, 32):
        raise ValueError(f"size is {size} pixels; give a power of two up to {SIDE}, or None")
    read = _from_arrays if found.layout == "arrays" else _from_folders
    x, y = read(found, split, cache, offline)
    return Split(x if size is None else avg_pool2d(x, SIDE // size), y)


def _from_arrays(
    dataset: DataSet, split: str, cache: Path | None, offline: bool
) -> tuple[Tensor, Tensor]:
    paths = prepare(dataset, cache=cache, offline=offline)
    images, labels = (torch.from_numpy(a) for a in read_labelled(dataset, paths, split))
    pixels = images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2)
    rim = (SIDE - pixels.shape[-1]) // 2
    return pad(pixels.float() / 127.5 - 1, [rim] * 4, value=-1.0), labels.long()


def _from_folders(
    dataset: DataSet, split: str, cache: Path | None, offline: bool
) -> tuple[Tensor, Tensor]:
    classes = _class_folders(dataset, split, unpack(dataset, cache=cache, offline=offline))
    listed = [list_images(folder) for folder in classes.values()]
    x = read_images([path for paths in listed for path in paths], SIDE)
    return x, torch.arange(len(listed)).repeat_interleave(torch.tensor([*map(len, listed)]))


def _class_folders(dataset: DataSet, split: str, roots: tuple[Path, ...]) -> dict[str, Path]:
    """The folders of a split by class, in alphabetical order; one archive holds a split."""
    holds = [root / split for root in roots if (root / split).is_dir()]
    folders = sorted(p for h in holds for p in h.iterdir() if p.is_dir())
    if len(holds) != 1 or not folders:
        raise DamagedData(
            f"{dataset.name}: no folder {split} with a folder per class; "
            f"delete {roots[0].parent} to have it unpacked anew"
        )
    return {p.name: p for p in folders}
