"""Digits and skewed, resized digits: SR-MNIST's pair of domains at two sizes (jdbw.data.srmnist).

In the first domain zeros are frequent and every image is shrunk, turned and moved; in the second
all digits are equally frequent and images are as they come. Same hand, other masses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch.nn.functional import interpolate

from domain_translation.data import arrays
from domain_translation.data.digits import Split, load_digits
from domain_translation.reweighting.domains.mass_shift import resample, shrunk_and_turned
from domain_translation.reweighting.masses import skewed

ZEROS = 0.5  # mass of the zeros in SR-MNIST; the rest is shared equally


class Pair(NamedTuple):
    """Two domains, (n, 1, S, S) in [-1, 1] with their digits (n,)."""

    x: Split  # skewed and resized
    y: Split  # balanced, as they come


def handwritten(part: str) -> Split:
    """scikit-learn's digits at 16x16: 1,077 training, 360 validation and 360 test images."""
    real: Split = getattr(load_digits(), part)
    larger = interpolate(2 * real.x - 1, scale_factor=2, mode="bicubic", align_corners=False)
    return Split(larger.clamp(-1, 1), real.y)


SOURCES: Mapping[str, Callable[[str], Split]] = {
    "digits": handwritten,
    "mnist": lambda part: arrays.load("mnist", part),  # 32x32 with a black rim
}


def training_pair(name: str, zeros: float = ZEROS, n: int = 4000, seed: int = 0) -> Pair:
    """n training images of each domain, drawn from the same training images.

    Args:
        name: "digits" (16x16) or "mnist" (32x32; needs the files of the full profile).
        zeros: mass of the zeros in the first domain.
        n: images of each domain; small sets repeat, in other poses in the first domain.
        seed: of draws and poses.

    Raises:
        ValueError: another name, or a mass outside [0, 1].
        MissingData, DamagedData: mnist without its files; see `fetch.fetch`.
    """
    real = _real(name, "train")
    first = resample(real, skewed(zeros), n, seed)
    second = resample(real, skewed(0.1), n, seed + 1)
    return Pair(Split(shrunk_and_turned(first.x, seed), first.y), second)


def _real(name: str, part: str) -> Split:
    if name not in SOURCES:
        raise ValueError(f"no digits named {name!r}; choose {' or '.join(SOURCES)}")
    return SOURCES[name](part)
