"""Numpy archives of labelled pictures: `images` (n, side, side) or (n, side, side, 3), `labels`."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from domain_translation.data.registry import DataSet
from domain_translation.data.verify import DamagedData

LARGEST = 32  # side of a picture in pixels


def save_labelled(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write uint8 images (n, side, side) or (n, side, side, 3) and labels (n,) below 256."""
    np.savez_compressed(path, images=images.astype(np.uint8), labels=labels.astype(np.uint8))


def read_labelled(
    dataset: DataSet, paths: Sequence[Path], split: str
) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a split, in the files' order, in the numbers that the set wants.

    Args:
        dataset: its `each_class` says how many pictures of a class count, the first ones.
        paths: of the set's files; those of the split have its name in theirs.
        split: train or test.

    Raises DamagedData: no file of that split, or one without images and labels.
    """
    parts = [_read(path) for path in paths if f"_{split}" in path.name]
    if not parts:
        raise DamagedData(f"{dataset.name}: no file of the split {split}; correct the registry")
    images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    rows = first_of_each(labels, dict.fromkeys(np.unique(labels).tolist(), dataset.each_class))
    return images[rows], labels[rows]


def first_of_each(labels: np.ndarray, counts: dict[int, int | None]) -> np.ndarray:
    """Rows (k,), in rising order, of the first `counts[c]` of each class c; None means all."""
    rows: Iterable[np.ndarray] = (np.flatnonzero(labels == c)[:n] for c, n in counts.items())
    return np.sort(np.concatenate([np.empty(0, np.int64), *rows]))


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            images, labels = stored["images"], stored["labels"]
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedData(f"{path} does not hold images and labels ({error}); replace it") from None
    side = images.shape[1] if images.ndim > 1 else 0
    shapes = [(len(labels), side, side), (len(labels), side, side, 3)]
    if images.shape not in shapes or images.dtype != np.uint8 or side > LARGEST or side % 2:
        raise DamagedData(
            f"{path} holds {images.dtype} images of shape {images.shape} and {len(labels)} labels; "
            f"uint8 images (n, side, side) or (n, side, side, 3) of an even side up to {LARGEST} "
            "are readable"
        )
    return images, labels
