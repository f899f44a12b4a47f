"""Photographs of faces against faces in the manner of paintings: JD-BW's section 4.1, in part.

The paper translates celebrities' photographs to 1,714 portraits from WikiArt (jdbw.data.portraits).
Those portraits are not at hand. The second domain here is a stand-in: other people's photographs,
passed through the filter of `painterly`. It has a painting's surface, but the faces, poses,
costumes and lights are still those of press photographs.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from domain_translation.data.folders import split_halves
from domain_translation.data.images import list_images, read_images
from domain_translation.data.prepare import unpack
from domain_translation.data.verify import DamagedData
from domain_translation.synthetic.painterly import painted

__all__ = ["PORTRAITS", "SIDE", "STAND_IN", "Portraits", "load", "painted"]

PORTRAITS = 1714  # as many as the paper's WikiArt set holds
SIDE = 64  # of the stored photographs
PARTS = ("train", "test")
STAND_IN = "photographs of LFW painted over by a filter; not WikiArt's portraits"


class Portraits(NamedTuple):
    """Photographs and painted photographs of different people, (n, 3, size, size) in [-1, 1]."""

    photos: Tensor
    paintings: Tensor


def load(
    part: str = "train",
    size: int = SIDE,
    *,
    seed: int = 0,
    cache: Path | None = None,
    offline: bool = False,
) -> Portraits:
    """Labeled Faces in the Wild, one picture a person, divided into the two domains.

    Of the training part 1,714 people are painted, as many as there are portraits in the paper;
    of the test part, half.

    Args:
        part: train or test.
        size: side of the pictures in pixels, 8 to 64.
        seed: of the division and of the painters' hands.
        cache, offline: as in `fetch`.

    Raises:
        ValueError: another part or size.
        DamagedData: an archive without that part, or with too few pictures in it.
        MissingData, OSError: as `fetch`.
    """
    if part not in PARTS:
        raise ValueError(f"part is {part!r}; allowed are {', '.join(PARTS)}")
    if not 8 <= size <= SIDE:
        raise ValueError(f"size is {size} pixels; give 8 to {SIDE}")
    (root,) = unpack("lfw64", cache=cache, offline=offline)
    paths = list_images(root / part) if (root / part).is_dir() else []
    count = PORTRAITS if part == "train" else len(paths) // 2
    if not 0 < count < len(paths):
        raise DamagedData(f"lfw64: {root / part} holds {len(paths)} pictures; delete {root}")
    faces = read_images(paths, size)
    taken, others = split_halves(len(paths), (count, len(paths) - count), seed)
    return Portraits(faces[others], painted(faces[taken], seed))
