"""How large a paired gain must be to be seen: the power of a test of a mean difference.

The mean of n paired differences with standard deviation s is normal to good accuracy, with
standard error s / sqrt(n). A two-sided test at `level` finds a true gain g with probability

    Phi(g sqrt(n) / s - z) + Phi(-g sqrt(n) / s - z),      z = Phi^-1(1 - level / 2).

Wilcoxon's test, which the sources use, needs at most 1.16 times as many pairs (Hodges & Lehmann).
"""

from __future__ import annotations

import math

from scipy import stats


def power(gain: float, deviation: float, pairs: int, *, level: float = 0.05) -> float:
    """Probability that a true mean `gain` comes out significant.

    Args:
        gain: true mean difference, in the unit of `deviation`.
        deviation: standard deviation of the paired differences, > 0.
        pairs: number of pairs, at least 1.
        level: of the two-sided test, in (0, 1).

    Raises:
        ValueError: deviation or pairs not positive, level outside (0, 1).
    """
    _check(deviation, level)
    if pairs < 1:
        raise ValueError(f"pairs is {pairs}; a test needs at least one pair")
    z = stats.norm.isf(level / 2)
    shift = gain * math.sqrt(pairs) / deviation
    return float(stats.norm.cdf(shift - z) + stats.norm.cdf(-shift - z))


def detectable_gain(
    deviation: float, pairs: int, *, level: float = 0.05, wanted: float = 0.8
) -> float:
    """Smallest true gain found with probability `wanted`: (z_level/2 + z_wanted) s / sqrt(n).

    The far side of the test is left out, which matters only when `wanted` is near `level`.

    Raises:
        ValueError: as `power`, and for `wanted` outside (level, 1).
    """
    _check(deviation, level)
    if pairs < 1 or not level < wanted < 1:
        raise ValueError(
            f"pairs is {pairs} and wanted {wanted}; give at least one pair and a power between "
            f"the level {level} and 1"
        )
    z = stats.norm.isf(level / 2) + stats.norm.ppf(wanted)
    return float(z * deviation / math.sqrt(pairs))


def pairs_needed(gain: float, deviation: float, *, level: float = 0.05, wanted: float = 0.8) -> int:
    """Number of pairs at which a true `gain` is found with probability `wanted`.

    Raises:
        ValueError: as `detectable_gain`, and for a gain of zero, which no number of pairs finds.
    """
    if gain == 0:
        raise ValueError("gain is 0; no number of pairs finds a difference that is not there")
    return math.ceil((detectable_gain(deviation, 1, level=level, wanted=wanted) / gain) ** 2)


def _check(deviation: float, level: float) -> None:
    if not deviation > 0:
        raise ValueError(f"deviation is {deviation}; give a positive standard deviation")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; give the level of the test, in (0, 1)")
