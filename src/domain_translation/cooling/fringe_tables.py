"""Two protocols of L-Cool: the table by fringe share, and the search on validation data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from domain_translation.cooling.cool import Score, cool
from domain_translation.cooling.fringe import fringe_mask
from domain_translation.evaluation.statistics.significance import Comparison, compare

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)  # lcool.metric.fringe; at 1 every sample is cooled


class ShareRow(NamedTuple):
    """One row of L-Cool's tables 2 and 3.

    Attributes:
        share: fringe share of the test samples.
        threshold: the shortest score norm among them, the xi of eq. 10 it amounts to.
        result: comparison of the fringe samples before and after cooling.
    """

    share: float
    threshold: float
    result: Comparison


def compare_by_share(
    norms: Tensor, before: Tensor, after: Tensor, shares: Sequence[float] = SHARES, seed: int = 0
) -> list[ShareRow]:
    """Compare the fringe samples before and after cooling, for several fringe shares.

    Cooling the whole batch once serves every share, because with `cool` a cooled sample does
    not depend on the others.

    Args:
        norms: score norms of the samples (B,), which rank them.
        before, after: what is measured of each sample (B,), e.g. likeness of its translation.
        shares: fringe shares in (0, 1].
        seed: of the bootstrap.

    Raises:
        ValueError: see `fringe_mask` and `evaluation.compare`.
    """
    rows = []
    for share in shares:
        fringe = fringe_mask(norms, share=share)
        result = compare(before[fringe], after[fringe], seed=seed)
        rows.append(ShareRow(share, float(norms[fringe].min()), result))
    return rows


class Trial(NamedTuple):
    """One setting of the search and what it scored (larger is better)."""

    step_size: float
    temperature: float
    steps: int
    value: float


def search(
    score: Score,
    x: Tensor,
    objective: Callable[[Tensor], float],
    *,
    step_sizes: Sequence[float],
    temperatures: Sequence[float],
    steps: Sequence[int],
    seed: int = 0,
) -> list[Trial]:
    """Try all settings of a grid on validation samples, best first (lcool.hyper.image).

    One chain of the largest number of steps serves every smaller number: its first states are
    those of the shorter chains.

    Args:
        score: see `cool`.
        x: validation samples (B, *event); test samples have no place here.
        objective: cooled samples -> a number, larger is better.
        step_sizes, temperatures, steps: the grid; the source's is `PAPER_GRID`.
        seed: of the noise.

    Raises:
        ValueError: an empty grid, or settings that `cool` refuses.
    """
    if not (step_sizes and temperatures and steps):
        raise ValueError("the grid is empty; give at least one value of each setting")
    thin = math.gcd(*steps)
    trials = []
    for step_size, temperature in itertools.product(step_sizes, temperatures):
        run = cool(
            score,
            x,
            step_size=step_size,
            temperature=temperature,
            steps=max(steps),
            seed=seed,
            thin=thin,
        )
        assert run.trajectory is not None
        for n in steps:
            value = objective(run.trajectory[n // thin - 1])
            trials.append(Trial(step_size, temperature, n, value))
    return sorted(trials, key=lambda t: t.value, reverse=True)
