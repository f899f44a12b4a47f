"""Cooling a Gaussian picture is a filter, known in closed form.

In a direction in which the smoothed density has the variance v, small steps make an
Ornstein-Uhlenbeck process: the distance from the mean shrinks by exp(-t / v) in the cooling time
t = alpha N, and noise of variance T v enters.
"""

from __future__ import annotations

import math

from torch import Tensor


def kept(time: float | Tensor, variance: Tensor, step: float | None = None) -> Tensor:
    """The factor that is left of a deviation from the mean.

    Args:
        time: of cooling, alpha N; several only without `step`.
        variance: of the smoothed density in each direction.
        step: alpha of a chain of finite steps, whose number is time / step; None for their limit.
    """
    if step is None:
        return (-time / variance).exp()
    return (1 - step / variance) ** round(float(time / step))


def risk(
    time: float | Tensor,
    variance: Tensor,
    sigma: float,
    damage: float,
    temperature: float,
    step: float | None = None,
) -> Tensor:
    """Mean squared error of a cooled picture, direction by direction.

    Args:
        time: of cooling, alpha N.
        variance: of undamaged pictures in each direction.
        sigma: of the noise that the density is smoothed by.
        damage: standard deviation of the noise on the picture.
        temperature: T.
        step: see `kept`.
    """
    v = variance + sigma**2
    a = kept(time, v, step)
    settled = temperature * v / (1 if step is None else 1 - step / (2 * v))
    return (1 - a) ** 2 * variance + a**2 * damage**2 + settled * (1 - a**2)


def best_time(variance: float, sigma: float, damage: float, temperature: float) -> float:
    """The cooling time with the least `risk` in one direction, in the limit of small steps."""
    v = variance + sigma**2
    gained = damage**2 - temperature * v
    return -v * math.log(variance / (variance + gained)) if gained > 0 else 0.0
