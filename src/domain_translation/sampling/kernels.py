"""One step of a chain: the unadjusted Langevin step and the Metropolis-adjusted one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from domain_translation.sampling.columns import along, choose, dot, scaled
from domain_translation.sampling.noise import Noise
from domain_translation.sampling.schedules import Schedule, values
from domain_translation.sampling.scores import EnergyAndScore, Score


class State(NamedTuple):
    """Where a batch of chains is. Energy and score are cached by Metropolis kernels only."""

    x: Tensor  # (B, *event)
    energy: Tensor | None = None  # (B,)
    score: Tensor | None = None  # (B, *event)


class Info(NamedTuple):
    """What happened in one step, per chain; None for kernels without a Metropolis test."""

    accepted: Tensor | None = None  # (B,) bool
    log_ratio: Tensor | None = None  # (B,) log of the Metropolis-Hastings ratio
    energy: Tensor | None = None  # (B,) energy of the new state


class Coefficients(NamedTuple):
    """The numbers of one step, or of a block of steps when all have a leading axis of steps.

    They are floats, which take no way to the device of the chains, unless a preconditioner gives
    drift, spread and pull the event's shape, or fused steps ask for tensors.
    """

    drift: Any  # alpha P
    spread: Any  # sqrt(2 alpha T P), standard deviation of the noise
    beta: Any  # 1 / T of the target; without a Metropolis test, sigma or unread
    pull: Any  # drift / spread; unread without a Metropolis test

    @property
    def sigma(self) -> Any:
        """Noise level that the score is asked at, in the place of a beta that nobody reads."""
        return self.beta


Move = Callable[[Any, State, Noise, Coefficients], tuple[State, Info]]


def unadjusted(score: Score, state: State, noise: Noise, at: Coefficients) -> tuple[State, Info]:
    """x' = x + alpha P score(x) + sqrt(2 alpha T P) nu (lcool.eq1)."""
    x = along(state.x, at.drift, score(state.x))
    return State(along(x, at.spread, noise.normal)), Info()


def annealed(
    score: Callable[[Tensor, Any], Tensor], state: State, noise: Noise, at: Coefficients
) -> tuple[State, Info]:
    """The same step by a score that knows many noise levels, at the level of this step."""
    return unadjusted(lambda x: score(x, at.sigma), state, noise, at)


def metropolis(
    energy_and_score: EnergyAndScore, state: State, noise: Noise, at: Coefficients
) -> tuple[State, Info]:
    """The same step as a proposal y, accepted with probability min(1, r).

        log r = (E(x) - E(y)) / T + log q(x | y) - log q(y | x)

    With y = x + drift s(x) + spread nu, the way back needs the noise -(nu + pull (s(x) + s(y))),
    pull = drift / spread, so that the two log q differ by pull (s(x) + s(y)) . (nu + half of it).
    """
    x, energy, score = state
    assert energy is not None
    assert score is not None
    y = along(along(x, at.drift, score), at.spread, noise.normal)
    energy_y, score_y = energy_and_score(y)
    back = scaled(along(score, 1.0, score_y), at.pull)
    proposal_ratio = dot(back, along(noise.normal, 0.5, back))
    log_ratio = (energy - energy_y) * at.beta - proposal_ratio
    # A proposal whose energy is NaN is taken, not hidden: the loop finds it and raises.
    accepted = (noise.log_uniform < log_ratio) | energy_y.isnan()
    energy = torch.where(accepted, energy_y, energy)
    state = State(choose(accepted, y, x), energy, choose(accepted, score_y, score))
    return state, Info(accepted, log_ratio, energy)


@dataclass(frozen=True, eq=False)
class Kernel:
    """A transition of a batch of chains; made by `ula` or `mala`.

    ``kernel(state, noise, step)`` returns the next state and what happened; ``kernel.start(x)``
    makes the first state.
    """

    move: Move
    target: Callable[..., Any]  # a score, or an energy and score if `adjusted`
    step_size: Schedule
    temperature: Schedule
    proposal_temperature: Schedule
    scale: Tensor | None  # float64 on the CPU
    adjusted: bool
    sigma: Schedule | None = None
    absorbing: bool = False  # whether a chain that stays where it is stays there for ever

    @property
    def constant(self) -> bool:
        """Whether every step has the same coefficients."""
        schedules = (self.step_size, self.temperature, self.proposal_temperature, self.sigma)
        return not any(callable(s) or isinstance(s, Tensor) for s in schedules)

    def start(self, x: Tensor) -> State:
        """The state at `x`: for Metropolis kernels with its energy and score."""
        if not self.adjusted:
            return State(x)
        energy, score = self.target(x)
        return State(x, energy, score)

    def score(self, x: Tensor) -> Tensor:
        """The score that an unadjusted kernel's first step would take at `x`."""
        sigma = () if self.sigma is None else (self.coefficients(0, 1, x).sigma[0],)
        found: Tensor = self.target(x, *sigma)
        return found

    def __call__(self, state: State, noise: Noise, step: int = 0) -> tuple[State, Info]:
        """One step, `step` being its number in the schedules (from 0)."""
        at = self.coefficients(step, 1, state.x)
        return self.move(self.target, state, noise, Coefficients(*(c[0] for c in at)))

    def coefficients(
        self, first: int, count: int, x: Tensor, *, tensors: bool = False
    ) -> Coefficients:
        """The coefficients of steps `first` .. `first + count - 1`: lists of `count` floats.

        With `tensors`, and where they have the event's shape, they are stacked and placed like
        `x`. Floats and tensors lead to the same bits.

        Raises ValueError when a schedule gives a step size or sigma <= 0, a temperature < 0 (<= 0
        for Metropolis kernels) or a value that is not finite.
        """
        alpha = values("step_size", self.step_size, first, count, positive=True)
        temperature = values("temperature", self.temperature, first, count, positive=self.adjusted)
        proposal = values(
            "proposal_temperature",
            self.proposal_temperature,
            first,
            count,
            positive=self.adjusted,
        )
        drift, spread = alpha, (2 * alpha * proposal).sqrt()
        if self.scale is not None:
            scale = self.scale
            drift, spread = _outer(drift, scale**2), _outer(spread, scale)
        beta = pull = torch.zeros(count)
        if self.adjusted:
            beta, pull = 1 / temperature, drift / spread
        elif self.sigma is not None:
            beta = values("sigma", self.sigma, first, count, positive=True)
        numbers = (drift, spread, beta, pull)
        return Coefficients(*(c.to(x) if tensors or c.ndim > 1 else c.tolist() for c in numbers))


