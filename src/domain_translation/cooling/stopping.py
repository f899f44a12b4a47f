"""Cooling that stops by itself, and cooling along a ladder of noise levels.

Neither source says when to stop other than by a number of steps chosen on validation data. The
score's length, which eq. 10 uses to decide *whether* a sample is cooled, can also decide *how far*.
And a score that knows many noise levels can end with a sharper one than it began with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.cooling.cool import Score, chain_seed
from domain_translation.langevin import DivergenceError
from domain_translation.noise import chain_blocks


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
    its noise depends on (seed, id) alone, not on the batch or on when the others stop.

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
    _check(x, step_size, temperature, max_steps)
    noise = _noise(x, seed, ids)
    x, steps = x.detach().clone(), torch.zeros(len(x), dtype=torch.int64, device=x.device)
    going = torch.arange(len(x), device=x.device)
    spread = math.sqrt(2 * step_size * temperature)
    for done in range(max_steps):
        pull, before = score(x[going]), x[going]
        still = ~(torch.linalg.vector_norm(pull.flatten(1), dim=1) <= level)  # NaN goes on
        going = going[still]
        if len(going) == 0:
            break
        x[going] = before[still] + step_size * pull[still] + spread * next(noise)[going]
        steps[going] += 1
        _check_finite(x[going], before[still], going, done + 1)
    return Stopped(x, steps)


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
            `dae.conditional.conditional_score(network)`.
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
    _check(x, min(sigmas, default=0.0), temperature, len(sigmas))
    noise = _noise(x, seed, ids)
    everyone = torch.arange(len(x), device=x.device)
    for done, sigma in enumerate(sigmas):
        step_size, before = share * sigma**2, x
        spread = math.sqrt(2 * step_size * temperature)
        x = before + step_size * score_at(before, sigma) + spread * next(noise)
        _check_finite(x, before, everyone, done + 1)
    return x


def _check(x: Tensor, positive: float, temperature: float, steps: int) -> None:
    if len(x) == 0 or steps < 1 or not (positive > 0 and math.isfinite(positive)):
        raise ValueError(
            f"{len(x)} samples, {steps} steps, step size or noise level {positive}; give at least "
            f"one sample and one step, and positive finite sizes"
        )
    if not 0 <= temperature < 1:
        raise ValueError(f"cooling at temperature {temperature}: give 0 <= temperature < 1")


def _noise(x: Tensor, seed: int, ids: Sequence[int] | None) -> Iterator[Tensor]:
    """The noise of each step, (B, *event): the streams that `cool` uses."""
    ids = range(len(x)) if ids is None else ids
    if len(ids) != len(x):
        raise ValueError(f"{len(ids)} ids for {len(x)} samples; give one id per sample")
    blocks = chain_blocks(x, [chain_seed(seed, i) for i in ids], metropolis=False)
    return (step for block in blocks for step in block.normal)


def _check_finite(x: Tensor, before: Tensor, chains: Tensor, step: int) -> None:
    bad = ~x.flatten(1).isfinite().all(1)
    if bool(bad.any()):
        norms = before[bad].flatten(1).double().norm(dim=1)
        raise DivergenceError(step, chains[bad].tolist(), norms.tolist())
