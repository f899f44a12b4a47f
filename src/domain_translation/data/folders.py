"""The two domains of a data set as tensors, in the splits of L-Cool's section 4.1.

The released test pictures are divided once, by the seed in the registry, into a validation
part for choosing hyperparameters and a test part (lcool.data.horse2zebra,
lcool.data.apple2orange, lcool.data.sat2map).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.data.images import list_images, read_images
from domain_translation.data.prepare import unpack
from domain_translation.data.registry import DataSet, Pictures, lookup
from domain_translation.data.verify import DamagedData

# "held-out" is validation and test together: the released test set, as ImproveIT used it.
SPLITS = ("train", "validation", "test", "held-out")


class Domains(NamedTuple):
    """Pictures of two domains, (n, 3, S, S) and (m, 3, S, S), float32 in [-1, 1]."""

    source: Tensor
    target: Tensor


def unpaired(
    dataset: str | DataSet,
    size: int,
    split: str = "train",
    *,
    cache: Path | None = None,
    offline: bool = False,
) -> Domains:
    """Source and target pictures of a set; a paired set may be read without using its pairs.

    Args:
        dataset: a name in the registry, or a set of one's own.
        size: side of the square pictures, in pixels.
        split: train, validation, test, or held-out (validation and test together).
        cache, offline: as in `fetch`.

    Raises:
        ValueError: unknown set or split, a set without two domains, a size below 1.
        DamagedData: another number of pictures than the registry says, an unsafe archive.
        MissingData, OSError: as `fetch`.
    """
    found = lookup(dataset)
    pictures = _pictures(found)
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; allowed are {', '.join(SPLITS)}")
    folders = pictures.train if split == "train" else pictures.held_out
    roots = [root / pictures.root for root in unpack(found, cache=cache, offline=offline)]
    listed = [_listed(found, pictures, roots, folder) for folder in folders]
    if found.paired and [p.name for p in listed[0]] != [p.name for p in listed[1]]:
        raise DamagedData(f"{found.name}: the pairs of {split} do not have the same file names")
    chosen = [_split(pictures, paths, split, k) for k, paths in enumerate(listed)]
    sides = pictures.halves or ("", "")
    return Domains(*(read_images(p, size, side) for p, side in zip(chosen, sides, strict=True)))


def paired(
    dataset: str | DataSet,
    size: int,
    split: str = "train",
    *,
    cache: Path | None = None,
    offline: bool = False,
) -> Domains:
    """Pairs: picture i of the source and picture i of the target show the same scene.

    Arguments and errors as in `unpaired`; ValueError also for a set without pairs.
    """
    found = lookup(dataset)
    if not found.paired:
        raise ValueError(f"the pictures of {found.name!r} are not paired; read them with unpaired")
    return unpaired(found, size, split, cache=cache, offline=offline)


def split_halves(n: int, sizes: Sequence[int], seed: int) -> tuple[Tensor, ...]:
    """Divide 0..n-1 at random into disjoint parts of the given sizes, each in rising order.

    Raises ValueError for a negative size, or sizes that do not add up to n.
    """
    if min(sizes, default=-1) < 0 or sum(sizes) != n:
        raise ValueError(f"sizes are {tuple(sizes)}; give sizes of 0 or more that add up to {n}")
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return tuple(part.sort().values for part in torch.split(order, list(sizes)))


def _pictures(dataset: DataSet) -> Pictures:
    if dataset.pictures is None:
        raise ValueError(
            f"{dataset.name!r} (layout {dataset.layout}) is not a set of two domains; "
            "get its files with fetch"
        )
    return dataset.pictures


def _listed(dataset: DataSet, pictures: Pictures, roots: list[Path], folder: str) -> list[Path]:
    """Pictures of one folder over all archives of the set, by name; their number is checked."""
    here = [root / folder for root in roots if (root / folder).is_dir()]
    found = sorted((p for h in here for p in list_images(h)), key=lambda path: path.name)
    if len(found) != pictures.counts[folder]:
        raise DamagedData(
            f"{dataset.name}: {folder} holds {len(found)} pictures instead of "
            f"{pictures.counts[folder]}; delete {roots[0].parent} to have it unpacked anew"
        )
    return found


def _split(pictures: Pictures, paths: list[Path], split: str, domain: int) -> list[Path]:
    if split in ("train", "held-out"):
        return paths
    sizes = (pictures.validation[domain], pictures.test[domain])
    validation, test = split_halves(len(paths), sizes, pictures.seed)
    return [paths[i] for i in (validation if split == "validation" else test).tolist()]
