"""The environment of a run: its versions, and seeded initialisation."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

import torch
from torch import Generator

# What decides the numbers of a run; each is a dependency of the package.
_NAMED = ("domain-translation", "torch", "numpy", "scipy", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a run's numbers."""
    return {"python": platform.python_version(), **{p: metadata.version(p) for p in _NAMED}}


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Run a block under `seed`, then give the global generator of `device` back as it was.

    PyTorch's initialisers and dropout take no generator of their own in all supported versions,
    so the global one is borrowed: of one device only, where `torch.manual_seed` would start the
    streams of all of them anew.

    Args:
        seed: of the block.
        device: where the block draws; None is the CPU, on which networks are initialised.
    """
    generator = _global_generator(device or torch.device("cpu"))
    state = generator.get_state()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(state)


def _global_generator(device: torch.device) -> Generator:
    """The generator of `device` that functions without a `generator` draw from."""
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        return torch.cuda.default_generators[index]
    return torch.default_generator
