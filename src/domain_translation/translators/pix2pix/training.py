"""Training pix2pix on aligned pairs: LSGAN conditioned on the input, plus L1 (improveit.tab2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from domain_translation.data.augment import crop_and_flip
from domain_translation.runtime import seeded
from domain_translation.training import (
    Batch,
    Batches,
    Losses,
    Player,
    Step,
    fit,
    linear_decay,
    unpaired,
)
from domain_translation.training.trained import freeze, identity
from domain_translation.translators.cyclegan.images import least_squares
from domain_translation.translators.cyclegan.networks import PatchDiscriminator, initialise
from domain_translation.translators.games import check_images
from domain_translation.translators.pix2pix.networks import UnetGenerator


@dataclass(frozen=True)
class Pix2PixConfig:
    """Settings of pix2pix; the defaults are the published ones, for 256x256."""

    width: int = 64  # maps of the outermost level, generator and critic
    depth: int = 8  # levels of the U-Net: the innermost map is one pixel
    critic_layers: int = 3  # 3: patches of 70x70 pixels; 2: 34x34
    size: int = 256  # side of the training crops
    batch: int = 1  # pairs per step
    steps: int = 219_200  # 200 epochs of the 1,096 maps
    learning_rate: float = 2e-4  # Adam; constant for half the steps, then linearly to 0
    momentum: float = 0.5  # Adam's first beta
    lambda_l1: float = 100.0  # weight of the L1 distance to the true translation


PAPER = Pix2PixConfig()
QUICK = Pix2PixConfig(
    width=10, depth=6, critic_layers=2, size=64, batch=2, steps=2500, learning_rate=5e-4
)


def train_pix2pix(
    source: Tensor,
    target: Tensor,
    config: Pix2PixConfig = QUICK,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> nn.Module:
    """Train a translator on pairs; it comes back frozen.

    Args:
        source, target: aligned images (n, C, H, W) and (n, C', H, W) in [-1, 1].
        config: `PAPER` or `QUICK`.
        seed: of the initial weights, the minibatches and the dropout.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: not pairs, or images that CycleGAN would refuse.
        CheckpointError, TrainingError: see `training.fit`.
    """
    source = check_images(source, config.size, larger=True)
    target = check_images(target, config.size, larger=True, like=source)
    if len(source) != len(target):
        raise ValueError(f"{len(source)} source and {len(target)} target images are no pairs")
    a, b = source.shape[1], target.shape[1]
    with seeded(seed):
        translator = UnetGenerator(a, b, config.width, config.depth)
        critic = PatchDiscriminator(a + b, config.width, config.critic_layers)
        for network in (translator, critic):
            initialise(network)
    for network in (translator, critic):
        network.to(source.device)
    betas = (config.momentum, 0.999)
    team = {
        "translator": Player(translator, config.learning_rate, betas),
        "critic": Player(critic, config.learning_rate, betas),
    }
    fit(
        pix2pix_step(translator, critic, config, team),
        team,
        aligned(source, target, config),
        config.steps,
        seed=seed,
        schedule=linear_decay(config.steps),
        checkpoint=checkpoint,
        card=identity(config, {"x": source, "y": target}),
        label="pix2pix",
    )
    return freeze(translator)


def pix2pix_step(
    translator: nn.Module,
    critic: nn.Module,
    config: Pix2PixConfig,
    players: Mapping[str, Player],
) -> Step:
    """One step of pix2pix: the critic sees the source beside its translation."""

    def step(batch: Batch, generator: Generator) -> Losses:
        x, y, dropout = batch

        # Translator: fool the critic, and come close to the true translation.
        # Dropout takes no generator: the global one of its device is seeded from that of the run.
        with seeded(int(dropout), generator.device):
            fake = translator(x)
        fool = least_squares(critic(torch.cat([x, fake], 1)), 1).mean()
        loss = fool + config.lambda_l1 * (fake - y).abs().mean()
        losses = {"translator": players["translator"].descend(loss)}

        # Critic: tell true pairs from translated ones.
        real = least_squares(critic(torch.cat([x, y], 1)), 1).mean()
        made = least_squares(critic(torch.cat([x, fake.detach()], 1)), 0).mean()
        losses["critic"] = players["critic"].descend((real + made) / 2)
        return losses

    return step


def aligned(source: Tensor, target: Tensor, config: Pix2PixConfig) -> Batches:
    """Crops of pairs, the same for source and target, and a seed for the dropout of the step."""
    draw, channels = unpaired(config.batch, torch.cat([source, target], 1)), source.shape[1]

    def batch(generator: Generator) -> Batch:
        (both,) = draw(generator)
        pairs = crop_and_flip(both, config.size, generator)
        dropout = torch.randint(2**31, (), generator=generator, device=generator.device)
        return pairs[:, :channels], pairs[:, channels:], dropout

    return batch