def _outer(steps: Tensor, event: Tensor) -> Tensor:
    return steps.reshape(-1, *(1,) * event.ndim) * event


def _checked(schedule: Schedule, name: str, *, positive: bool) -> Schedule:
    """Numbers, lists and tensors are checked at once, functions of the step when called."""
    if isinstance(schedule, list | tuple | np.ndarray):
        schedule = torch.as_tensor(schedule, dtype=torch.float64)
    if isinstance(schedule, Tensor) and schedule.ndim == 1:
        return values(name, schedule, 0, len(schedule), positive=positive)
    if callable(schedule):
        return schedule
    return float(values(name, schedule, 0, 1, positive=positive))


def _checked_scale(scale: Tensor | None) -> Tensor | None:
    if scale is None:
        return None
    scale = scale.detach().cpu().double()
    if not bool((scale.isfinite() & (scale > 0)).all()):
        raise ValueError("scale holds entries that are not finite and greater than 0")
    return scale


def ula(
    score: Callable[..., Tensor],
    step_size: Schedule,
    temperature: Schedule = 1.0,
    *,
    scale: Tensor | None = None,
    sigma: Schedule | None = None,
) -> Kernel:
    """Unadjusted Langevin (lcool.eq1; "MALA-approx" in the sources).

        x' = x + alpha P score(x) + sqrt(2 alpha T) P^(1/2) nu

    Its stationary density is p^(1/T) up to a bias of order alpha: for N(0, s^2) the variance is
    (s^2 T) / (1 - alpha / (2 s^2)), and it diverges for alpha >= 2 s^2. Temperature 0 is plain
    gradient ascent on log p.

    Args:
        score: ``(B, *event) -> (B, *event)``.
        step_size: alpha > 0: a number, a function of the step (from 0), or one value per step.
        temperature: T = 1/beta >= 0, likewise.
        scale: standard deviations by coordinate, event-shaped, positive; P = scale^2.
        sigma: noise level > 0 of each step, likewise, for a score that is called as
            ``score(x, sigma)``: with decreasing levels this is annealed Langevin sampling.

    Raises:
        ValueError: a step size, temperature, scale or sigma outside these ranges.
    """
    step_size = _checked(step_size, "step_size", positive=True)
    temperature = _checked(temperature, "temperature", positive=False)
    scale = _checked_scale(scale)
    if sigma is not None:
        sigma = _checked(sigma, "sigma", positive=True)
    move = unadjusted if sigma is None else annealed
    return Kernel(move, score, step_size, temperature, temperature, scale, False, sigma)


def mala(
    energy_and_score: EnergyAndScore,
    step_size: Schedule,
    temperature: Schedule = 1.0,
    *,
    proposal_temperature: Schedule | None = None,
    scale: Tensor | None = None,
) -> Kernel:
    """Metropolis-adjusted Langevin: the step of `ula` as a proposal, exact for p^(1/T).

    One evaluation of the target per step: energy and score of the current point are kept.

    Args:
        energy_and_score: ``(B, *event) -> ((B,), (B, *event))``: a density's method, or
            `scores.energy_and_score(energy)`.
        step_size: alpha > 0: a number, a function of the step (from 0), or one value per step.
        temperature: T > 0 of the density sampled, likewise.
        proposal_temperature: T > 0 of the proposal's noise; `temperature` when left out. A
            colder proposal changes how fast the chain moves, not where it settles.
        scale: standard deviations by coordinate, event-shaped, positive; P = scale^2.

    Raises:
        ValueError: a step size, temperature or scale outside these ranges.
    """
    proposal = temperature if proposal_temperature is None else proposal_temperature
    step_size = _checked(step_size, "step_size", positive=True)
    temperature = _checked(temperature, "temperature", positive=True)
    proposal = _checked(proposal, "proposal_temperature", positive=True)
    scale = _checked_scale(scale)
    return Kernel(
        metropolis, energy_and_score, step_size, temperature, proposal, scale, adjusted=True
    )
