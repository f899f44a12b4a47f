"""Strips: a picture and its translation at several moments of the same cooling run."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.cooling.cool import Score, Translator, cool
from domain_translation.sampling.inputs import answer, asking, events, whole


class Strip(NamedTuple):
    """What ImproveIT's figures 6, 8 and 9 show (improveit.fig6).

    Attributes:
        inputs: the samples at frame 0 (uncooled), 1, 2, ...: (F, B, *event).
        outputs: their translations, (F, B, *event).
    """

    inputs: Tensor
    outputs: Tensor


@torch.no_grad()
def strip(
    translator: Translator,
    score: Score,
    x: Tensor,
    *,
    step_size: float,
    temperature: float,
    steps: int,
    frames: int,
    seed: int = 0,
) -> Strip:
    """Cool a batch and translate it at `frames` equally spaced moments and before.

    The last frame is what `cool` with the same arguments gives.

    Args:
        translator: G, (B, *source) -> (B, *target).
        score, x, step_size, temperature, steps, seed: see `cool`.
        frames: how many moments after the start; divides `steps`.

    Raises:
        ValueError: `frames` does not divide `steps`; see also `cool`.
    """
    x, steps, frames = events(x, "x"), whole(steps, "steps"), whole(frames, "frames")
    if steps % frames:
        raise ValueError(f"{frames} frames of {steps} steps; give a divisor of the steps")
    run = cool(
        score,
        x,
        step_size=step_size,
        temperature=temperature,
        steps=steps,
        seed=seed,
        thin=steps // frames,
    )
    assert run.trajectory is not None
    inputs = torch.cat([x[None], run.trajectory])
    with asking("the translator", x):
        outputs = [answer(translator(frame), x, "the translator") for frame in inputs]
    return Strip(inputs, torch.stack(outputs))


def time_to_move(
    score: Score, x: Tensor, distance: float, *, step_size: float, steps: int
) -> float:
    """How long a score takes to move samples by a mean Euclidean distance, at temperature 0.

    The time is the number of steps, not always whole, times the step size. It makes two scores
    of different scale comparable: the cycle score's gamma (L-Cool eq. 11), which no source gives,
    is found as the factor that moves the samples as far as another score does.

    Args:
        score: estimate of grad log p, (B, *event) -> (B, *event).
        x: samples (B, *event).
        distance: mean over the samples of how far each ends from where it began, positive.
        step_size: small enough that the answer does not depend on it.
        steps: at most.

    Raises:
        ValueError: the samples do not get that far, the distance is not positive; see also `cool`.
    """
    if not distance > 0:
        raise ValueError(f"the distance is {distance}; give a positive one")
    z = x = events(x, "x")
    before, after = 0.0, 0.0
    for done in range(steps):
        z = cool(score, z, step_size=step_size, temperature=0, steps=1).x
        before, after = after, float((z - x).flatten(1).norm(dim=1).mean())
        if after >= distance:
            return step_size * (done + (distance - before) / (after - before))
    raise ValueError(
        f"after {steps} steps the samples moved by {after:.3g}, not by {distance:.3g}; allow more "
        f"steps or ask for a smaller distance"
    )
