"""How many parameters Table 6 has, under every reading of what it leaves open (cfebm.arch.params).

CF-EBM prints three totals: 649K, 2.7M and 5.82M. No network built from its Table 6 has them. What
the table and the text leave open is a handful of choices; `readings` runs through all of their
combinations and `parameters` counts each by formula, without building it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from domain_translation.energies.network import SMALLEST, width


class Reading(NamedTuple):
    """One combination of choices; the first value of each field is that of `EnergyNetwork`."""

    widened_first: bool = True  # a Primal's first convolution changes the width, or its second
    residual: int = 1  # side of a Primal's residual convolution
    bias: bool = True  # of the convolutions
    rgb: int = 1  # side of FromRGB's convolution
    fade: int = 0  # side of the Fades' convolutions, one for every growth; 0: not counted
    every_rgb: bool = False  # the FromRGB of every scale is counted, or the last one
    top_residual: bool = False  # a 1x1 residual in the top Primal
    more: int = 0  # Primals from 4c to 4c that the table does not show
    at: int = 0  # pixels at which the network is counted; 0: those that it is used at


class Printed(NamedTuple):
    """A total that the paper prints."""

    place: str
    size: int  # pixels
    c: int
    value: int
    rounding: int  # half a unit of its last digit

    def __str__(self) -> str:
        return f"{self.value / 1e6:.2f}M" if self.value >= 1e6 else f"{self.value // 1000}K"

    def rounds(self, count: int) -> bool:
        """Whether a count rounds to it."""
        return abs(count - self.value) <= self.rounding


PRINTED = (
    Printed("Table 5", 256, 16, 649_000, 500),
    Printed("Table 3", 32, 32, 2_700_000, 50_000),
    Printed("Table 7", 32, 48, 5_820_000, 5_000),
)


def readings() -> Iterator[Reading]:
    """All readings, the literal one first."""
    both = (False, True)
    choices = ((True, False), (1, 3), (True, False), (1, 3), (0, 1, 3), both, both, (0, 1))
    options = (*choices, (0, 128, 256, 512))
    for choice in itertools.product(*options):
        yield Reading(*choice)


def parameters(reading: Reading, size: int, c: int) -> int:
    """Trainable numbers of the energy network of colour images of `size` pixels."""
    size = reading.at or size

    def convolution(inside: int, out: int, side: int) -> int:
        return inside * out * side**2 + (out if reading.bias else 0)

    def primal(inside: int, out: int) -> int:
        middle = out if reading.widened_first else inside
        main = convolution(inside, middle, 3) + convolution(middle, out, 3)
        return main + convolution(inside, out, reading.residual)

    sizes = [SMALLEST * 2**k for k in range((size // SMALLEST).bit_length())]
    blocks = [(width(s, c), width(s // 2, c)) for s in sizes] + [(4 * c, 4 * c)] * reading.more
    total = sum(primal(*block) for block in blocks)
    total += convolution(4 * c, 4 * c, 3) + convolution(4 * c, 4 * c, 4)
    total += convolution(4 * c, 4 * c, 1) if reading.top_residual else 0
    rgbs = sizes if reading.every_rgb else sizes[-1:]
    total += sum(convolution(3, width(s, c), reading.rgb) for s in rgbs)
    if reading.fade:
        total += sum(convolution(width(s, c), width(s // 2, c), reading.fade) for s in sizes[1:])
    return total + 4 * c + 1  # the linear head


def misses(reading: Reading) -> tuple[float, ...]:
    """Relative distance (ours - printed) / printed for each of `PRINTED`."""
    return tuple(parameters(reading, p.size, p.c) / p.value - 1 for p in PRINTED)


def hits(*printed: Printed) -> list[Reading]:
    """Readings whose counts round to all of the given totals at once."""
    return [r for r in readings() if all(p.rounds(parameters(r, p.size, p.c)) for p in printed)]


def nearest(printed: Printed) -> int:
    """The count, under any reading, that is nearest to a printed total."""
    found = (parameters(r, printed.size, printed.c) for r in readings())
    return min(found, key=lambda count: abs(count - printed.value))


def quadratic() -> tuple[float, float, float]:
    """Slopes a of the a c^2 + b c through 649K at c = 16 and 5.82M at c = 48: middle, low, high.

    It supposes a count that does not depend on the resolution; low and high exhaust the rounding.
    """
    (low_c, low), (high_c, high) = ((p.c, p) for p in (PRINTED[0], PRINTED[2]))
    times = high_c / low_c
    scale = high_c**2 - times * low_c**2

    def slope(side: int) -> float:
        small, large = low.value - side * low.rounding, high.value + side * high.rounding
        return (large - times * small) / scale

    return slope(0), slope(-1), slope(1)
