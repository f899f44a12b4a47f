"""What log-weights of annealed chains say about a log-normaliser, with its uncertainty."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

_CONFIDENCE = 0.95
_RESAMPLES = 1000


class Bound(NamedTuple):
    """A one-sided estimate of log Z; below it in expectation (forward) or above it (reverse).

    Attributes:
        average: mean of log w over the chains, the looser and safer bound.
        error: standard error of `average`.
        value: log of the mean of w (forward) or minus the log of the mean of 1/w (reverse): on
            the same side in expectation, and closer.
        low, high: bootstrap interval of `value`, 95 %. It knows nothing of modes no chain saw.
        ess: effective number of chains behind `value`, (sum w)^2 / sum w^2, from 1 to B.
    """

    average: float
    error: float
    value: float
    low: float
    high: float
    ess: float


def log_normaliser_bound(log_weights: Tensor, *, reverse: bool = False, seed: int = 0) -> Bound:
    """A one-sided estimate of log Z from log-weights, those of several shards put together.

    Args:
        log_weights: log w of B >= 2 independent chains, (B,).
        reverse: E[1/w] = 1/Z, chains walked from exp(-E) to the base: an upper bound; otherwise
            E[w] = Z, a lower bound.
        seed: of the bootstrap.

    Raises:
        ValueError: fewer than 2 log-weights, or some that are not finite.
    """
    if log_weights.ndim != 1 or len(log_weights) < 2 or not bool(log_weights.isfinite().all()):
        raise ValueError(
            f"the log-weights have shape {tuple(log_weights.shape)}; give finite numbers of at "
            "least 2 chains"
        )
    sign = -1.0 if reverse else 1.0
    signed = sign * log_weights.double().cpu()
    count = len(signed)
    draws = torch.Generator().manual_seed(seed)
    rows = torch.randint(count, (_RESAMPLES, count), generator=draws)
    tails = torch.tensor([(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2]).double()
    ends = sorted((sign * torch.quantile(_log_mean_exp(signed[rows]), tails)).tolist())
    share = signed.softmax(0)
    return Bound(
        average=float(log_weights.double().mean()),
        error=float(signed.std()) / math.sqrt(count),
        value=sign * float(_log_mean_exp(signed[None])[0]),
        low=ends[0],
        high=ends[1],
        ess=float(1 / share.square().sum()),
    )


def tempered(path: Tensor, betas: Tensor, log_volume: float) -> Tensor:
    """Log-weights for every temperature on the way, of a forward run from a uniform base.

    On a box the bridge's densities are exp(-l E): what the chains carry at l estimates the
    integral of exp(-l E) over the box once the base's share of the constant is put back.

    Args:
        path: `Run.path` of a forward run, (K, B).
        betas: of that run, (K + 1,).
        log_volume: of the box, `Uniform.log_volume`.

    Returns:
        (K, B): row k - 1 holds log w with E[w] = integral of exp(-betas[k] E).
    """
    return path + (1 - betas[1:].to(path))[:, None] * log_volume


def _log_mean_exp(rows: Tensor) -> Tensor:
    return rows.logsumexp(1) - math.log(rows.shape[1])
