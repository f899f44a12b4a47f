"""The real images that samples of an energy are made from and compared with, set by set.

All are float32 (n, C, S, S) in [-1, 1] with their classes. A name is that of the shipped energy,
`energies/NAME`, where there is one; all but digits and glyphs need the files of the full profile.
The shipped energies of clothes and photographs saw "fashion" and "cifar": classes out of balance,
lossy copies. "fashion_balanced" and "cifar10" have neither fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain_translation.data import arrays, load_digits
from domain_translation.data.digits import Split
from domain_translation.synthetic.digits import glyphs

# Numbers and seeds of the drawn glyphs; no glyph is in two parts. "train" is what the shipped
# energy saw; its judge saw others.
_GLYPHS = {"train": (5000, 0), "test": (1000, 2_000_000), "judge": (4000, 1_000_001)}


def _digits(part: str) -> Split:
    real: Split = getattr(load_digits(), part)
    return Split(real.x * 2 - 1, real.y)


def _glyphs(part: str) -> Split:
    return Split(*glyphs.sample(*_GLYPHS[part]))


SETS: Mapping[str, Callable[[str], Split]] = {
    "digits": _digits,  # 8x8, 1077 training and 360 test images
    "glyphs": _glyphs,  # 16x16, 5000 and 1000
    "mnist": lambda part: arrays.load("mnist", part),  # 32x32 with a black rim, 60000 and 5000
    "fashion": lambda part: arrays.load("fashion_unbalanced", part),  # 32x32, 30000 and 5000
    "fashion_balanced": lambda part: arrays.load("fashion", part),  # 32x32, 10000 and 5000
    "cifar": lambda part: arrays.load("cifar10_jpeg", part),  # 32x32 JPEG, 50000 and 5000
    "cifar10": lambda part: arrays.load("cifar10", part),  # 32x32, 50000 and 10000
    "svhn": lambda part: arrays.load("svhn", part),  # 32x32, 73257 and 26032
}


def real_images(name: str, part: str = "train") -> Split:
    """Images of a set and their classes.

    Args:
        name: a key of `SETS`.
        part: "train" or "test".

    Raises:
        ValueError: another name or part.
        MissingData, DamagedData: a set without its files; see `prepare.prepare`.
    """
    if name not in SETS or part not in ("train", "test"):
        raise ValueError(
            f"no part {part!r} of a set {name!r}; sets are {', '.join(SETS)}, parts train and test"
        )
    return SETS[name](part)


def judge_images(name: str) -> Split:
    """What the judge of a set is trained on: the training images, or glyphs of its own.

    Raises:
        ValueError, MissingData, DamagedData: as `real_images`.
    """
    return _glyphs("judge") if name == "glyphs" else real_images(name)
