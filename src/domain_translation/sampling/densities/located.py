"""Constants of a density, kept once per dtype and device of the points they meet."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor


class Located:
    """Base of the densities: their constants follow the points' dtype and device.

    `constants` are float64 tensors on the CPU; `at(x)` returns them cast and moved to where
    `x` is, and remembers the result, since a sampler asks at every step.
    """

    def __init__(self, dim: int, *constants: Tensor) -> None:
        self.dim = dim
        self._constants = tuple(c.detach().double().cpu() for c in constants)
        self._located: dict[tuple[torch.dtype, torch.device], tuple[Tensor, ...]] = {}

    def at(self, x: Tensor) -> tuple[Tensor, ...]:
        """The constants in the dtype and on the device of `x`, a batch of points ``(B, dim)``."""
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(
                f"{type(self).__name__} of dimension {self.dim} was given points of shape "
                f"{tuple(x.shape)}; pass a batch of shape (B, {self.dim})"
            )
        key = (x.dtype, x.device)
        if key not in self._located:
            self._located[key] = tuple(c.to(x) for c in self._constants)
        return self._located[key]


class Smooth(Located, ABC):
    """Base of the densities with a score: all follows from `energy_and_score`."""

    @abstractmethod
    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Energy ``(B,)`` and score ``(B, d)`` of points ``(B, d)`` in one pass."""

    def score(self, x: Tensor) -> Tensor:
        """Gradient of the log-density, ``(B, d)``."""
        return self.energy_and_score(x)[1]

    def energy(self, x: Tensor) -> Tensor:
        """Minus the log-density, ``(B,)``."""
        return self.energy_and_score(x)[0]

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-density, ``(B,)``."""
        return -self.energy(x)


def positive(name: str, value: Tensor) -> Tensor:
    """`value` if all its entries are finite and positive; ValueError otherwise."""
    if not bool((value.isfinite() & (value > 0)).all()):
        raise ValueError(f"{name} was {value.tolist()}; it must be finite and greater than 0")
    return value


def normal(shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Standard normal float64 draws on the CPU, from `generator` where one is given."""
    return torch.randn(shape, generator=generator, dtype=torch.float64)
