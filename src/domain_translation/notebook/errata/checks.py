"""Small pure functions, one or two per demonstrable erratum; ids as in ``data/errata.toml``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor
from torch.nn import functional as F

Floats = NDArray[np.float64]

# Class shares of SR-MNIST (one half zeros, the rest even) and of MNIST, digits 0 to 9.
SR_MNIST: Floats = np.array([0.5] + [1 / 18] * 9)
MNIST: Floats = np.full(10, 0.1)


# ---- L-Cool and ImproveIT


def gaussian_variance(step_size: float, noise_std: float, std: float, sigma: float = 0.0) -> float:
    """Stationary variance of the unadjusted chain on N(0, std^2), exactly (lcool.limit).

    `sigma` > 0: the chain uses the score of an ideal denoiser with that noise. The step must
    be below 2 (std^2 + sigma^2), or there is no stationary law (ValueError).
    """
    rate = 1 - step_size / (std**2 + sigma**2)
    if not -1 < rate < 1:
        raise ValueError(
            f"step size {step_size} is not in (0, {2 * (std**2 + sigma**2):g}): "
            "the chain has no stationary law"
        )
    return noise_std**2 / (1 - rate**2)


def smoothing_factor(std: float, sigma: float) -> float:
    """Score of an ideal denoiser over the true score, on N(0, std^2) (lcool.smoothing)."""
    return std**2 / (std**2 + sigma**2)


def column_gains(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """Differences of two printed columns, rounded to their two or four decimals."""
    return [round(b - a, 4) for a, b in zip(before, after, strict=True)]


def subset_sizes(percentages: Sequence[float], largest: int = 130) -> list[int]:
    """Test-set sizes up to `largest` of which all printed percentages are shares.

    Two decimals, rounded or cut (improveit.subset: the paper does both).
    """

    def fits(p: float, n: int) -> bool:
        k = round(p * n / 100)
        exact = 100 * k / n
        return p in (round(exact, 2), math.floor(exact * 100) / 100)

    return [n for n in range(1, largest + 1) if all(fits(p, n) for p in percentages)]


# ---- CF-EBM


def fade_printed(images: int, batch_size: int) -> float:
    """The fading factor of Algorithm 1 as printed (cfebm.fade)."""
    return max(1.0, 2 * images / batch_size)


def fade_read(seen: int, images: int) -> float:
    """The fading factor as the book reads it: 0 to 1 over the first half of a stage."""
    return min(1.0, 2 * seen / images)


def celu_slopes(x: float, shape: float = 1.0) -> tuple[float, float]:
    """Derivative of CELU at x <= 0: by automatic differentiation, and as printed (cfebm.celu)."""
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    F.celu(at, shape).backward()  # type: ignore[no-untyped-call]
    assert at.grad is not None
    return float(at.grad), shape * (math.exp(x / shape) - 1)


def swish_slopes(x: float, beta: float) -> tuple[float, float]:
    """Derivative of Swish: by automatic differentiation, and as printed (cfebm.swish)."""
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (at * torch.sigmoid(beta * at)).backward()  # type: ignore[no-untyped-call]
    assert at.grad is not None
    s, s_beta = 1 / (1 + math.exp(-x)), 1 / (1 + math.exp(-beta * x))
    return float(at.grad), beta * x * s + s_beta * (1 - beta * x * s_beta)


def noise_variance(t: int, steps: int, first: float = 0.02) -> float:
    """CF-EBM's schedule, A.2: variance of the noise at step t of `steps` (cfebm.noise)."""
    return first - first / (steps - t + 1)


# ---- lecture


def rbm_gradient_errors(visible: int = 4, hidden: int = 3, seed: int = 0) -> tuple[float, float]:
    """Largest error of an RBM's weight gradient: with p(h|v), and with the printed p(h, v).

    The reference is automatic differentiation of the exact log-likelihood (lecture.rbm).
    """
    generator = torch.Generator().manual_seed(seed)
    b, c, w, pick = (
        torch.randn(size, generator=generator, dtype=torch.float64)
        for size in ((visible,), (hidden,), (visible, hidden), (visible,))
    )
    w.requires_grad_()
    vs, hs, v = _bits(visible), _bits(hidden), (pick > 0).double()
    joint = (vs @ b)[:, None] + (hs @ c)[None] + vs @ w @ hs.T
    clamped = v @ b + hs @ c + v @ w @ hs.T
    (torch.logsumexp(clamped, 0) - torch.logsumexp(joint, (0, 1))).backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        p = torch.softmax(joint.flatten(), 0).reshape(joint.shape)
        model = vs.T @ p @ hs
        row = p[int((vs == v).all(1).nonzero())]
        read = torch.outer(v, row / row.sum() @ hs) - model
        printed = torch.outer(v, row @ hs) - model
    assert w.grad is not None
    return float((read - w.grad).abs().max()), float((printed - w.grad).abs().max())


