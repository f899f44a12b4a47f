"""Training CycleGAN on images: LSGAN, cycle and identity losses, image pool, linear decay.

The settings are those of the published models (L-Cool section 4.1 uses them as they are); the
`quick` preset is the same recipe at 64x64 with an eighth of the width's square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.checkpoints import digest
from domain_translation.cyclegan.networks import PatchDiscriminator, ResnetGenerator, initialise
from domain_translation.cyclegan.pool import ImagePool
from domain_translation.data.augment import crop_and_flip
from domain_translation.runtime import seeded
from domain_translation.training import Player, adam, at_precision, fit, linear_decay, unpaired


@dataclass(frozen=True)
class CycleGANConfig:
    """Settings of an image CycleGAN; the defaults are the published ones, for 256x256."""

    width: int = 64  # maps after the first convolution, generators and critics
    blocks: int = 9  # residual blocks of a generator
    critic_layers: int = 3  # 3: patches of 70x70 pixels; 2: 34x34
    size: int = 256  # side of the training crops; larger images are cropped at random
    batch: int = 1  # images of each domain per step
    steps: int = 266_800  # 200 epochs of horse2zebra's 1,334 zebras
    learning_rate: float = 2e-4  # Adam; constant for half the steps, then linearly to 0
    momentum: float = 0.5  # Adam's first beta
    lambda_cycle: float = 10.0  # weight of the L1 cycle loss
    lambda_identity: float = 0.5  # weight of the identity loss, in units of lambda_cycle
    pool: int = 50  # translations the critics remember
    precision: str = "float32"  # of the networks' arithmetic; or "bfloat16", 1.7 times as fast


PAPER = CycleGANConfig()  # lcool.arch.cyclegan
# 64x64 procedural pictures on two CPU cores in minutes: 346k parameters a generator.
QUICK = CycleGANConfig(
    width=16, blocks=4, critic_layers=2, size=64, batch=2, steps=3000, learning_rate=5e-4
)
# Real folders at 128x128, where a CPU core gets somewhere in two hours: 4.6 epochs of the maps. The
# stored run on the maps multiplied in bfloat16, as its card says: in 0.6 times the time, on
# processors that have it.
FULL = CycleGANConfig(width=16, blocks=6, size=128, steps=5000, learning_rate=4e-4)


class CycleGAN(NamedTuple):
    """Translators G: source -> target and F: target -> source, and their critics."""

    forward: nn.Module
    backward: nn.Module
    source_critic: nn.Module
    target_critic: nn.Module


def build(config: CycleGANConfig, seed: int = 0, channels: tuple[int, int] = (3, 3)) -> CycleGAN:
    """Untrained networks for source and target images of the given numbers of channels."""
    a, b = channels
    with seeded(seed):
        networks = CycleGAN(
            ResnetGenerator(a, b, config.width, config.blocks),
            ResnetGenerator(b, a, config.width, config.blocks),
            PatchDiscriminator(a, config.width, config.critic_layers),
            PatchDiscriminator(b, config.width, config.critic_layers),
        )
        for network in networks:
            initialise(network)
    return networks


def least_squares(scores: Tensor, real: float) -> Tensor:
    """LSGAN's loss: mean squared distance of the critic's scores from 1 (real) or 0 (fake)."""
    return (scores - real).square().mean()


def players(
    networks: CycleGAN, config: CycleGANConfig, events: tuple[tuple[int, ...], tuple[int, ...]]
) -> list[Player]:
    """Generators and critics as two players; one forward pass of G and F serves both.

    Args:
        networks: see `build`.
        config: loss weights, learning rate and pool size.
        events: shapes (channels, size, size) of a source and of a target crop.
    """
    forward, backward, source_critic, target_critic = networks
    old_x, old_y = ImagePool(config.pool, events[0]), ImagePool(config.pool, events[1])
    fresh: list[Tensor] = []  # translations of the current step, from generators to critics

    def generator_loss(batch: tuple[Tensor, ...], _: Generator) -> Tensor:
        x, y = batch
        fake_y, fake_x = forward(x), backward(y)
        fresh[:] = fake_x.detach().float(), fake_y.detach().float()  # autocast may have halved them
        fool = least_squares(target_critic(fake_y), 1) + least_squares(source_critic(fake_x), 1)
        cycle = (backward(fake_y) - x).abs().mean() + (forward(fake_x) - y).abs().mean()
        same = (backward(x) - x).abs().mean() + (forward(y) - y).abs().mean()
        loss: Tensor = fool + config.lambda_cycle * (cycle + config.lambda_identity * same)
        return loss

    def critic_loss(batch: tuple[Tensor, ...], generator: Generator) -> Tensor:
        x, y = batch
        past_x, past_y = old_x.exchange(fresh[0], generator), old_y.exchange(fresh[1], generator)
        real = least_squares(source_critic(x), 1) + least_squares(target_critic(y), 1)
        fake = least_squares(source_critic(past_x), 0) + least_squares(target_critic(past_y), 0)
        return (real + fake) / 2

    generators = nn.ModuleList([forward, backward])
    critics = nn.ModuleList([source_critic, target_critic, old_x, old_y])
    betas = (config.momentum, 0.999)
    return [
        Player(
            name,
            model,
            at_precision(loss, config.precision),
            adam(model, config.learning_rate, betas),
        )
        for name, model, loss in (
            ("generators", generators, generator_loss),
            ("critics", critics, critic_loss),
        )
    ]


def train_cyclegan(
    source: Tensor,
    target: Tensor,
    config: CycleGANConfig = QUICK,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> CycleGAN:
    """Train a CycleGAN on unpaired images; all four networks come back frozen.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        source, target: training images (n, C, H, W) and (m, C', H, W) in [-1, 1], H, W at least
            `config.size`; random crops, and mirror images of half of them, are what it sees.
        config: `PAPER`, `FULL` or `QUICK`.
        seed: of the initial weights, the minibatches and the pool.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: no images, images smaller than the crops, or values outside [-1, 1].
        CheckpointError, TrainingError: see `training.fit`.
    """
    for images in (source, target):
        check_images(images, config.size)
    networks = build(config, seed, (source.shape[1], target.shape[1]))
    for network in networks:
        network.to(source.device)
    events = tuple((images.shape[1], config.size, config.size) for images in (source, target))
    fit(
        players(networks, config, (events[0], events[1])),
        augmented(unpaired(config.batch, source, target), config.size),
        config.steps,
        seed=seed,
        schedule=linear_decay(config.steps),
        checkpoint=checkpoint,
        card={
            "config": asdict(config),
            "data_sha256": digest({"source": source, "target": target}),
        },
        label="CycleGAN",
    )
    return CycleGAN(*(n.requires_grad_(False).eval() for n in networks))


def augmented(
    draw: Callable[[Generator], tuple[Tensor, ...]], size: int
) -> Callable[[Generator], tuple[Tensor, ...]]:
    """Minibatches of `draw`, every image cropped and mirrored at random, domains independently."""

    def batch(generator: Generator) -> tuple[Tensor, ...]:
        return tuple(crop_and_flip(images, size, generator) for images in draw(generator))

    return batch


def check_images(images: Tensor, size: int) -> None:
    """Raise ValueError unless `images` are (n, C, H, W) in [-1, 1] with H, W >= size, n >= 1."""
    if images.ndim != 4 or len(images) == 0 or min(images.shape[-2:]) < size:
        raise ValueError(
            f"training images have shape {tuple(images.shape)}; give (n, C, H, W) with n at least "
            f"1 and sides of at least {size} pixels"
        )
    low, high = torch.aminmax(images)
    if not (low >= -1 and high <= 1):  # refuses NaN as well
        raise ValueError(
            f"training images have values from {low:.3g} to {high:.3g}; scale them to [-1, 1]"
        )
