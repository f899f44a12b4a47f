"""Step sizes and temperatures along a chain, and the parametrisations of the sources.

The book has one noise knob, the temperature T = 1/beta. One Langevin step is

    x' = x + alpha score(x) + delta nu,   nu ~ N(0, I),   delta^2 = 2 alpha T

(lcool.eq1, lcool.thm1): for small alpha its stationary density is p^(1/T). The functions below
turn what a paper or a program states (a step and a noise) into (alpha, T) and back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Schedule = float | Callable[[int], float] | Tensor


class Parameters(NamedTuple):
    """What a Langevin step is made of in this book's notation."""

    step_size: Schedule  # alpha
    temperature: Schedule  # T = 1 / beta


def _at_least(name: str, value: float, least: float, *, open_end: bool = False) -> float:
    if not math.isfinite(value) or value < least or (open_end and value == least):
        relation = "greater than" if open_end else "at least"
        raise ValueError(f"{name} was {value}; it must be a finite number {relation} {least:g}")
    return float(value)


def values(name: str, schedule: Schedule, first: int, count: int, *, positive: bool) -> Tensor:
    """The schedule at steps `first` .. `first + count - 1`, float64 ``(count,)`` on the CPU.

    Steps count from 0. Raises ValueError when a value is not finite, is negative, or is zero
    where `positive` asks for more, and when a tensor of values is shorter than the chain.
    """
    if isinstance(schedule, Tensor) and schedule.ndim > 0:
        if schedule.ndim != 1 or len(schedule) < first + count:
            raise ValueError(
                f"{name} was a tensor of shape {tuple(schedule.shape)}, but the chain has at "
                f"least {first + count} steps; pass one value per step"
            )
        numbers = schedule[first : first + count].detach().cpu().double()
    elif callable(schedule):
        numbers = torch.tensor([float(schedule(first + i)) for i in range(count)]).double()
    else:
        numbers = torch.full((count,), float(schedule), dtype=torch.float64)
    wrong = ~numbers.isfinite() | (numbers <= 0 if positive else numbers < 0)
    if bool(wrong.any()):
        value = numbers[wrong][0].item()
        kind = "greater than 0" if positive else "0 or greater"
        raise ValueError(f"{name} was {value:g}; it must be a finite number {kind}")
    return numbers


def linear(start: float, end: float, steps: int) -> Tensor:
    """`steps` values from `start` (step 0) to `end` (the last step), evenly spaced."""
    if steps < 1:
        raise ValueError(f"steps was {steps}; a schedule has at least one step")
    return torch.linspace(start, end, steps, dtype=torch.float64)


def hyperbolic_variance(steps: int, top: float = 0.02) -> Tensor:
    """CF-EBM A.2: noise variance eta_t = top - top / (T - t + 1) at t = 1 .. T = `steps`.

    The text says that the noise decays linearly to 0; it is a hyperbola that stays near `top`,
    is top / 2 one step before the end and 0 at the last step.
    """
    if steps < 1:
        raise ValueError(f"steps was {steps}; a schedule has at least one step")
    t = torch.arange(1, steps + 1, dtype=torch.float64)
    return top - top / (steps - t + 1)


def temperature_from_noise(step_size: float, noise_std: float) -> float:
    """T = delta^2 / (2 alpha) of L-Cool's (alpha, delta) (lcool.thm1); alpha > 0, delta >= 0."""
    _at_least("step_size", step_size, 0, open_end=True)
    return _at_least("noise_std", noise_std, 0) ** 2 / (2 * step_size)


def noise_std(step_size: float, temperature: float) -> float:
    """delta = sqrt(2 alpha T), the standard deviation of the noise of one step."""
    _at_least("step_size", step_size, 0, open_end=True)
    return math.sqrt(2 * step_size * _at_least("temperature", temperature, 0))


def step_size_from_noise(noise_std: float, temperature: float) -> float:
    """alpha = delta^2 / (2 T): the step at which noise `noise_std` has temperature T > 0."""
    _at_least("temperature", temperature, 0, open_end=True)
    return _at_least("noise_std", noise_std, 0, open_end=True) ** 2 / (2 * temperature)


def from_lcool(step_size: float, noise_std: float) -> Parameters:
    """L-Cool eq. 1: x' = x + alpha score(x) + N(0, delta^2): T = delta^2 / (2 alpha)."""
    return Parameters(step_size, temperature_from_noise(step_size, noise_std))


def from_cfebm_eq3(eta: float) -> Parameters:
    """CF-EBM eq. 3: x' = x - (eta/2) grad E(x) + N(0, eta): alpha = eta / 2 and T = 1."""
    return Parameters(_at_least("eta", eta, 0, open_end=True) / 2, 1.0)


def from_cfebm_appendix(drift: float, steps: int, top: float = 0.02) -> Parameters:
    """CF-EBM A.2: x' = x - drift grad E(x) + N(0, eta_t): alpha = drift, T_t = eta_t / (2 drift).

    With the paper's `drift` of 1.0 and `top` of 0.02 this is T <= 0.01: nearly descent.
    """
    _at_least("drift", drift, 0, open_end=True)
    return Parameters(drift, hyperbolic_variance(steps, top) / (2 * drift))


def from_sgld(step_size: float, noise_std: float) -> Parameters:
    """Programs that write x' = x - (step/2) grad E(x) + noise_std N(0, I): T = noise^2 / step."""
    half = _at_least("step_size", step_size, 0, open_end=True) / 2
    return Parameters(half, temperature_from_noise(half, noise_std))
