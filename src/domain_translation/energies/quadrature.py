"""What only a toy can know: the normaliser, the likelihood and the divergence of an energy.

Integrals over the plane are sums over the centres of square cells, which for smooth densities
that vanish at the border converge faster than any power of the spacing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.energies.toy import MLPEnergy, spread


class Cells(NamedTuple):
    """Square cells that cover [-half_width, half_width]^2, row by row."""

    centres: Tensor  # (side^2, 2), float32; the second coordinate runs fastest
    spacing: float  # side of a cell
    side: int  # cells along one side


def cells(half_width: float, side: int) -> Cells:
    """`side` x `side` cells over [-half_width, half_width]^2.

    Raises:
        ValueError: no cells, or a width that is not positive.
    """
    if side < 1 or not half_width > 0:
        raise ValueError(
            f"side was {side} and half_width {half_width}; give at least one cell a side and a "
            "positive width"
        )
    spacing = 2 * half_width / side
    axis = (torch.arange(side, dtype=torch.float64) + 0.5) * spacing - half_width
    return Cells(torch.cartesian_prod(axis, axis).float(), spacing, side)


def log_density(energy: MLPEnergy, grid: Cells, temperature: float = 1.0) -> Tensor:
    """log of e^(-E/T) / Z on the grid for every copy, float64 (cells, copies) (cfebm.eq1)."""
    exponent = -_energies(energy, grid.centres) / temperature
    return exponent - torch.logsumexp(exponent, 0) - 2 * math.log(grid.spacing)


def log_normaliser(energy: MLPEnergy, grid: Cells, temperature: float = 1.0) -> Tensor:
    """log Z, Z the integral of e^(-E/T) over the grid, float64 (copies,) (cfebm.eq1)."""
    exponent = -_energies(energy, grid.centres) / temperature
    return torch.logsumexp(exponent, 0) + 2 * math.log(grid.spacing)


def divergence(
    log_prob: Tensor, energy: MLPEnergy, grid: Cells, temperature: float = 1.0
) -> Tensor:
    """KL(p || e^(-E/T) / Z) of every copy in nats, float64 (copies,).

    Args:
        log_prob: log p at the centres, (cells,).
        energy: the copies' energies.
        grid: must cover p.
        temperature: T > 0.
    """
    p = log_prob.double()
    mass = p.exp() * grid.spacing**2
    return (mass[:, None] * (p[:, None] - log_density(energy, grid, temperature))).sum(0)


def best_temperature(log_prob: Tensor, energy: MLPEnergy, grid: Cells) -> tuple[Tensor, Tensor]:
    """The T that minimises KL(p || e^(-E/T) / Z), and that divergence, (copies,) each.

    The divergence is convex in 1/T; a golden-section search on log T in [1e-4, 1e4] finds it to
    three digits.
    """
    p = log_prob.double()
    mass = (p.exp() * grid.spacing**2)[:, None]
    energies = _energies(energy, grid.centres)
    entropy = (mass * p[:, None]).sum(0)

    def value(log_t: Tensor) -> Tensor:
        exponent = -energies / log_t.exp()
        log_z = torch.logsumexp(exponent, 0) + 2 * math.log(grid.spacing)
        return entropy - (mass * exponent).sum(0) + mass.sum(0) * log_z

    low = torch.full((energy.copies,), -math.log(1e4), dtype=torch.float64)
    high, ratio = -low, (math.sqrt(5) - 1) / 2
    for _ in range(24):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        smaller = value(left) < value(right)
        low, high = torch.where(smaller, low, left), torch.where(smaller, right, high)
    middle = (low + high) / 2
    return middle.exp(), value(middle)


def _energies(energy: MLPEnergy, points: Tensor) -> Tensor:
    here = points.to(next(energy.parameters()).device)
    with torch.no_grad():
        return energy.each(spread(here, energy.copies)).cpu().double()
