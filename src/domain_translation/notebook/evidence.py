"""Numbers with their uncertainty: how sure a run is of what it found, and over what.

Units are independent: seeds, chains, scenes. What all of them share, such as one test set or one
judge, does not average out and is added to the error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import hypot, inf, isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

ALPHA = 0.05
Limits = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Estimate:
    """A number with its uncertainty.

    Attributes:
        value: the number.
        error: its standard error.
        n: independent units behind it (seeds, chains, scenes), at least 1.
        seeds: independent trainings of the network that the sentence is about, the fewest if it is
            about several; 0 where no training could have come out otherwise.
        df: degrees of freedom of the error.
        limits: the interval at level 1 - alpha, where it is not Student's.
        card: the cards that the number comes from; "" if this run has computed it.
        origin: when and on what they were made.
        unmeasured: the card is still to be made, and nothing is known.

    Raises ValueError for numbers that are not finite, or without n and seeds.
    """

    value: float
    error: float
    n: int
    seeds: int
    df: float = inf
    limits: Limits | None = field(default=None, repr=False, compare=False)
    card: str = ""
    origin: str = ""
    unmeasured: bool = False

    def __post_init__(self) -> None:
        counted = isinstance(self.n, int) and isinstance(self.seeds, int)
        if not (counted and self.n >= 1 and self.seeds >= 0):
            raise ValueError(
                f"an estimate had n = {self.n} and seeds = {self.seeds}; give whole numbers, n of "
                "at least 1 and seeds of at least 0"
            )
        if not (isfinite(self.value) and isfinite(self.error) and self.error >= 0):
            raise ValueError(
                f"an estimate was {self.value} with the error {self.error}; both are finite numbers"
            )

    def interval(self, alpha: float = ALPHA) -> tuple[float, float]:
        """Lower and upper limit at level 1 - `alpha`."""
        if self.limits is not None:
            return self.limits(alpha)
        half = float(stats.t.ppf(1 - alpha / 2, self.df)) * self.error
        return self.value - half, self.value + half

    def __neg__(self) -> Estimate:
        """The number with the other sign."""

        def limits(alpha: float) -> tuple[float, float]:
            low, high = self.interval(alpha)
            return -high, -low

        return replace(self, value=-self.value, limits=limits)

    def minus(self, other: Estimate) -> Estimate:
        """The difference of independent estimates, by both their intervals (Newcombe 1998)."""
        gap = self.value - other.value

        def limits(alpha: float) -> tuple[float, float]:
            (low, high), (other_low, other_high) = self.interval(alpha), other.interval(alpha)
            below = hypot(self.value - low, other_high - other.value)
            above = hypot(high - self.value, other.value - other_low)
            return gap - below, gap + above

        trained = min((e.seeds for e in (self, other) if e.seeds), default=0)
        return Estimate(
            gap,
            hypot(self.error, other.error),
            min(self.n, other.n),
            trained,
            min(self.df, other.df),
            limits,
            _both(self.card, other.card),
            _both(self.origin, other.origin),
            self.unmeasured or other.unmeasured,
        )

    def __str__(self) -> str:
        """The number with its 95 % interval, where there is one, for a table."""
        if self.unmeasured:
            return "not measured"
        low, high = self.interval()
        if not isfinite(high - low):
            return f"{self.value:.3g}"
        return f"{self.value:.3g} [{low:.3g}, {high:.3g}]"

    def smallest_effect(self, alpha: float = ALPHA) -> float:
        """The distance from a threshold at which about four of five such runs would decide."""
        low, high = self.interval(alpha)
        sure, power = stats.t.ppf([1 - alpha / 2, 0.8], self.df)
        return (high - low) / 2 * float(1 + power / sure)


def _both(a: str, b: str) -> str:
    return ", ".join(dict.fromkeys(filter(None, (a, b))))


def unmeasured(card: str) -> Estimate:
    """What is known of a number whose card is still to be made: nothing."""
    return Estimate(0.0, 0.0, 1, 0, limits=lambda alpha: (-inf, inf), card=card, unmeasured=True)


def mean(values: ArrayLike, *, seeds: int | None = None, shared: float = 0.0) -> Estimate:
    """The mean of independent units, one a training seed unless `seeds` says otherwise.

    Args:
        values: one finite number a unit, at least two.
        seeds: trainings behind them; None: as many as values.
        shared: a standard error that all units have in common and that does not average out, such
            as that of the one test set of all seeds (`shared_error`).

    Raises:
        ValueError: fewer than two values, one that is not finite, or equal ones without `shared`.
    """
    v = np.asarray(values, dtype=float)
    if v.ndim != 1 or len(v) < 2 or not np.isfinite(v).all():
        raise ValueError(
            f"a mean had the values {v.tolist()}; give at least two finite ones, count lost runs"
        )
    own = float(v.std(ddof=1)) / sqrt(len(v))
    error = hypot(own, shared)
    if error == 0:
        raise ValueError(
            f"all {len(v)} values are {v[0]:g}; give shared=, the error of the test set, or state "
            "a share of seeds"
        )
    middle, df = float(v.mean()), len(v) - 1

    def limits(alpha: float) -> tuple[float, float]:
        # Degrees of freedom after Welch would grow with the shared error, and the interval shrink.
        known = float(stats.norm.ppf(1 - alpha / 2)) * shared
        half = hypot(float(stats.t.ppf(1 - alpha / 2, df)) * own, known)
        return middle - half, middle + half

    return Estimate(middle, error, len(v), len(v) if seeds is None else seeds, df, limits)


def alone(value: float, error: float = 0.0, *, seeds: int) -> Estimate:
    """The number of one run: with the error of its test items, or with none that is known."""
    limits: Limits | None = None if error else lambda alpha: (-inf, inf)
    return Estimate(value, error, 1, seeds, limits=limits)


def stated(value: float, low: float, high: float, *, n: int, seeds: int) -> Estimate:
    """A number that was stored with its 95 % interval."""
    return Estimate(value, (high - low) / (2 * float(stats.norm.ppf(0.975))), n, seeds)


def paired(
    a: Sequence[float], b: Sequence[float], *, seeds: int | None = None, shared: float = 0.0
) -> Estimate:
    """The mean of a - b, where both come from the same seeds or scenes, in the same order.

    Raises:
        ValueError: of different length, or as `mean`.
    """
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values are no pairs; give those of the same seeds")
    return mean(np.subtract(a, b), seeds=seeds, shared=shared)


def share(hits: int, n: int, *, seeds: int) -> Estimate:
    """A proportion with Wilson's interval.

    Raises:
        ValueError: unless 0 <= hits <= n and n >= 1.
    """
    if not (n >= 1 and 0 <= hits <= n):
        raise ValueError(f"a share was {hits} of {n}; give 0 <= hits <= n and n >= 1")

    def limits(alpha: float) -> tuple[float, float]:
        found = stats.binomtest(hits, n).proportion_ci(1 - alpha, method="wilson")
        return float(found.low), float(found.high)

    p = hits / n
    return Estimate(p, sqrt(p * (1 - p) / n), n, seeds, inf, limits)


def bootstrap(
    units: ArrayLike, statistic: Callable[..., Any], *, seeds: int, draws: int = 4000
) -> Estimate:
    """Any statistic of at least 30 independent units, by percentiles of resamples.

    Raises:
        ValueError: fewer units.
    """
    u = np.asarray(units, dtype=float)
    if len(u) < 30:
        raise ValueError(f"a bootstrap had {len(u)} units; give at least 30")
    made = stats.bootstrap((u,), statistic, n_resamples=draws, method="percentile", rng=0)

    def limits(alpha: float) -> tuple[float, float]:
        if alpha < 20 / draws:  # too few resamples lie out there
            return -inf, inf
        low, high = np.quantile(made.bootstrap_distribution, [alpha / 2, 1 - alpha / 2])
        return float(low), float(high)

    return Estimate(float(statistic(u)), float(made.standard_error), len(u), seeds, inf, limits)


def shared_error(share: float, n: int) -> float:
    """Standard error of a share that `n` test items put into every seed (Agresti, Coull 1998)."""
    p = (share * n + 2) / (n + 4)
    return sqrt(p * (1 - p) / (n + 4))
