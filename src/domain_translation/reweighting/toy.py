"""Two planar domains of clusters with unequal masses, where the right translation is known.

Both domains consist of K round clusters. Cluster k of the second domain is cluster k of the first,
moved by one shift for all: a translator that keeps the cluster is right. Only the shares of the
clusters differ. No source has this toy; it is the smallest case of JD-BW's mass shift. Players can
be exchanged (`WEIGHTINGS`, `GENERATORS`), and the second domain turned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from domain_translation.reweighting.config import Schedule
from domain_translation.reweighting.joint import Networks
from domain_translation.reweighting.masses import masses
from domain_translation.reweighting.weighting import Composite, Equal, OneArgument, TwoArguments
from domain_translation.runtime import seeded

RADIUS, SPREAD = 1.0, 0.12  # of the ring of clusters, and of a cluster
SHIFT = (0.35, 0.25)  # from the first domain to the second


class Clusters(NamedTuple):
    """Points x (n, 2) and the clusters they come from y (n,)."""

    x: Tensor
    y: Tensor


def centres(count: int, *, shifted: bool) -> Tensor:
    """Cluster centres (count, 2) on a circle; those of the second domain when `shifted`."""
    angle = math.tau * torch.arange(count) / count + math.pi / 2
    ring = RADIUS * torch.stack([angle.cos(), angle.sin()], 1)
    return ring + torch.tensor(SHIFT) if shifted else ring


def sample(
    n: int, shares: Sequence[float] | Tensor, seed: int, *, shifted: bool = False
) -> Clusters:
    """Draw n points of the first domain, or of the second when `shifted`.

    Args:
        n: number of points, at least 1.
        shares: mass of each cluster (K,).
        seed: of the draw.
        shifted: which domain.

    Raises:
        ValueError: n below 1, or masses that are negative or do not sum to one.
    """
    if n < 1:
        raise ValueError(f"cannot draw {n} points; give at least 1")
    generator = torch.Generator().manual_seed(seed)
    share = masses(shares)
    k = torch.multinomial(share, n, replacement=True, generator=generator)
    noise = torch.randn(n, 2, generator=generator)
    return Clusters(centres(len(share), shifted=shifted)[k] + SPREAD * noise, k)


def cluster_of(points: Tensor, count: int, *, shifted: bool) -> Tensor:
    """The nearest cluster (n,) of points (n, 2) of a domain; clusters are far apart."""
    return torch.cdist(points, centres(count, shifted=shifted)).argmin(1)


def turned(points: Tensor, degrees: float) -> Tensor:
    """Points (n, 2) of the second domain, turned about the middle of its ring.

    Cluster k stays cluster k: the right translation is the shift followed by the turn.
    """
    a = math.radians(degrees)
    turn = torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
    middle = torch.tensor(SHIFT)
    return (points - middle) @ turn.T + middle


def turned_cluster_of(points: Tensor, count: int, degrees: float) -> Tensor:
    """The nearest cluster (n,) of points (n, 2) of the turned second domain."""
    return torch.cdist(points, turned(centres(count, shifted=True), degrees)).argmin(1)


@dataclass(frozen=True)
class ToyConfig(Schedule):
    """Settings of the toy; the paper has none."""

    steps: int = 600
    batch: int = 128
    lr_generator: float = 1e-3
    lr_critic: float = 2e-3
    lr_weights: float = 2e-3
    penalty: float = 1.0
    clip_first: float = 2.0
    clip_last: float = 3.0
    noise: int = 2
    width: int = 64  # hidden units of every network


class PointGenerator(nn.Module):
    """x + a two-layer perceptron of (x, z): (B, 2), (B, noise) to (B, 2)."""

    def __init__(self, noise: int, width: int) -> None:
        super().__init__()
        self.step = nn.Sequential(nn.Linear(2 + noise, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return x + self.step(torch.cat([x, z], 1))


class DirectGenerator(nn.Module):
    """A two-layer perceptron of (x, z) to y: `PointGenerator` without its "x +"."""

    def __init__(self, noise: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 + noise, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.layers(torch.cat([x, z], 1))


class PairCritic(nn.Module):
    """Three-layer perceptron on pairs of points: (B, 2), (B, 2) to (B,)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = perceptron(4, width)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.layers(torch.cat([x, y], 1))[:, 0]


def perceptron(inside: int, width: int) -> nn.Sequential:
    """Two hidden layers of LeakyReLU(0.2), one output."""
    return nn.Sequential(
        nn.Linear(inside, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, 1),
    )


# Built from the number of hidden units.
WEIGHTINGS: Mapping[str, Callable[[int], nn.Module]] = {
    "composite": lambda width: Composite(perceptron(2, width), perceptron(2, width)),
    "one argument": lambda width: OneArgument(perceptron(2, width)),
    "two arguments": lambda width: TwoArguments(perceptron(4, width)),
    "none": lambda width: Equal(),
}
# Built from the length of the noise and the number of hidden units.
GENERATORS: Mapping[str, Callable[[int, int], nn.Module]] = {
    "residual": PointGenerator,
    "direct": DirectGenerator,
}


def networks(
    config: ToyConfig, seed: int, weighting: str = "composite", generator: str = "residual"
) -> Networks:
    """Untrained networks of the toy with one of `WEIGHTINGS` and one of `GENERATORS`.

    Raises:
        ValueError: a name that neither list has.
    """
    for name, known in ((weighting, WEIGHTINGS), (generator, GENERATORS)):
        if name not in known:
            raise ValueError(f"{name!r} is unknown; choose {', '.join(map(repr, known))}")
    with seeded(seed):
        return Networks(
            GENERATORS[generator](config.noise, config.width),
            GENERATORS[generator](config.noise, config.width),
            PairCritic(config.width),
            WEIGHTINGS[weighting](config.width),
        )
