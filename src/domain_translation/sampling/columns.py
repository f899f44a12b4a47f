"""Batches stored coordinate by coordinate, and the arithmetic of the kernels on them.

A batch ``(B, d)`` with small d is slow to work on row by row. A compiler does better with d
arrays ``(B,)``, its columns. The kernels are written with the four functions below, which take
a batch either way.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

Batch = Any  # a Tensor (B, *event), or a tuple of d columns (B,); results are of the same kind


def along(x: Batch, length: Tensor | float, direction: Batch) -> Batch:
    """``x + length * direction``, `length` a number or event-shaped."""
    if isinstance(x, tuple):
        lengths = _per_column(length, len(x))
        return tuple(a + b * c for a, b, c in zip(x, lengths, direction, strict=True))
    if isinstance(length, Tensor):
        return torch.addcmul(x, length, direction)
    return torch.add(x, direction, alpha=length)


def scaled(x: Batch, factor: Tensor) -> Batch:
    """``factor * x``, `factor` a number or event-shaped."""
    if isinstance(x, tuple):
        return tuple(a * b for a, b in zip(x, _per_column(factor, len(x)), strict=True))
    return x * factor


def dot(a: Batch, b: Batch) -> Tensor:
    """Inner product over the event, ``(B,)``."""
    if isinstance(a, tuple):
        return sum(p * q for p, q in zip(a, b, strict=True))
    product: Tensor = a * b
    return product.flatten(1).sum(1) if product.ndim > 1 else product


def choose(which: Tensor, yes: Batch, no: Batch) -> Batch:
    """For each chain `yes` where `which` ``(B,)`` holds, else `no`."""
    if isinstance(yes, tuple):
        return tuple(torch.where(which, a, b) for a, b in zip(yes, no, strict=True))
    return torch.where(which.reshape(-1, *(1,) * (yes.ndim - 1)), yes, no)


def _per_column(number: Tensor | float, count: int) -> tuple[Tensor | float, ...]:
    if isinstance(number, Tensor) and number.ndim == 1:
        return number.unbind()
    return (number,) * count
