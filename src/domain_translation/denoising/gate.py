"""What a denoiser leaves of the noise, beside the best linear filter.

A denoiser that does hardly better than a convolution gives a score that smooths: what is then
called cooling is a blur. So one line stands in front of every picture that is cooled:

    print(gate.noise_left(denoiser, linear_filter(train, sigma), test, sigma))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.sampling.inputs import FAR, answer, asking, pictures

GATE = 0.9  # at most this share of the linear filter's error: 10 % below it


class Left(NamedTuple):
    """Shares of the noise that are left: root mean squares of the errors, over sigma.

    Attributes:
        network, linear: per picture, (n,), mean squares over sigma^2.
    """

    network: Tensor
    linear: Tensor

    @property
    def ratio(self) -> float:
        """The network's error over the linear filter's, both root mean squares."""
        return float((self.network.mean() / self.linear.mean()).sqrt())

    @property
    def error(self) -> float:
        """Standard error of the ratio over pictures, by the delta method."""
        r = self.ratio
        gap = self.network - r**2 * self.linear  # has mean 0
        return float(gap.std() / len(gap) ** 0.5 / self.linear.mean() / (2 * r))

    def passes(self) -> bool:
        """Whether the network's error is at most `GATE` of the linear filter's."""
        return self.ratio <= GATE

    def __str__(self) -> str:
        own, other = (100 * float(part.mean().sqrt()) for part in self)
        beside = f"{100 * abs(1 - self.ratio):.0f} % {'less' if self.ratio < 1 else 'more'}"
        return f"leaves {own:.0f} % of the noise, the best linear filter {other:.0f} %: {beside}"


@torch.no_grad()
def noise_left(
    denoiser: Callable[[Tensor], Tensor],
    linear: Callable[[Tensor], Tensor],
    clean: Tensor,
    sigma: float,
    seed: int = 0,
) -> Left:
    """What two denoisers leave of the same noise on pictures that neither was fitted to.

    Args:
        denoiser: (B, C, H, W) -> the same shape.
        linear: another, e.g. `linear_filter(train, sigma)` or an `AntialiasedDenoiser`'s own.
        clean: pictures (n, C, H, W), at least 2.
        sigma: standard deviation of the noise, positive, in the pictures' units.
        seed: of the noise.

    Raises:
        ValueError: fewer than two pictures, sigma not positive.
    """
    if len(clean) < 2 or not sigma > 0:
        raise ValueError(
            f"{len(clean)} pictures and sigma {sigma}; give at least two pictures and a positive "
            "sigma"
        )
    clean = pictures(clean, "clean", like=denoiser, within=FAR)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed)).to(clean)

    def error(denoise: Callable[[Tensor], Tensor], x: Tensor, n: Tensor) -> Tensor:
        with asking("the denoiser", x):
            found = answer(denoise(x + sigma * n), x, "the denoiser", same=True)
        return (found - x).square().flatten(1).mean(1)

    def left(denoise: Callable[[Tensor], Tensor]) -> Tensor:
        parts = zip(torch.split(clean, 32), torch.split(noise, 32), strict=True)
        return torch.cat([error(denoise, x, n) for x, n in parts]) / sigma**2

    return Left(left(denoiser), left(linear))
