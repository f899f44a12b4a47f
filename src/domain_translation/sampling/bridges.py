"""Bridges for annealed importance sampling: bases, schedules and the kernel that crosses them.

A base is a density with a known normaliser and an exact sampler on events of any shape. Chains
on a box run in unfolded coordinates: the box is mirrored at its walls until it fills all space,
the energy with it, and a Langevin step needs no walls. Folded back, such a chain is a chain
reflected at the walls, and reversible with respect to the density on the box.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor

from domain_translation.sampling.kernels import Coefficients, Info, Kernel, State, metropolis
from domain_translation.sampling.noise import Noise
from domain_translation.sampling.schedules import Schedule
from domain_translation.sampling.scores import Energy, energy_and_score


class Base(Protocol):
    """Where a bridge begins. Points of the chains are unfolded coordinates ``(B, *event)``."""

    @property
    def event(self) -> tuple[int, ...]:
        """Shape of one point."""

    @property
    def widest(self) -> float:
        """Largest step size worth taking: its noise crosses the base."""

    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """-log p_0 ``(B,)``, with its constants, and the score ``(B, *event)``."""

    def fold(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The point of the support at unfolded `x`, and the derivative +1 or -1 of each entry."""

    def contains(self, x: Tensor) -> Tensor:
        """Which points lie in the support, ``(B,)``."""

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """Exact draws ``(n, *event)``, float32."""


