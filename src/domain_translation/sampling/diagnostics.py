"""What a finished run says about itself: mixing and effective sample size.

A trajectory is ``(T, B, *event)``: T kept steps of B chains, as `langevin.sample` with `thin`
returns it. Results are event-shaped, float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

from domain_translation.runtime import double
from domain_translation.sampling.inputs import floats


def _checked(trajectory: Tensor, least: int) -> Tensor:
    trajectory = floats(trajectory, "the trajectory", "(T, B, *event)")
    if trajectory.ndim < 2 or trajectory.shape[0] < least or trajectory.shape[1] < 1:
        raise ValueError(
            f"the trajectory had shape {tuple(trajectory.shape)}; pass (T, B, *event) with at "
            f"least {least} steps and one chain"
        )
    if not bool(trajectory.isfinite().all()):
        raise ValueError("the trajectory holds NaN or infinite numbers; drop the diverged chains")
    return double(trajectory.detach())


def _autocovariance(x: Tensor) -> Tensor:
    """Autocovariance along the first axis (biased: divided by T), same shape as `x`."""
    steps = len(x)
    centred = x - x.mean(0)
    spectrum = torch.fft.rfft(centred, n=2 * steps, dim=0)
    return torch.fft.irfft(spectrum.abs() ** 2, n=2 * steps, dim=0)[:steps] / steps


def autocorrelation(trajectory: Tensor) -> Tensor:
    """Autocorrelation at lags 0 .. T - 1, averaged over chains: ``(T, *event)``.

    Chains are centred on their own means; a coordinate that never moves gives NaN.
    """
    covariance = _autocovariance(_checked(trajectory, 2)).mean(1)
    return covariance / covariance[:1]


def _split(trajectory: Tensor) -> Tensor:
    """First and second half of every chain as two chains: ``(T // 2, 2 B, *event)``."""
    half = trajectory.shape[0] // 2
    return torch.cat([trajectory[:half], trajectory[-half:]], 1)


def _variances(halves: Tensor) -> tuple[Tensor, Tensor]:
    """Mean variance within chains, and the pooled estimate var+ that adds the one between."""
    steps = len(halves)
    within = halves.var(0).mean(0)
    return within, within * (steps - 1) / steps + halves.mean(0).var(0)


def split_rhat(trajectory: Tensor) -> Tensor:
    """Split R-hat: sqrt(var+ / within) over half chains; near 1 when the chains agree.

    Gelman et al., Bayesian Data Analysis (3rd ed.), section 11.4. At least 4 steps.
    """
    within, pooled = _variances(_split(_checked(trajectory, 4)))
    return (pooled / within).sqrt()


def ess(trajectory: Tensor) -> Tensor:
    """Effective number of independent draws in all chains together, at least 4 steps.

    Split chains, multi-chain autocorrelations, summed while Geyer's sums of neighbouring pairs
    stay positive, and made monotone (Gelman et al., section 11.5). At most N log10 N, since
    antithetic chains can count for more than their length. A coordinate that never moves
    gives NaN.
    """
    halves = _split(_checked(trajectory, 4))
    steps, chains = halves.shape[:2]
    within, pooled = _variances(halves)
    covariance = _autocovariance(halves).mean(1) * steps / (steps - 1)
    rho = 1 - (within - covariance) / pooled
    rho[0] = 1.0
    pairs = rho[: steps - 1 : 2] + rho[1:steps:2]
    # A pair counts as long as it and all before it are positive, and not above those before.
    positive = (pairs > 0).long().cumprod(0)
    monotone = torch.cummin(pairs, 0).values * positive
    count = torch.tensor(steps * chains).double()
    # -1 + 2 sum of pairs is the integrated autocorrelation time
    time = (2 * monotone.sum(0) - 1).clamp(min=float(1 / count.log10()))
    return torch.where(pooled > 0, count / time, torch.nan)
