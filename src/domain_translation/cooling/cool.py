"""Langevin cooling and cool-then-translate (L-Cool section 2.3, lcool.alg.lcool; improveit.alg)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.sampling.inputs import answer, asking, floats, whole
from domain_translation.sampling.langevin import Chain, DivergenceError, sample, ula

Score = Callable[[Tensor], Tensor]
Translator = Callable[[Tensor], Tensor]


class Cooled(NamedTuple):
    """Cooled samples.

    Attributes:
        x: samples after cooling (B, *event); those outside the mask are unchanged.
        trajectory: every `thin`-th state (T, B, *event), or None when not asked for.
    """

    x: Tensor
    trajectory: Tensor | None


class Translated(NamedTuple):
    """Result of cool-then-translate: the cooled samples and their translations."""

    cooled: Tensor
    translated: Tensor


def cool(
    score: Score,
    x: Tensor,
    *,
    step_size: float,
    temperature: float,
    steps: int,
    seed: int = 0,
    ids: Sequence[int] | None = None,
    mask: Tensor | None = None,
    thin: int | None = None,
    batch: int | None = None,
) -> Cooled:
    """Run `steps` of L-Cool eq. 1 below temperature 1 on a batch.

    Each sample has its own stream of noise, made from `seed` and its id, so that a cooled
    sample does not depend on which others are in the batch.

    Args:
        score: estimate of grad log p of the source domain, (B, *event) -> (B, *event).
        x: samples to cool (B, *event).
        step_size: alpha of eq. 1.
        temperature: 1/beta = delta^2 / (2 alpha), in [0, 1); L-Cool eq. 5 asks for less than 1.
        steps: N.
        seed: of the noise, 0 or larger.
        ids: one number >= 0 per sample; by default its place in the batch.
        mask: boolean (B,), e.g. `fringe_mask(...)`; only these samples are cooled.
        thin: keep every `thin`-th state.
        batch: cool at most this many samples at a time, which bounds the memory of the score and
            of the noise; by default all. The bits stay those of one batch as long as no part
            holds a single sample, for which PyTorch may choose another convolution.

    Raises:
        ValueError: temperature outside [0, 1), empty batch, a mask or ids of another length,
            batch < 1, and what `langevin.sample` refuses (step size, NaN, a score of the wrong
            shape).
        DivergenceError: a state became NaN or infinite.
    """
    if not 0 <= temperature < 1:
        raise ValueError(
            f"cooling at temperature {temperature}: give 0 <= temperature < 1 (L-Cool eq. 5); "
            f"at 1 or above the chain samples or heats, use langevin.sample for that"
        )
    x, steps = floats(x, "x", "(B, *event)"), whole(steps, "steps")
    if len(x) == 0:
        raise ValueError("cooling an empty batch: give at least one sample")
    mask = torch.ones(len(x), dtype=torch.bool, device=x.device) if mask is None else mask
    if mask.shape != (len(x),) or mask.dtype != torch.bool:
        raise ValueError(
            f"mask is {mask.dtype} of shape {tuple(mask.shape)}; give a boolean ({len(x)},)"
        )
    if batch is not None and batch < 1:
        raise ValueError(f"batch is {batch}; cool at least one sample at a time")
    ids = sample_ids(x, ids)
    fringe = mask.nonzero().flatten()
    if len(fringe) == 0:
        frames = 0 if thin is None else steps // thin
        return Cooled(x.clone(), x.expand(frames, *x.shape).clone() if thin else None)
    kernel = ula(score, step_size, temperature)

    def cooled(rows: Tensor) -> Chain:
        places = rows.tolist()
        seeds = [chain_seed(seed, ids[i]) for i in places]
        try:
            return sample(kernel, x[rows], steps, chain_seeds=seeds, thin=thin)
        except DivergenceError as error:  # it counts chains in the part
            chains = [places[i] for i in error.chains]
            raise DivergenceError(error.step, chains, error.norms) from error

    # Parts of equal size, as far as that goes: no sample is left over alone.
    parts = torch.tensor_split(fringe, math.ceil(len(fringe) / (batch or len(fringe))))
    chains = [cooled(rows) for rows in parts]
    out = x.index_copy(0, fringe, torch.cat([chain.x for chain in chains]))
    if thin is None:
        return Cooled(out, None)
    path = torch.cat([chain.trajectory for chain in chains if chain.trajectory is not None], 1)
    return Cooled(out, x.expand(len(path), *x.shape).index_copy(1, fringe, path))


def cool_then_translate(
    translator: Translator,
    score: Score,
    x: Tensor,
    *,
    step_size: float,
    temperature: float,
    steps: int,
    seed: int = 0,
    ids: Sequence[int] | None = None,
    mask: Tensor | None = None,
) -> Translated:
    """Cool the (fringe) samples of a batch, then translate the whole batch.

    Args:
        translator: G, (B, *source) -> (B, *target).
        score, x, step_size, temperature, steps, seed, ids, mask: see `cool`.

    Raises:
        ValueError: the translator returns another number of samples; see also `cool`.
        DivergenceError: see `cool`.
    """
    cooled = cool(
        score,
        x,
        step_size=step_size,
        temperature=temperature,
        steps=steps,
        seed=seed,
        ids=ids,
        mask=mask,
    ).x
    with asking("the translator", cooled):
        translated = answer(translator(cooled), cooled, "the translator")
    return Translated(cooled, translated)


def sample_ids(x: Tensor, ids: Sequence[int] | None) -> Sequence[int]:
    """The numbers of the samples: `ids`, or their places in the batch.

    Raises:
        ValueError: ids of another length.
    """
    ids = range(len(x)) if ids is None else ids
    if len(ids) != len(x):
        raise ValueError(f"{len(ids)} ids for {len(x)} samples; give one id per sample")
    return ids


def chain_seed(seed: int, sample_id: int) -> int:
    """A stream of its own for each (seed, id): Szudzik's pairing, one to one below 2**63."""
    a, b = (seed, sample_id)
    if a < 0 or b < 0 or math.isqrt(2**63 - 1) <= max(a, b):
        raise ValueError(
            f"seed {a} and id {b}: give integers from 0 to {math.isqrt(2**63 - 1) - 1}"
        )
    return a * a + a + b if a >= b else b * b + a
