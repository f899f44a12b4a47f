"""A noise-conditional denoiser: one network for a whole ladder of noise levels.

L-Cool's denoiser knows one sigma, and its score is that of the density smoothed by that sigma and
no other. A network that is told sigma learns r(x, sigma) for many at once, so that cooling can
start with the score of a smooth density and end with that of a sharp one (`cooling.cool_along`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from domain_translation.denoising.training import DenoiserConfig
from domain_translation.runtime import seeded
from domain_translation.sampling.inputs import events
from domain_translation.training import Batch, unpaired
from domain_translation.training.trained import identity, train_alone


class ConditionalDenoiser(nn.Module):
    """r(x, sigma) of vectors (B, d): Wiener's linear filter and a perceptron for the rest.

    With data of mean 0 and uncorrelated coordinates of variance v, the best *linear* denoiser is
    x v / (v + sigma^2). The network adds what is not linear, in units of that filter's error:

        r(x, sigma) = x v / (v + sigma^2) + sqrt(v sigma^2 / (v + sigma^2)) f(x, sigma).

    Args:
        variances: v, (d,), positive; a network on principal components (`denoising.principal`) has
            them at hand.
        width: of both hidden layers of f.

    Raises:
        ValueError: variances that are not positive and finite.
    """

    variances: Tensor

    def __init__(self, variances: Tensor, width: int = 256) -> None:
        super().__init__()
        if variances.ndim != 1 or not bool((variances.isfinite() & (variances > 0)).all()):
            raise ValueError("variances must be a vector of positive finite numbers")
        self.register_buffer("variances", variances.clone())
        self.layers = nn.Sequential(
            nn.Linear(len(variances) + 1, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, len(variances)),
        )

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        """Denoised vectors (B, d) at the noise levels `sigma` (B,)."""
        square = sigma.square()[:, None]
        total = self.variances + square
        told = torch.cat([x / total.sqrt(), sigma.log()[:, None] / 4], 1)
        scale = (self.variances * square / total).sqrt()
        out: Tensor = x * (self.variances / total) + scale * self.layers(told)
        return out


class AtSigma(nn.Module):
    """A conditional denoiser held at one noise level: an ordinary denoiser (B, *event)."""

    def __init__(self, network: nn.Module, sigma: float) -> None:
        super().__init__()
        if not (sigma > 0 and math.isfinite(sigma)):
            raise ValueError(f"sigma is {sigma}; a noise level is positive and finite")
        self.network, self.sigma = network, sigma

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.network(x, x.new_full((len(x),), self.sigma))
        return out


def geometric(high: float, low: float, count: int) -> list[float]:
    """A ladder of `count` noise levels from `high` down to `low`, each the same factor smaller.

    Raises ValueError unless high > low > 0 and count >= 2.
    """
    if not (math.inf > high > low > 0 and count >= 2):
        raise ValueError(
            f"ladder from {high} to {low} in {count} rungs; give high > low > 0 and at least 2"
        )
    return [high * (low / high) ** (i / (count - 1)) for i in range(count)]


def conditional_score(
    network: Callable[[Tensor, Tensor], Tensor],
) -> Callable[[Tensor, float], Tensor]:
    """(x, sigma) -> score of the data density smoothed by sigma: (r(x, sigma) - x) / sigma^2.

    Args:
        network: r, (B, *event) and noise levels (B,) -> (B, *event).
    """

    def score(x: Tensor, sigma: float) -> Tensor:
        with torch.no_grad():
            return (network(x, x.new_full((len(x),), sigma)) - x) / sigma**2

    return score


def train_conditional(
    make: Callable[[], nn.Module],
    data: Tensor,
    sigmas: Sequence[float],
    config: DenoiserConfig,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> nn.Module:
    """Train the denoiser that `make` builds on `data` (n, *event) over the ladder `sigmas`.

    Every sample of a minibatch draws its own rung. The loss of eq. 2 is divided by sigma^2, so
    that the faint levels, whose errors are small, count as much as the strong ones. The same
    arguments give the same weights, bit for bit on a CPU.

    Args:
        make: builds the untrained network, e.g. `ConditionalDenoiser`.
        data: clean training samples.
        sigmas: noise levels in the units of the data, each > 0.
        config: length and pace of the training.
        seed: of the initial weights, the minibatches, the rungs and the noise.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: no noise level or one that is not positive and finite, data not finite.
        CheckpointError, TrainingError: see `training.fit`.
    """
    if not sigmas or not all(s > 0 and math.isfinite(s) for s in sigmas):
        raise ValueError(f"sigmas are {list(sigmas)}; give at least one, each positive and finite")
    data = events(data, "data")
    with seeded(seed):
        model = make().to(data.device)
    data = events(data, "data", like=model)
    ladder = torch.tensor(sigmas, dtype=data.dtype, device=data.device)

    def loss(batch: Batch, generator: Generator) -> Tensor:
        (x,) = batch
        rung = torch.randint(len(ladder), (len(x),), generator=generator, device=x.device)
        sigma = ladder[rung]
        noise = torch.empty_like(x).normal_(generator=generator)
        noisy = x + sigma.reshape(-1, *[1] * (x.ndim - 1)) * noise
        error = (model(noisy, sigma) - x).square().flatten(1).sum(1)  # L-Cool eq. 2
        return (error / sigma**2).mean()

    return train_alone(
        "denoiser",
        model,
        loss,
        unpaired(config.batch, data),
        config.steps,
        config.learning_rate,
        seed=seed,
        checkpoint=checkpoint,
        card=identity(config, data, sigmas=list(sigmas)),
    )