def _bits(n: int) -> Tensor:
    """All 2^n rows of n bits, (2^n, n)."""
    numbers = torch.arange(2**n)
    return ((numbers[:, None] >> torch.arange(n)) & 1).double()


def vae_gap(x: float, mean: float, variance: float) -> tuple[float, float, float]:
    """log p(x) minus the bound, KL(q | posterior) and KL(posterior | q) (lecture.vae).

    Model: z ~ N(0, 1), x | z ~ N(z, 1), so that the posterior is N(x/2, 1/2);
    q = N(mean, variance).
    """
    evidence = -0.5 * math.log(2 * math.pi * 2) - x**2 / 4
    fit = -0.5 * math.log(2 * math.pi) - 0.5 * ((x - mean) ** 2 + variance)
    bound = fit - _kl(mean, variance, 0.0, 1.0)
    here, there = _kl(mean, variance, x / 2, 0.5), _kl(x / 2, 0.5, mean, variance)
    return evidence - bound, here, there


def _kl(m: float, v: float, m2: float, v2: float) -> float:
    """KL(N(m, v) | N(m2, v2))."""
    return 0.5 * (v / v2 + (m - m2) ** 2 / v2 - 1 - math.log(v / v2))


def walkback_variance(std: float, sigma: float, *, draw: bool, seed: int = 0) -> float:
    """Variance after 100 rounds of corrupting and denoising on N(0, std^2), 100,000 chains.

    `draw`: a sample of p(x | corrupted); otherwise its mean, the denoiser (lecture.walkback).
    """
    rng = np.random.default_rng(seed)
    x = std * rng.standard_normal(100_000)
    shrink = std**2 / (std**2 + sigma**2)
    spread = math.sqrt(shrink) * sigma if draw else 0.0
    for _ in range(100):
        corrupted = x + sigma * rng.standard_normal(x.size)
        x = shrink * corrupted + spread * rng.standard_normal(x.size)
    return float(x.var())


# ---- JD-BW


def midpoint_masses(p: Floats = SR_MNIST, q: Floats = MNIST) -> tuple[float, float, float, float]:
    """Total masses of P (1 + w)/2 and Q (1 + 1/w)/2 (jdbw.midpoint).

    First two: with the printed w = dP/dQ; last two: with w = dQ/dP.
    """
    printed, read = p / q, q / p
    return (
        float((p * (1 + printed) / 2).sum()),
        float((q * (1 + 1 / printed) / 2).sum()),
        float((p * (1 + read) / 2).sum()),
        float((q * (1 + 1 / read) / 2).sum()),
    )


def midpoint_targets(p: Floats = SR_MNIST, q: Floats = MNIST) -> tuple[float, float]:
    """Weighted class mass of zeros, and of any other digit, in both domains (jdbw.targets)."""
    from_p, from_q = p * (1 + q / p) / 2, q * (1 + p / q) / 2
    if not np.allclose(from_p, from_q):
        raise ArithmeticError("the two domains do not meet")
    return float(from_p[0]), float(from_p[1])


def softmax_share(batch_size: int) -> float:
    """Share of the learned weights in the sum of (1 + w_i)/2 over a batch (jdbw.softmax)."""
    w = np.full(batch_size, 1 / batch_size)
    return float(w.sum() / (1 + w).sum())


def conditional_freedoms(support: Sequence[Sequence[int]]) -> int:
    """Number of free masses when both conditionals are fixed (jdbw.conditionals).

    `support` is the 0/1 table of a joint law of (x, y). The density ratio is constant on every
    connected part of it, so the answer is the number of parts less one: 0 forces P = Q.
    """
    table = np.asarray(support)
    x, y = np.nonzero(table)
    nodes = sum(table.shape)
    graph = coo_array((np.ones(x.size), (x, table.shape[0] + y)), shape=(nodes, nodes))
    empty = int((table.sum(0) == 0).sum() + (table.sum(1) == 0).sum())
    return int(connected_components(graph, directed=False)[0]) - empty - 1
