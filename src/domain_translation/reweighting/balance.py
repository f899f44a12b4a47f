"""Are the classes of two domains out of balance? Shares with intervals, and what follows.

P is the first domain, Q the second. The total variation between the class masses is the least
share of pictures that a translator which matches the laws gives another class, whatever it does
(the theorem of the chapter on mass shift, JD-BW 2.3). Its interval lies about the value less the
bias that a bootstrap sees: where the masses are equal, estimates never are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest, chi2_contingency, norm
from torch import Tensor

from domain_translation.reweighting.masses import effective_share, midpoint, total_variation

Labels = NDArray[np.int64]
LEVEL = 0.95
DRAWS = 1000  # of known labels: only counts are drawn
REGROUPED = 100  # of groups that are found anew in every draw
_AGAIN = 8  # groupings of the very pictures, from other starts


class Interval(NamedTuple):
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


class Balance(NamedTuple):
    """What is known of the classes of two domains.

    Attributes:
        p, q: share of each class in P and in Q.
        shift: total variation between these shares: what must be mistranslated at least. Its
            interval is that of the masses; it begins at 0 where they may well be equal.
        weights: (K, 2), what a picture of a class counts for in P and in Q where both meet
            half-way (JD-BW eq. 10); NaN where there is none to be weighted.
        worth: effective share of the weighted pictures of P and of Q.
    """

    p: list[Interval]
    q: list[Interval]
    shift: Interval
    weights: Tensor
    worth: tuple[float, float]


def of_labels(p: Labels, q: Labels, count: int, *, draws: int = DRAWS, seed: int = 0) -> Balance:
    """The balance of known classes 0..count-1 of pictures from P (n,) and from Q (m,).

    Shares have Wilson intervals: a bootstrap would give a class without pictures none. The
    total variation is bootstrapped.

    Raises:
        ValueError: no pictures of a domain, or fewer than two classes.
    """
    counts = _counts(p, q, count)
    rng = np.random.default_rng(seed)
    drawn = [rng.multinomial(c.sum(), c / c.sum(), draws) / c.sum() for c in counts]
    return _balance(counts, [[_wilson(k, c.sum()) for k in c] for c in counts], drawn)


def of_groups(
    p: Labels,
    q: Labels,
    count: int,
    regroup: Callable[[Labels, Labels, int], tuple[Labels, Labels]],
    *,
    draws: int = REGROUPED,
    seed: int = 0,
    each: Callable[[], object] = lambda: None,
) -> Balance:
    """The balance of groups 0..count-1 that were found, not known.

    In every draw of the bootstrap pictures are drawn anew and grouped anew, so that the intervals
    hold what the grouping adds; groups are matched by the pictures that they share. What the
    total variation owes to the start of the grouping is added once more, since pictures that are
    drawn twice make groups tighter than they are.

    Args:
        p, q: groups of the pictures from P (n,) and from Q (m,).
        count: number of groups.
        regroup: (rows of P, rows of Q, seed) -> groups of those pictures, under any names.
        draws: of the bootstrap.
        seed: of the draws.
        each: called after every draw.

    Raises:
        ValueError: see `of_labels`.
    """
    counts = _counts(p, q, count)
    rng = np.random.default_rng(seed)
    drawn = np.empty((2, draws, count))
    for draw in range(draws):
        rows = [rng.integers(len(side), size=len(side)) for side in (p, q)]
        found = regroup(rows[0], rows[1], int(rng.integers(2**31)))
        names = _matched(np.r_[p[rows[0]], q[rows[1]]], np.r_[found[0], found[1]], count)
        for side, groups in enumerate(found):
            drawn[side, draw] = np.bincount(names[groups], minlength=count) / len(groups)
        each()
    whole = np.arange(len(p)), np.arange(len(q))
    starts = [regroup(*whole, int(rng.integers(2**31))) for _ in range(_AGAIN)]
    luck = float(np.std([_variation(_shares(*found, count)) for found in starts], ddof=1))
    tails = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)  # (2, sides, K)
    intervals = [
        [
            Interval(one.value, min(one.low, float(low)), max(one.high, float(high)))
            for one, low, high in zip((_wilson(k, c.sum()) for k in c), *tail, strict=True)
        ]
        for c, tail in zip(counts, tails.transpose(1, 0, 2), strict=True)
    ]
    return _balance(counts, intervals, [drawn[0], drawn[1]], luck)


def _counts(p: Labels, q: Labels, count: int) -> list[Labels]:
    if min(len(p), len(q)) < 1 or count < 2:
        raise ValueError(
            f"{len(p)} and {len(q)} pictures of {count} classes; give pictures of both domains and "
            f"two classes or more"
        )
    return [np.bincount(side, minlength=count) for side in (p, q)]


def _shares(p: Labels, q: Labels, count: int) -> list[NDArray[np.float64]]:
    return [np.bincount(side, minlength=count) / len(side) for side in (p, q)]


def _variation(shares: Sequence[NDArray[np.float64]]) -> float:
    return total_variation(*(torch.from_numpy(side) for side in shares))


def _balance(
    counts: list[Labels],
    intervals: list[list[Interval]],
    drawn: list[NDArray[np.float64]],
    luck: float = 0.0,
) -> Balance:
    """From counts, intervals of the shares, shares of the bootstrap (draws, K), and a deviation."""
    p, q = (torch.from_numpy(c / c.sum()) for c in counts)
    value = total_variation(p, q)
    each = [_variation(pair) for pair in zip(*drawn, strict=True)]
    middle = 2 * value - float(np.mean(each))  # less the bootstrap's bias
    reach = float(norm.ppf((1 + LEVEL) / 2) * np.hypot(np.std(each, ddof=1), luck))
    low = max(0.0, min(value, middle - reach)) if _differ(counts) else 0.0
    high = min(1.0, max(value, middle + reach))
    half = midpoint(p, q)
    weights = torch.stack([torch.where(m > 0, half / m, torch.nan) for m in (p, q)], 1)
    worth = [
        effective_share(weights[:, side].nan_to_num().repeat_interleave(torch.from_numpy(c)))
        for side, c in enumerate(counts)
    ]
    shift = Interval(value, low, high)
    return Balance(intervals[0], intervals[1], shift, weights, (worth[0], worth[1]))


def _differ(counts: list[Labels]) -> bool:
    """Whether the shares differ at all, by a chi-squared test at the level of the interval's foot.

    Below it the interval of the total variation begins at 0, which no bootstrap would find: every
    draw of two equal laws differs.
    """
    table = np.stack(counts)
    table = table[:, table.sum(0) > 0]
    return bool(table.shape[1] > 1 and chi2_contingency(table).pvalue < (1 - LEVEL) / 2)


def _wilson(count: int, total: int) -> Interval:
    found = binomtest(int(count), int(total)).proportion_ci(LEVEL, "wilson")
    return Interval(float(count / total), float(found.low), float(found.high))


def _matched(known: Labels, found: Labels, count: int) -> Labels:
    """For every group that was found, the known one with which it shares most (one to one)."""
    table = np.zeros((count, count), int)
    np.add.at(table, (found, known), 1)
    names: Labels = linear_sum_assignment(table, maximize=True)[1]
    return names
