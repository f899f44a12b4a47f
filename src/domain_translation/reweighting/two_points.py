"""Cycle-consistent GANs between two domains of two atoms, solved exactly (JD-BW 2.3, eq. 1, 3).

The first domain has atoms a and b of masses p and 1 - p, the second a' and b' of masses q and
1 - q; the two atoms of a domain are at distance 1. A translator, noise included, is the pair of
its probabilities to keep the class, (..., 2): of a to a', of b to b'. The same for the way back.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Minimum(NamedTuple):
    """The pair of translators of least loss, and its losses.

    Attributes:
        forward, backward: probabilities (2,) to keep the class.
        gan: Wasserstein losses of both directions, summed.
        cycle: both terms of eq. 1, summed.
        kept: share of P whose class the forward translator keeps.
    """

    forward: Tensor
    backward: Tensor
    gan: float
    cycle: float
    kept: float


def gan_loss(keep: Tensor, p: float, q: float) -> Tensor:
    """Wasserstein distance (...) between the translated first domain and the second (JD-BW eq. 3).

    Between two atoms at distance 1 the best 1-Lipschitz discriminator is plus or minus the
    indicator of one of them: the distance is the difference of the masses of a'.
    """
    return (p * keep[..., 0] + (1 - p) * (1 - keep[..., 1]) - q).abs()


def cycle_loss(forward: Tensor, backward: Tensor, p: float, q: float) -> Tensor:
    """Expectation (...) of JD-BW eq. 1, the noises of the two translators being independent."""
    (a, b), (c, d) = forward.unbind(-1), backward.unbind(-1)
    lost_a, lost_b = 1 - a * c - (1 - a) * (1 - d), 1 - b * d - (1 - b) * (1 - c)
    lost_a2, lost_b2 = 1 - c * a - (1 - c) * (1 - b), 1 - d * b - (1 - d) * (1 - a)
    return p * lost_a + (1 - p) * lost_b + q * lost_a2 + (1 - q) * lost_b2


def loss(forward: Tensor, backward: Tensor, p: float, q: float, weight: float) -> Tensor:
    """GAN losses of both directions plus `weight` times the cycle loss: CycleGAN's objective."""
    gan = gan_loss(forward, p, q) + gan_loss(backward, q, p)
    return gan + weight * cycle_loss(forward, backward, p, q)


def transport(p: float, q: float, most: bool) -> Tensor:
    """The translator (2,) that carries P to Q exactly and keeps most (or least) of the classes.

    All translators with no GAN loss lie between these two: the mass t that goes from a to a' is
    between max(0, p + q - 1) and min(p, q), and decides everything.
    """
    _check(p, q)
    t = min(p, q) if most else max(0.0, p + q - 1)
    return torch.tensor([t / p, (1 - p - q + t) / (1 - p)], dtype=torch.float64)


def candidates(p: float, q: float) -> Tensor:
    """Translators (6, 2) among which every best response lies.

    Given the other direction, the loss is convex and linear on either side of the line on which
    the GAN loss is 0: it has a minimum at a corner of the square or where that line leaves it. The
    corners are the four deterministic maps: keep, exchange, all to a', all to b'.
    """
    corners = torch.tensor([[1, 1], [0, 0], [1, 0], [0, 1]], dtype=torch.float64)
    return torch.cat([corners, torch.stack([transport(p, q, True), transport(p, q, False)])])


def minimise(p: float, q: float, weight: float) -> Minimum:
    """The global minimum of `loss`, by trying all pairs of `candidates`.

    Of equally good pairs the first is taken, which keeps the classes if any does.

    Raises:
        ValueError: p or q outside (0, 1), or a negative weight.
    """
    _check(p, q)
    if not weight >= 0:
        raise ValueError(f"the weight of the cycle loss is {weight}; give 0 or more")
    ahead, back = candidates(p, q), candidates(q, p)
    total = loss(ahead[:, None], back[None], p, q, weight)
    first = int((total <= total.min() + 1e-12).flatten().nonzero()[0])
    forward, backward = ahead[first // len(back)], back[first % len(back)]
    return Minimum(
        forward,
        backward,
        float(gan_loss(forward, p, q) + gan_loss(backward, q, p)),
        float(cycle_loss(forward, backward, p, q)),
        float(p * forward[0] + (1 - p) * forward[1]),
    )


def _check(p: float, q: float) -> None:
    if not (0 < p < 1 and 0 < q < 1):
        raise ValueError(f"masses p = {p} and q = {q}; give two numbers strictly between 0 and 1")
