"""Cooling that stops by itself, and cooling along a ladder of noise levels.

Neither source says when to stop other than by a number of steps chosen on validation data. The
score's length, which eq. 10 uses to decide *whether* a sample is cooled, can also decide *how far*.
And a score that knows many noise levels can end with a sharper one than it began with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.cooling.cool import Score, chain_seed, sample_ids
from domain_translation.sampling.columns import choose
from domain_translation.sampling.inputs import floats, whole
from domain_translation.sampling.kernels import Coefficients, Info, Move, State, ula, unadjusted
from domain_translation.sampling.langevin import sample
from domain_translation.sampling.noise import Noise


class Stopped(NamedTuple):
    """Samples cooled until their score was short enough.

    Attributes:
        x: cooled samples (B, *event).
        steps: how many steps each took, (B,) int64; `max_steps` where the level was not reached.
    """

    x: Tensor
    steps: Tensor


def cool_until(
    score: Score,
    x: Tensor,
    *,
    level: float,
    step_size: float,
    temperature: float,
    max_steps: int,
    seed: int = 0,
    ids: Sequence[int] | None = None,
) -> Stopped:
    """Cool each sample until its score norm is at most `level`, or for `max_steps` steps.

    A sample that takes n steps ends where `cool` with the same seed and steps=n would leave it:
    its noise depends on (seed, id) alone, not on the batch or on when the others stop. The score
    of the whole batch is evaluated until all have stopped: a mask costs a device nothing, while
    to leave samples out it would have to be waited for at every step.

    Args:
        score: estimate of grad log p, (B, *event) -> (B, *event).
        x: samples to cool (B, *event).
        level: score norm at which a sample is left alone, e.g. the median over training samples.
        step_size, temperature, seed, ids: see `cool`.
        max_steps: N at most, at least 1.

    Raises:
        ValueError: an empty batch, a level that is negative or not finite, step_size <= 0,
            temperature outside [0, 1), max_steps < 1, ids of another length.
        DivergenceError: a state became NaN or infinite.
    """
    if not (level >= 0 and math.isfinite(level)):
        raise ValueError(f"level is {level}; give a score norm, finite and 0 or larger")
    x, max_steps = floats(x, "x", "(B, *event)"), whole(max_steps, "max_steps")
    _check(x, step_size, temperature, max_steps)
    # One that rests for one step rests for ever: its score does not change any more.
    kernel = replace(ula(score, step_size, temperature), move=unless_short(level), absorbing=True)
    chain = sample(kernel, x, max_steps, chain_seeds=_seeds(x, seed, ids))
    return Stopped(chain.x, (chain.acceptance * max_steps).round().long())


def unless_short(level: float) -> Move:
    """The step of `ula`, taken by the samples whose score is longer than `level`."""

    def move(score: Score, state: State, noise: Noise, at: Coefficients) -> tuple[State, Info]:
        pull = score(state.x)
        far = ~(torch.linalg.vector_norm(pull.flatten(1), dim=1) <= level)  # NaN goes on
        moved, _ = unadjusted(lambda _: pull, state, noise, at)
        return State(choose(far, moved.x, state.x)), Info(far)

    return move


def cool_along(
    score_at: Callable[[Tensor, float], Tensor],
    x: Tensor,
    *,
    sigmas: Sequence[float],
    share: float,
    temperature: float,
    seed: int = 0,
    ids: Sequence[int] | None = None,
) -> Tensor:
    """Cool with one step per noise level: the score of p smoothed by sigmas[0], sigmas[1], ...

    The step at level sigma is alpha = share sigma^2, which moves a sample by that share of the
    way to its denoised version. With equal levels this is `cool`.

    Args:
        score_at: (x, sigma) -> score of the density smoothed by sigma, e.g.
            `denoising.conditional.conditional_score(network)`.
        x: samples to cool (B, *event).
        sigmas: the ladder, one entry per step, usually decreasing (annealing); each > 0.
        share: alpha / sigma^2, in (0, 1].
        temperature, seed, ids: see `cool`.

    Raises:
        ValueError: an empty batch or ladder, a level <= 0, a share outside (0, 1], temperature
            outside [0, 1), ids of another length.
        DivergenceError: a state became NaN or infinite.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; give the share of the way to go per step, in (0, 1]")
    x = floats(x, "x", "(B, *event)")
    _check(x, min(sigmas, default=0.0), temperature, len(sigmas))
    levels = torch.tensor(sigmas, dtype=torch.float64)
    kernel = ula(score_at, share * levels**2, temperature, sigma=levels)
    return sample(kernel, x, len(sigmas), chain_seeds=_seeds(x, seed, ids)).x


def _check(x: Tensor, positive: float, temperature: float, steps: int) -> None:
    if len(x) == 0 or steps < 1 or not (positive > 0 and math.isfinite(positive)):
        raise ValueError(
            f"{len(x)} samples, {steps} steps, step size or noise level {positive}; give at least "
            f"one sample and one step, and positive finite sizes"
        )
    if not 0 <= temperature < 1:
        raise ValueError(f"cooling at temperature {temperature}: give 0 <= temperature < 1")


def _seeds(x: Tensor, seed: int, ids: Sequence[int] | None) -> list[int]:
    """Of the streams that `cool` uses."""
    return [chain_seed(seed, i) for i in sample_ids(x, ids)]
