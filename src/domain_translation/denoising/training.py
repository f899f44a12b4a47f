"""Training a denoiser by the reconstruction objective of L-Cool eq. 2."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from domain_translation.runtime import seeded
from domain_translation.sampling.inputs import examples, tried
from domain_translation.training import Batch, unpaired
from domain_translation.training.trained import identity, train_alone


@dataclass(frozen=True)
class DenoiserConfig:
    """Settings of a denoiser's training. The sources give none for toys: declared here."""

    steps: int = 2000  # minibatches
    batch: int = 256  # samples per minibatch, each with fresh noise
    learning_rate: float = 1e-2  # Adam; constant for half the steps, then linearly to 0


TOY = DenoiserConfig()
# For the two-layer denoiser of width 512 on scikit-learn's digits.
DIGITS = DenoiserConfig(batch=128, learning_rate=2e-3)
# Of L-Cool section 4.1: 200 epochs of 1,067 horses, Adam at 2e-4 (lcool.train.dae_image). The batch
# and the decay are not in the source.
PAPER = DenoiserConfig(steps=213_400, batch=1, learning_rate=2e-4)
# For the light U-Net on pictures of 64x64 pixels, in minutes on one core.
IMAGES = DenoiserConfig(steps=2000, batch=16, learning_rate=1e-3)


def denoising_loss(denoiser: Callable[[Tensor], Tensor], x: Tensor, noise: Tensor) -> Tensor:
    """Mean over the batch of ||r(x + noise) - x||^2, L-Cool eq. 2 (lcool.eq2).

    Args:
        denoiser: r, (B, *event) -> (B, *event).
        x: clean samples (B, *event).
        noise: Gaussian, standard deviation sigma in the units of the data, shaped like `x`.
    """
    return (denoiser(x + noise) - x).square().flatten(1).sum(1).mean()


def train_denoiser(
    make: Callable[[], nn.Module],
    data: Tensor,
    sigma: float,
    config: DenoiserConfig = TOY,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> nn.Module:
    """Train the denoiser that `make` builds on `data` (n, *event) with noise of std `sigma`.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        make: builds the untrained network, e.g. ``lambda: MLPDenoiser(2)``.
        data: clean training samples of the source domain.
        sigma: standard deviation of the noise, in the units of the data, > 0.
        config: length and pace of the training.
        seed: of the initial weights, the minibatches and the noise.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: sigma not positive and finite, no data or such that are not finite floats,
            pictures out of 255, or a denoiser that does not take them.
        CheckpointError, TrainingError: see `training.fit`.
    """
    if not (sigma > 0 and math.isfinite(sigma)):
        raise ValueError(f"sigma is {sigma}; the noise of a denoiser needs a positive finite std")
    data = examples(data, "data")
    with seeded(seed):
        model = make().to(data.device)
    data = examples(data, "data", like=model)
    tried(model, data, "the denoiser", same=True)

    def loss(batch: Batch, generator: Generator) -> Tensor:
        (x,) = batch
        noise = torch.empty_like(x).normal_(0.0, sigma, generator=generator)
        return denoising_loss(model, x, noise)

    return train_alone(
        "denoiser",
        model,
        loss,
        unpaired(config.batch, data),
        config.steps,
        config.learning_rate,
        seed=seed,
        checkpoint=checkpoint,
        card=identity(config, data, sigma=sigma),
    )
