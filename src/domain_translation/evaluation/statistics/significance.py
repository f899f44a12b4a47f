"""Is a paired difference more than chance? (L-Cool section 4.3, lcool.metric.wilcoxon)"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from torch import Tensor

from domain_translation.runtime import double


class Comparison(NamedTuple):
    """A paired comparison of `after` with `before`, one pair per sample.

    Attributes:
        n: number of pairs.
        moved: how many of them differ at all; ties carry no rank.
        before: mean before.
        after: mean after.
        gain: mean of after - before.
        low, high: bootstrap interval of the gain at the level asked for.
        p_value: two-sided Wilcoxon signed-rank test; 1 when no pair differs.
        effect: matched-pairs rank-biserial correlation in [-1, 1]: the rank sum of the gains
            minus that of the losses over their total (pairs that tie are left out); 0 when no
            pair differs.
    """

    n: int
    moved: int
    before: float
    after: float
    gain: float
    low: float
    high: float
    p_value: float
    effect: float


def compare(
    before: ArrayLike | Tensor, after: ArrayLike | Tensor, *, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Compare paired measurements (n,) by Wilcoxon's signed-rank test and a bootstrap.

    The papers do not say whether their test has one side or two; this one has two, because
    cooling may also harm. The interval is the percentile bootstrap of the mean gain, which stays
    defined when most pairs tie (the bias-corrected one does not).

    Raises:
        ValueError: not two equally long vectors of at least two finite numbers.
    """
    a, b = _numbers(before), _numbers(after)
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
        raise ValueError(
            f"paired measurements have shapes {a.shape} and {b.shape}; give two vectors of the "
            f"same length, at least 2"
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("some measurements are NaN or infinite; a rank test needs finite numbers")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; give that of the interval, in (0, 1)")
    d = b - a
    moved = d[d != 0]
    means = float(a.mean()), float(b.mean()), float(d.mean())
    if len(moved) == 0:
        return Comparison(len(d), 0, *means, 0.0, 0.0, p_value=1.0, effect=0.0)
    ranks = stats.rankdata(np.abs(moved))
    effect = float(np.sign(moved) @ ranks / ranks.sum())
    p_value = float(stats.wilcoxon(d, alternative="two-sided").pvalue)
    low, high = _interval(d, level, seed)
    return Comparison(len(d), len(moved), *means, low, high, p_value, effect)


def _numbers(values: ArrayLike | Tensor) -> NDArray[np.float64]:
    if isinstance(values, Tensor):
        values = double(values.detach()).cpu()
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"measurements are {type(values).__name__}; give two vectors") from error


def _interval(d: NDArray[np.float64], level: float, seed: int) -> tuple[float, float]:
    if np.ptp(d) == 0:  # every pair moved equally: the bootstrap has nothing to resample
        return float(d[0]), float(d[0])
    result = stats.bootstrap(
        (d,),
        np.mean,
        confidence_level=level,
        n_resamples=2000,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
