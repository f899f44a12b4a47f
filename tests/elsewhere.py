"""Runs on the pretended device beside the same runs on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

pretend = pytest.importorskip("pretend", exc_type=ImportError)  # older releases lack its hooks

To = Callable[[Tensor], Tensor]  # brings a tensor to the device of a run


def here(x: Tensor) -> Tensor:
    return x


def there(x: Tensor) -> Tensor:
    return x.to(pretend.NAME)


def place(to: To) -> torch.device:
    return to(torch.zeros(1)).device


def assert_same_bits(found: Any, wanted: Any) -> None:
    """Tensors and numbers, however nested; the found ones may be on the device."""
    found, wanted = (tree_leaves(x, is_leaf=lambda x: x is None) for x in (found, wanted))
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        if isinstance(b, Tensor):
            a = a.held if isinstance(a, pretend.There) else a
            torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True)
        else:
            assert a == b


class Run(NamedTuple):
    """Something of any length; what each step of the longer run may wait for and upload."""

    call: Callable[[int, To], Any]
    lengths: tuple[int, int] = (50, 250)
    waits: float = 0.02
    uploads: float = 0.03
    float64: bool = False  # whether it needs double precision on the device


def assert_stays_there(run: Run) -> None:
    """A run has the bits of the CPU, and its steps neither wait for the device nor upload to it."""
    call, (short, long), waits, uploads, float64 = run
    with pretend.accelerator(float64=float64) as few:
        found = call(short, there)
    with pretend.accelerator(float64=float64) as many:
        call(long, there)
    assert_same_bits(found, call(short, here))
    more = many - few
    assert more.waits.total() / (long - short) <= waits, more
    assert more.uploads.total() / (long - short) <= uploads, more
