"""The environment of a run: its versions, and seeded initialisation."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata

import torch
from torch import Tensor

# What decides the numbers of a run; each is a dependency of the package.
_NAMED = ("domain-translation", "torch", "numpy", "scipy", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a run's numbers."""
    return {"python": platform.python_version(), **{p: metadata.version(p) for p in _NAMED}}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Run a block (the initialisation of a network) under `seed`, then restore the CPU's state.

    PyTorch's initialisers take no generator of their own in all supported versions, so the
    global one is borrowed and given back.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def in_bfloat16(network: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """`network` evaluated in bfloat16 where that is safe (autocast), its result in float32.

    About twice as fast on processors that know the format; the last of three decimal digits
    goes.
    """

    def lowered(x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16):
            return network(x).float()

    return lowered
