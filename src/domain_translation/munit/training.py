"""Training MUNIT: auto-encoders of two domains against two critics, one step each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.checkpoints import digest
from domain_translation.munit.config import MUNITConfig
from domain_translation.munit.losses import cross, split, squares
from domain_translation.munit.networks import AutoEncoder, MultiScaleDiscriminator, initialise
from domain_translation.runtime import seeded
from domain_translation.training import Batch, Player, adam, fit, unpaired


class Networks(NamedTuple):
    """Auto-encoders of the first and of the second domain, and their critics."""

    x: AutoEncoder
    y: AutoEncoder
    critic_x: MultiScaleDiscriminator
    critic_y: MultiScaleDiscriminator


class Trained(NamedTuple):
    """What a training leaves: the networks, frozen, and the losses (steps, 2)."""

    networks: Networks
    losses: Tensor


def build(config: MUNITConfig, seed: int = 0, channels: tuple[int, int] = (1, 1)) -> Networks:
    """Untrained networks for images of `channels` in the two domains."""

    def encoder(of: int) -> AutoEncoder:
        return AutoEncoder(of, config.width, config.blocks, config.style, config.hidden)

    def critic(of: int) -> MultiScaleDiscriminator:
        return MultiScaleDiscriminator(of, config.critic_width, config.critic_layers, config.scales)

    a, b = channels
    with seeded(seed):
        networks = Networks(encoder(a), encoder(b), critic(a), critic(b))
        initialise(networks.x, networks.critic_x)
        initialise(networks.y, networks.critic_y)
    return networks


def train(
    x: Tensor,
    y: Tensor,
    config: MUNITConfig,
    seed: int = 0,
    *,
    checkpoint: Path | str | None = None,
) -> Trained:
    """Train MUNIT on unpaired images.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        x, y: training images (n, C, S, S) and (k, C', S, S) in [-1, 1], S = `config.size`.
        config: `PAPER`, `QUICK` or your own.
        seed: of the initial weights, the minibatches and the style codes.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: no images, images of another size, or values outside [-1, 1].
        CheckpointError, TrainingError: see `training.fit`.
    """
    networks = prepared(x, y, config, seed)
    losses = fit(
        players(networks, config),
        unpaired(config.batch, x, y),
        config.steps,
        seed=seed,
        schedule=halved(config.halve_every),
        checkpoint=checkpoint,
        card={"config": asdict(config), "data_sha256": digest({"x": x, "y": y})},
        label="MUNIT",
    )
    return Trained(frozen(networks), losses)


def players(networks: Networks, config: MUNITConfig) -> list[Player]:
    """Generators and critics; the translations of a step serve both."""
    domain_x, domain_y, critic_x, critic_y = networks
    fresh: list[Tensor] = []  # translations of the current step, from generators to critics

    def generator_loss(batch: Batch, generator: Generator) -> Tensor:
        x, y = batch
        made = cross(x, y, domain_x, domain_y, config, generator)
        fresh[:] = made.gx.detach(), made.fy.detach()
        fool = squares(critic_y(made.gx), 1).mean() + squares(critic_x(made.fy), 1).mean()
        return config.lambda_gan * fool + made.again

    def critic_loss(batch: Batch, _: Generator) -> Tensor:
        (x, y), (gx, fy) = batch, fresh
        fake_y, real_y = split(critic_y(torch.cat([gx, y])), len(gx))
        fake_x, real_x = split(critic_x(torch.cat([fy, x])), len(fy))
        fake = squares(fake_y, 0).mean() + squares(fake_x, 0).mean()
        return fake + squares(real_y, 1).mean() + squares(real_x, 1).mean()

    generators, critics = nn.ModuleList([domain_x, domain_y]), nn.ModuleList([critic_x, critic_y])
    rate, betas = config.learning_rate, (config.momentum, 0.999)
    return [
        Player("generators", generators, generator_loss, adam(generators, rate, betas)),
        Player("critics", critics, critic_loss, adam(critics, rate, betas)),
    ]


def prepared(x: Tensor, y: Tensor, config: MUNITConfig, seed: int) -> Networks:
    """Networks for these images, on their device, after a look at the images (ValueError)."""
    for images in (x, y):
        check_images(images, config.size)
    networks = build(config, seed, (x.shape[1], y.shape[1]))
    for network in networks:
        network.to(x.device)
    return networks


def frozen(networks: Networks) -> Networks:
    """The networks, no longer trained."""
    for network in networks:
        network.requires_grad_(False).eval()
    return networks


def halved(every: int) -> Callable[[int], float]:
    """Learning-rate factor that is halved after each `every` steps."""
    return lambda step: 0.5 ** (step // every)


def check_images(images: Tensor, size: int) -> None:
    """Raise ValueError unless `images` are (n, C, size, size) in [-1, 1] with n at least 1."""
    if images.ndim != 4 or len(images) == 0 or images.shape[-2:] != (size, size):
        raise ValueError(
            f"training images have shape {tuple(images.shape)}; give (n, C, {size}, {size}) with n "
            "at least 1 in both domains, or set the configuration's size"
        )
    low, high = torch.aminmax(images)
    if not (low >= -1 and high <= 1):  # refuses NaN as well
        raise ValueError(
            f"training images have values from {low:.3g} to {high:.3g}; scale them to [-1, 1]"
        )
