"""Working on principal components: small networks for pictures with thousands of numbers.

Pictures of one domain differ in far fewer directions than they have pixels. A network may work on
the coordinates along the leading principal axes only; what lies outside is treated as a Gaussian
rest of one variance, for which the best denoiser is Wiener's factor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.linalg import eigh
from torch import Tensor

from domain_translation.runtime import double
from domain_translation.sampling.inputs import events

ConditionalNetwork = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Principal:
    """Leading principal axes of a data set of events.

    Attributes:
        mean: (*event).
        axes: orthonormal, (count, d) with d numbers per event, most variable first.
        variances: of the data along the axes, (count,).
        rest: variance of the data in each direction outside the axes.
    """

    mean: Tensor
    axes: Tensor
    variances: Tensor
    rest: float

    def coordinates(self, x: Tensor) -> Tensor:
        """Coordinates (B, count) of events (B, *event) along the axes."""
        return (x - self.mean).flatten(1) @ self.axes.mT

    def events(self, coordinates: Tensor) -> Tensor:
        """The event (B, *event) on the axes with these coordinates (B, count)."""
        return self.mean + (coordinates @ self.axes).reshape(-1, *self.mean.shape)

    def lifted(self, network: ConditionalNetwork) -> ConditionalNetwork:
        """A denoiser of events, r(x, sigma), from one of coordinates.

        What lies outside the axes is multiplied by rest / (rest + sigma^2).

        Args:
            network: (B, count), (B,) of sigmas -> (B, count).
        """

        def denoiser(x: Tensor, sigma: Tensor) -> Tensor:
            inside = self.coordinates(x)
            outside = x - self.events(inside)
            wiener = self.rest / (self.rest + sigma.square())
            kept = wiener.reshape(-1, *[1] * (x.ndim - 1)) * outside
            return self.events(network(inside, sigma)) + kept

        return denoiser


def principal(data: Tensor, count: int) -> Principal:
    """The `count` leading principal axes of `data` (n, *event).

    Raises:
        ValueError: fewer than `count` + 2 samples, or `count` not below the size of the event.
    """
    data = events(data, "data")
    n, d = len(data), data[0].numel()
    if not 1 <= count < min(n - 1, d):
        raise ValueError(
            f"{count} axes of {n} samples with {d} numbers each; give at least 1 and fewer than "
            f"{max(1, min(n - 1, d))}"
        )
    mean = data.mean(0)
    gap = double((data - mean).flatten(1))
    # The smaller of the two matrices of inner products has the same eigenvalues.
    small = gap @ gap.mT if n < d else gap.mT @ gap
    last = len(small) - 1
    found = eigh(small.cpu().numpy(), subset_by_index=(last - count + 1, last))
    values, vectors = (torch.from_numpy(part.copy()).flip(-1).to(gap) for part in found)
    axes = vectors.mT @ gap / values.sqrt()[:, None] if n < d else vectors.mT
    rest = float((gap.square().sum() - values.sum()) / ((n - 1) * (d - count)))
    return Principal(mean, axes.to(data), (values / (n - 1)).to(data), rest)