@dataclass(frozen=True)
class Normal:
    """N(mean, std^2) in every coordinate, independently.

    Raises ValueError for a `std` that is not finite and positive or an empty event.
    """

    event: tuple[int, ...]
    std: float = 1.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        _check_event(self.event)
        if not (self.std > 0 and math.isfinite(self.std) and math.isfinite(self.mean)):
            raise ValueError(
                f"the base had mean {self.mean} and std {self.std}; give finite numbers, std > 0"
            )

    @property
    def widest(self) -> float:
        """The variance: a Langevin step of this size forgets where it was."""
        return self.std**2

    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """-log p_0 ``(B,)`` and score ``(B, *event)``."""
        off = (x - self.mean) / self.std
        constant = math.prod(self.event) * (math.log(self.std) + 0.5 * math.log(2 * math.pi))
        return 0.5 * off.square().flatten(1).sum(1) + constant, -off / self.std

    def fold(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The support is all space: nothing to fold."""
        return x, x.new_ones(())

    def contains(self, x: Tensor) -> Tensor:
        """Whether each point is finite, ``(B,)``."""
        return x.isfinite().flatten(1).all(1)

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """Exact draws ``(n, *event)``, float32."""
        return self.mean + self.std * torch.randn(n, *self.event, generator=generator)


@dataclass(frozen=True)
class Uniform:
    """The uniform density on the box [low, high]^event, mirrored at its walls outside it.

    Raises ValueError for an empty box or event.
    """

    event: tuple[int, ...]
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        _check_event(self.event)
        width = self.high - self.low
        if not (width > 0 and math.isfinite(width)):
            raise ValueError(f"the box was [{self.low}, {self.high}]; give finite low < high")

    @property
    def widest(self) -> float:
        """Half the squared width: noise of one width, after which a point is anywhere."""
        return 0.5 * (self.high - self.low) ** 2

    @property
    def log_volume(self) -> float:
        """Log of the box's volume."""
        return math.prod(self.event) * math.log(self.high - self.low)

    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The log-volume ``(B,)`` and the score 0 ``(B, *event)``."""
        return x.new_full((len(x),), self.log_volume), torch.zeros_like(x)

    def fold(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The mirror image in the box, and -1 where a coordinate was mirrored an odd time."""
        width = self.high - self.low
        place = torch.remainder(x - self.low, 2 * width)
        mirrored = place > width
        inside = self.low + torch.where(mirrored, 2 * width - place, place)
        # Rounding may leave the box by the last bit.
        return inside.clamp(self.low, self.high), 1.0 - 2.0 * mirrored.to(x)

    def contains(self, x: Tensor) -> Tensor:
        """Whether each point lies in the box, walls included, ``(B,)``."""
        return ((x >= self.low) & (x <= self.high)).flatten(1).all(1)

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """Exact draws ``(n, *event)``, float32."""
        return self.low + (self.high - self.low) * torch.rand(n, *self.event, generator=generator)


def _check_event(event: tuple[int, ...]) -> None:
    if not event or min(event) < 1:
        raise ValueError(f"the event was {event}; give the shape of one point, e.g. (1, 8, 8)")


def crossing(energy: Energy, base: Base, betas: Schedule, step_sizes: Schedule) -> Kernel:
    """A Metropolis-adjusted Langevin kernel whose target moves along the bridge.

    Step t leaves the density at l = betas[t], proportional to
    p_0^(1 - l) exp(-l E), invariant. Energies that it reports are those of E alone.

    Args:
        energy: ``(B, *event) -> (B,)`` on the base's support.
        base: see `Base`.
        betas: l > 0, one number or one per step.
        step_sizes: alpha > 0, likewise.
    """
    temperature = 1 / betas if isinstance(betas, (float, Tensor)) else betas
    target = _Unfolded(energy, base)
    return Kernel(_cross, target, step_sizes, temperature, 1.0, None, adjusted=True)


class _Unfolded:
    """E and -dE/dx in unfolded coordinates."""

    def __init__(self, energy: Energy, base: Base) -> None:
        self.base, self._both = base, energy_and_score(energy)

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        inside, sign = self.base.fold(x)
        energy, score = self._both(inside)
        return energy, score * sign


def _cross(target: _Unfolded, state: State, noise: Noise, at: Coefficients) -> tuple[State, Info]:
    """A Metropolis step for (1 - l) E_0 + l E, with E and its score kept apart from E_0.

    The parts are kept because l changes from step to step: their mixture at the old point is
    then had without evaluating E again.
    """
    assert state.energy is not None
    assert state.score is not None
    seen: list[tuple[Tensor, Tensor]] = []

    def mixed(x: Tensor, energy: Tensor, score: Tensor) -> tuple[Tensor, Tensor]:
        at_base, base_score = target.base.energy_and_score(x)
        return torch.lerp(at_base, energy, at.beta), torch.lerp(base_score, score, at.beta)

    def proposed(y: Tensor) -> tuple[Tensor, Tensor]:
        seen.append(target(y))
        return mixed(y, *seen[0])

    here = State(state.x, *mixed(*state))  # type: ignore[arg-type]
    there, info = metropolis(proposed, here, noise, at._replace(beta=1.0))
    assert info.accepted is not None
    wide = info.accepted.reshape(-1, *(1,) * (state.x.ndim - 1))
    energy = torch.where(info.accepted, seen[0][0], state.energy)
    score = torch.where(wide, seen[0][1], state.score)
    return State(there.x, energy, score), Info(info.accepted, info.log_ratio, energy)


def sigmoid(steps: int, sharpness: float = 4.0) -> Tensor:
    """Inverse temperatures along a logistic curve: close together at both ends.

    Args:
        steps: K, at least 1; K + 1 numbers are returned.
        sharpness: the curve runs from -sharpness to sharpness; positive, 0 would be even steps.
    """
    _check_steps(steps)
    if not (sharpness > 0 and math.isfinite(sharpness)):
        raise ValueError(f"sharpness was {sharpness}; it must be finite and greater than 0")
    raw = torch.sigmoid(torch.linspace(-sharpness, sharpness, steps + 1, dtype=torch.float64))
    return _from_0_to_1((raw - raw[0]) / (raw[-1] - raw[0]))


def geometric(steps: int, first: float = 1e-3) -> Tensor:
    """0, then inverse temperatures from `first` to 1 with a constant ratio.

    For targets much sharper than the base: every factor of the temperature gets equally many.

    Args:
        steps: K, at least 1; K + 1 numbers are returned.
        first: between 0 and 1.
    """
    _check_steps(steps)
    if not 0 < first < 1:
        raise ValueError(f"first was {first}; it must lie between 0 and 1")
    powers = torch.linspace(math.log(first), 0.0, steps, dtype=torch.float64).exp()
    rest = powers if steps > 1 else torch.ones(1, dtype=torch.float64)
    return _from_0_to_1(torch.cat([torch.zeros(1, dtype=torch.float64), rest]))


def _from_0_to_1(betas: Tensor) -> Tensor:
    betas[0], betas[-1] = 0.0, 1.0  # free of rounding
    return betas


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise ValueError(f"steps was {steps}; a bridge has at least 1 step")
