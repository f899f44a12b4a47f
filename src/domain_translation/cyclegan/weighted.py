"""CycleGAN with batch weights: JD-BW's remedy for mass shift in another translator.

Not in the sources. In the game x -> y a translated x counts as halfway(w_x) and a real y as
halfway(w_y), for generators and critics alike, and the other way about in the game y -> x. The
cycle and the identity loss are not weighted: they compare an image with itself and ask nothing of
masses. There is no
image pool, because a past translation would need the weight that it had.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.batch_weight.record import Record
from domain_translation.batch_weight.weight_nets import WeightNet
from domain_translation.batch_weight.weighting import (
    BatchWeights,
    Composite,
    Equal,
    Pairs,
    check_settings,
    halfway,
)
from domain_translation.checkpoints import digest
from domain_translation.cyclegan.images import CycleGAN, CycleGANConfig, build, check_images
from domain_translation.runtime import seeded
from domain_translation.training import Batch, Player, adam, fit, unpaired


@dataclass(frozen=True)
class WeightedConfig(CycleGANConfig):
    """CycleGAN on 16x16 images without pool, and its weight nets."""

    width: int = 8
    blocks: int = 2
    critic_layers: int = 1
    size: int = 16
    batch: int = 32
    steps: int = 1200
    learning_rate: float = 1e-3
    pool: int = 0
    lr_weights: float = 1e-3  # Adam, weight nets
    clip_first: float = 2.0  # bound on |W| at the beginning
    clip_last: float = 3.0  # bound on |W| at the end, reached linearly
    weight_width: int = 16  # maps of a weight net's first convolution

    def __post_init__(self) -> None:
        check_settings(self.batch, self.clip_first, self.clip_last)


QUICK = WeightedConfig()


class WeightedCycleGAN(NamedTuple):
    """Networks and weights, frozen, and the record of the weights."""

    networks: CycleGAN
    weighting: nn.Module
    losses: Tensor  # (steps, players)
    totals: Tensor  # (steps, 2, K) weighted class masses of both domains, if classes were given
    shares: Tensor  # (steps, 2) effective share of the examples of a minibatch


def composite(config: WeightedConfig, seed: int, channels: tuple[int, int] = (1, 1)) -> Composite:
    """Untrained weight nets for images of `channels` in the two domains."""
    with seeded(seed):
        return Composite(*(WeightNet(config.size, c, config.weight_width) for c in channels))


def train_weighted(
    x: Tensor,
    y: Tensor,
    weighting: nn.Module,
    config: WeightedConfig = QUICK,
    seed: int = 0,
    *,
    classes: tuple[Tensor, Tensor] | None = None,
    checkpoint: Path | str | None = None,
) -> WeightedCycleGAN:
    """Train a CycleGAN on unpaired images whose classes may differ in mass.

    The same arguments give the same weights, bit for bit on a CPU. Images are not mirrored:
    the mirror image of a digit is none.

    Args:
        x, y: training images (n, C, S, S) and (k, C', S, S) in [-1, 1].
        weighting: `composite(...)`, or `Equal()` for a CycleGAN without weights.
        config: lengths, rates, bounds.
        seed: of the initial weights and the minibatches.
        classes: of x (n,) and y (k,), for the record only: no network sees them.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: no images, images of another size, or values outside [-1, 1].
        CheckpointError, TrainingError: see `training.fit`.
    """
    for images in (x, y):
        check_images(images, config.size)
    networks = build(config, seed, (x.shape[1], y.shape[1]))
    record = Record(config.steps, config.clip_first, config.clip_last, classes)
    losses = fit(
        players(x, y, networks, weighting, record, config),
        unpaired(config.batch, torch.arange(len(x)), torch.arange(len(y))),
        config.steps,
        seed=seed,
        checkpoint=checkpoint,
        card={"config": asdict(config), "data_sha256": digest({"x": x, "y": y})},
        label="CycleGAN with batch weights",
    )
    for network in (*networks, weighting):
        network.requires_grad_(False).eval()
    return WeightedCycleGAN(networks, weighting, losses, record.totals, record.shares)


def squares(scores: Tensor, target: float) -> Tensor:
    """LSGAN's loss of each image (B,): mean squared distance of its patches from `target`."""
    return (scores - target).square().flatten(1).mean(1)


def players(
    x: Tensor,
    y: Tensor,
    networks: CycleGAN,
    weighting: nn.Module,
    record: Record,
    config: WeightedConfig,
) -> list[Player]:
    """Generators, critics and, where there are any, weight nets; translations are shared."""
    forward, backward, critic_x, critic_y = networks
    fresh: list[tuple[Pairs, BatchWeights]] = []  # from the generators to the others
    seen: list[Tensor] = []  # what the critics still told apart, from critics to weight nets

    def generator_loss(rows: Batch, _: Generator) -> Tensor:
        real_x, real_y = x[rows[0]], y[rows[1]]
        fake_y, fake_x = forward(real_x), backward(real_y)
        pairs = Pairs(real_x, fake_y.detach(), fake_x.detach(), real_y)
        weights: BatchWeights = weighting(pairs, record.bound())
        fresh[:] = [(pairs, weights)]
        record.add(rows[0], rows[1], weights)
        fool = (squares(critic_y(fake_y), 1) * halfway(weights.x.detach())).sum()
        fool = fool + (squares(critic_x(fake_x), 1) * halfway(weights.y.detach())).sum()
        cycle = (backward(fake_y) - real_x).abs().mean() + (forward(fake_x) - real_y).abs().mean()
        same = (backward(real_x) - real_x).abs().mean() + (forward(real_y) - real_y).abs().mean()
        loss: Tensor = fool + config.lambda_cycle * (cycle + config.lambda_identity * same)
        return loss

    def critic_loss(_: Batch, __: Generator) -> Tensor:
        pairs, weights = fresh[0]
        on_gx, on_y = critic_y(pairs.gx), critic_y(pairs.y)
        on_fy, on_x = critic_x(pairs.fy), critic_x(pairs.x)
        seen[:] = [v.detach().flatten(1).mean(1) for v in (on_gx, on_y, on_fy, on_x)]
        of_x = squares(on_gx, 0) + squares(on_x, 1)  # both counted with the weights of x
        of_y = squares(on_fy, 0) + squares(on_y, 1)
        half_x, half_y = halfway(weights.x.detach()), halfway(weights.y.detach())
        return ((of_x * half_x).sum() + (of_y * half_y).sum()) / 2

    def weight_loss(_: Batch, __: Generator) -> Tensor:
        # JD-BW eq. 6 with two-sided weights, once for each critic
        on_gx, on_y, on_fy, on_x = seen
        weights = fresh[0][1]
        half_x, half_y = halfway(weights.x), halfway(weights.y)
        in_y = (on_gx * half_x).sum() - (on_y * half_y).sum()
        in_x = (on_fy * half_y).sum() - (on_x * half_x).sum()
        return in_y.square() + in_x.square()

    generators = nn.ModuleList([forward, backward, record])
    critics = nn.ModuleList([critic_x, critic_y])
    rate, betas = config.learning_rate, (config.momentum, 0.999)
    team = [
        Player("generators", generators, generator_loss, adam(generators, rate, betas)),
        Player("critics", critics, critic_loss, adam(critics, rate, betas)),
    ]
    if isinstance(weighting, Equal):
        return team
    return [
        *team,
        Player("weights", weighting, weight_loss, adam(weighting, config.lr_weights, betas)),
    ]
