"""Mixtures of Gaussians with few wide directions each, on pictures or any other event shape.

A component is x = mean + sum_j z_j factor_j + std * noise with standard normal z and noise: `rank`
directions in which samples differ, and a thin rest. Its covariance has the size of the event
squared and is never formed: log-density, score and posterior follow from the factors' singular
values (Woodbury), so that pictures with thousands of pixels cost a few inner products each.
"""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from domain_translation.sampling.densities.located import Smooth, normal, positive


class Draw(NamedTuple):
    """Exact draws and the latent variables they were made of.

    Attributes:
        x: samples (n, *event), float32.
        component: which component, (n,) int64.
        latents: z, (n, rank) float64.
        noise: x minus its part without noise, (n, *event), float32.
    """

    x: Tensor
    component: Tensor
    latents: Tensor
    noise: Tensor


class LowRankMixture(Smooth):
    """Mixture of K Gaussians N(means[k], factors[k]^T factors[k] + std^2 I).

    Points are batches ``(B, *event)``; results have their dtype. With thousands of coordinates
    the log-density is a difference of large numbers: in float32 expect it right to a nat or so.

    Args:
        means: (K, *event).
        factors: (K, rank, *event), the directions of component k scaled by their standard
            deviations; rank at most the size of the event.
        std: standard deviation of the noise in every coordinate, positive.
        weights: (K,), positive, normalised here; equal when left out.

    Raises:
        ValueError: shapes that do not fit together, `std` or weights not positive.
    """

    def __init__(
        self, means: Tensor, factors: Tensor, std: float, weights: Tensor | None = None
    ) -> None:
        self.means, self.factors = means.detach().double(), factors.detach().double()
        event, count = self.means.shape[1:], len(self.means)
        if self.factors.ndim != self.means.ndim + 1 or (
            self.factors.shape[:1] + self.factors.shape[2:] != self.means.shape
        ):
            raise ValueError(
                f"means have shape {tuple(means.shape)} and factors {tuple(factors.shape)}; "
                f"give (K, *event) and (K, rank, *event)"
            )
        if self.factors.shape[1] > event.numel():
            raise ValueError(
                f"rank {self.factors.shape[1]} exceeds the {event.numel()} coordinates"
            )
        given = torch.ones(count) if weights is None else weights
        if given.shape != (count,):
            raise ValueError(f"weights have shape {tuple(given.shape)}; give ({count},)")
        self.weights = positive("weights", given.detach().double())
        self.weights = self.weights / self.weights.sum()
        self.event, self.rank = event, self.factors.shape[1]
        # factors[k] = mixing diag(sizes) axes: the axes are orthonormal, `sizes` their spreads.
        self._mixing, self.sizes, axes = torch.linalg.svd(
            self.factors.flatten(2), full_matrices=False
        )
        flat = self.means.flatten(1)
        # Far from the origin |x|^2 - 2 x.m + |m|^2 would lose digits: measure from the mean.
        self._centre = self.weights @ flat
        self._flat = flat - self._centre
        self._feet = torch.einsum("krd,kd->kr", axes, self._flat).reshape(-1)
        self._axes = axes.reshape(-1, event.numel())
        self._set_std(std)

    def _set_std(self, std: float) -> None:
        self.std = float(positive("std", torch.tensor(std, dtype=torch.float64)))
        shrink = self.sizes**2 / (self.sizes**2 + self.std**2)
        unmix = self._mixing * (self.sizes / (self.sizes**2 + self.std**2))[:, None]
        log_det = (self.sizes.square() / self.std**2).log1p().sum(1)
        dim = self.event.numel()
        log_root = math.log(self.std) + 0.5 * math.log(2 * math.pi)
        log_peak = self.weights.log() - 0.5 * log_det - dim * log_root
        square = self._flat.square().sum(1)
        super().__init__(
            dim,
            self._centre,
            self._flat,
            square,
            self._axes,
            self._feet,
            shrink,
            log_peak,
            unmix,
        )

    def _logits(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Centred points (B, d), coordinates along the axes (B, K, rank), logits (B, K)."""
        if x.shape[1:] != self.event:
            raise ValueError(
                f"points have shape {tuple(x.shape)}; this density wants (B, "
                f"{', '.join(map(str, self.event))})"
            )
        centre, means, square, axes, feet, shrink, log_peak, _ = self.at(x.flatten(1))
        gap = x.flatten(1) - centre
        along = (gap @ axes.mT - feet).reshape(len(x), -1, self.rank)
        distance = gap.square().sum(1, keepdim=True) - 2 * gap @ means.mT + square
        distance = distance - (shrink * along.square()).sum(2)
        return gap, along, log_peak - 0.5 * distance / self.std**2

    def energy_and_score(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Energy ``(B,)`` and score ``(B, *event)`` in one pass."""
        gap, along, logits = self._logits(x)
        _, means, _, axes, _, shrink, _, _ = self.at(x.flatten(1))
        share = logits.softmax(1)
        kept = (share[..., None] * shrink * along).flatten(1) @ axes
        score = (share @ means - gap + kept) / self.std**2
        return -logits.logsumexp(1), score.reshape(x.shape)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """P(component | x), (B, K), and E[z | x, component], (B, K, rank)."""
        _, along, logits = self._logits(x)
        unmix = self.at(x.flatten(1))[7]
        return logits.softmax(1), torch.einsum("bkr,kjr->bkj", along, unmix)

    def expected(self, x: Tensor, means: Tensor, factors: Tensor) -> Tensor:
        """Posterior mean, given x, of the picture means[k] + sum_j z_j factors[k, j]: (B, *event).

        With the mixture's own means and factors: the best guess of x without its noise.

        Args:
            x: points (B, *event).
            means, factors: (K, *event) and (K, rank, *event), in the components' order.
        """
        share, latents = self.posterior(x)
        weighted = (share[..., None] * latents).flatten(1)
        mean = share @ means.to(x).flatten(1) + weighted @ factors.to(x).flatten(2).flatten(0, 1)
        return mean.reshape(x.shape)

    def smoothed(self, sigma: float) -> LowRankMixture:
        """The density of x + sigma * noise: the noise's variance grows by sigma^2."""
        other = copy.copy(self)  # shares the axes, which are the costly part
        other._set_std(math.hypot(self.std, sigma))
        return other

    def denoised(self, x: Tensor, sigma: float) -> Tensor:
        """The best denoiser at noise `sigma`: the posterior mean E[x0 | x0 + sigma noise = x]."""
        return x + sigma**2 * self.smoothed(sigma).score(x)

    def draw(
        self,
        n: int,
        generator: Generator | None = None,
        *,
        weights: Tensor | None = None,
        spread: float = 1.0,
    ) -> Draw:
        """`n` draws with their latent variables.

        Args:
            n: how many.
            generator: on the CPU.
            weights: of the components (K,), >= 0, instead of the mixture's own.
            spread: factor on the latents z; 1 draws from the mixture, more from its outskirts.
        """
        component = torch.multinomial(
            self.weights if weights is None else weights.double(), n, True, generator=generator
        )
        latents = spread * normal((n, self.rank), generator)
        noise = self.std * normal((n, *self.event), generator)
        clean = self.picture(component, latents)
        return Draw((clean + noise).float(), component, latents, noise.float())

    def picture(self, component: Tensor, latents: Tensor) -> Tensor:
        """means[k] + sum_j z_j factors[k, j], without noise: (n, *event), float64.

        Args:
            component: k, (n,).
            latents: z, (n, rank).
        """
        # One product with all factors: gathering each sample's own would need rank copies of it.
        chosen = torch.nn.functional.one_hot(component, len(self.means)).double()
        spread = (chosen[:, :, None] * latents[:, None]).flatten(1) @ self.factors.flatten(
            2
        ).flatten(0, 1)
        return self.means[component] + spread.reshape(-1, *self.event)

    def sample(self, n: int, generator: Generator | None = None) -> Tensor:
        """`n` exact draws ``(n, *event)``, float32."""
        return self.draw(n, generator).x
