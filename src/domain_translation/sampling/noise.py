"""The random numbers of a chain, drawn in blocks.

A block holds the noise of a fixed number of steps, whatever the length of the run: the first
steps of a long run therefore see exactly the numbers of a short one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

# Numbers drawn at once, in all and for a chain: enough to hide the cost of a call, few enough to
# stay in the cache.
_NUMBERS = 1 << 20
_CHAIN_NUMBERS = 1 << 10
_LONGEST = 200


class Noise(NamedTuple):
    """Noise of one step, or of a block of steps when both have a leading axis of steps."""

    normal: Tensor  # (B, *event), N(0, 1)
    log_uniform: Tensor  # (B,), log of U(0, 1); read by Metropolis kernels only


def block_length(numbers_per_step: int, numbers: int) -> int:
    """Steps in a block of about `numbers`: 1 to 200, a multiple of twenty where twenty fit."""
    length = max(1, min(_LONGEST, numbers // numbers_per_step))
    return length if length < 20 else length // 20 * 20


def by_coordinate(x: Tensor) -> bool:
    """Whether a batch is stored coordinate by coordinate: few coordinates, many chains.

    Arithmetic then runs along the chains, which fills vector registers and caches better than
    rows of two or three numbers.
    """
    return x.ndim == 2 and x.shape[1] <= 8


def stored(x: Tensor) -> Tensor:
    """A copy of `x` in the layout the sampler works in."""
    return (
        x.detach().mT.contiguous().mT.clone()
        if by_coordinate(x)
        else x.detach().clone(memory_format=torch.contiguous_format)
    )


def empty_steps(x: Tensor, steps: int) -> Tensor:
    """Room for `steps` batches like `x`, ``(steps, B, *event)``, in the layout of `stored`."""
    if by_coordinate(x):
        return x.new_empty(steps, x.shape[1], x.shape[0]).mT
    return x.new_empty(steps, *x.shape)


def stack_steps(batches: list[Tensor]) -> Tensor:
    """Batches of successive steps as one tensor, in the layout of `empty_steps`."""
    if not by_coordinate(batches[0]):
        return torch.stack(batches)
    columns = torch.stack([column for x in batches for column in x.unbind(-1)])
    return columns.reshape(len(batches), -1, batches[0].shape[0]).mT


def shared_blocks(x: Tensor, generator: torch.Generator, metropolis: bool) -> Iterator[Noise]:
    """Endless blocks for the whole batch from one generator on the device of `x`."""
    length = block_length(x.numel(), _NUMBERS)
    normal = empty_steps(x, length)
    log_uniform = x.new_zeros(length, x.shape[0])
    drawn = normal.mT if by_coordinate(x) else normal
    while True:
        drawn.normal_(generator=generator)
        if metropolis:
            log_uniform.uniform_(generator=generator).log_()
        yield Noise(normal, log_uniform)


def chain_blocks(
    x: Tensor, seeds: Sequence[int], metropolis: bool, steps: int = _LONGEST
) -> Iterator[Noise]:
    """Endless blocks in which chain i's numbers depend on `seeds[i]` and the event shape alone.

    They are drawn on the CPU whatever the device of `x`, so that a chain's noise is also the
    same on every device. The run needs `steps` of them.
    """
    event = x.shape[1:]
    length = block_length(event.numel(), _CHAIN_NUMBERS)
    if not metropolis:
        # A stream's normal numbers are the same in blocks of any length; with uniform ones
        # between them the order would change.
        length = min(steps, max(length, block_length(x.numel(), _NUMBERS)))
    streams = [np.random.Generator(np.random.SFC64(seed)) for seed in seeds]
    kind = np.float64 if x.dtype == torch.float64 else np.float32
    normal = np.empty((x.shape[0], length, *event), kind)
    uniform = np.zeros((x.shape[0], length), kind)
    room, log_uniform = empty_steps(x, length), x.new_zeros(length, x.shape[0])
    while True:
        for i, stream in enumerate(streams):
            stream.standard_normal(dtype=kind, out=normal[i])
            if metropolis:
                stream.random(dtype=kind, out=uniform[i])
        room.copy_(torch.from_numpy(normal).transpose(0, 1))
        if metropolis:
            log_uniform.copy_(torch.from_numpy(uniform).T).log_()
        yield Noise(room, log_uniform)
