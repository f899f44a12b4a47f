"""Other players and another second domain for the planar toy: what the comparisons exchange.

Three designs of the weights and none (JD-BW B.1, jdbw.eqU3), a generator that starts at the
identity and one that does not (3.4, jdbw.concept.nonunique), and a second domain that is turned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from domain_translation.reweighting.joint import Networks
from domain_translation.reweighting.toy import (
    SHIFT,
    PairCritic,
    PointGenerator,
    ToyConfig,
    centres,
    perceptron,
)
from domain_translation.reweighting.weighting import Composite, Equal, OneArgument, TwoArguments
from domain_translation.runtime import seeded


class DirectGenerator(nn.Module):
    """A two-layer perceptron of (x, z) to y: `toy.PointGenerator` without its "x +"."""

    def __init__(self, noise: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 + noise, width), nn.ReLU(), nn.Linear(width, 2))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.layers(torch.cat([x, z], 1))


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
