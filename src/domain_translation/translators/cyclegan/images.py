"""Training CycleGAN on images: LSGAN, cycle and identity losses, image pool, linear decay.

The settings are those of the published models (L-Cool section 4.1 uses them as they are); the
`quick` preset is the same recipe at 64x64 with an eighth of the width's square.

With `weighting=` it has JD-BW's remedy for mass shift, which is not in the sources: in the game
x -> y a translated x counts as halfway(w_x) and a real y as halfway(w_y), for generators and
critics alike, and the other way about in the game y -> x. The cycle and the identity loss are not
weighted: they compare an image with itself and ask nothing of masses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.data.augment import crop_and_flip
from domain_translation.reweighting.record import Record, check_classes
from domain_translation.reweighting.weight_nets import WeightNet
from domain_translation.reweighting.weighting import (
    Composite,
    Equal,
    Pairs,
    halfway,
)
from domain_translation.runtime import lowered, precision, seeded
from domain_translation.training import (
    Batch,
    Batches,
    Losses,
    Player,
    Step,
    constant,
    fit,
    linear_decay,
    unpaired,
)
from domain_translation.training.checkpoints import digest
from domain_translation.translators.cyclegan.config import (
    QUICK,
    CycleGANConfig,
    WeightedConfig,
)
from domain_translation.translators.cyclegan.networks import (
    PatchDiscriminator,
    ResnetGenerator,
    initialise,
)
from domain_translation.translators.cyclegan.pool import ImagePool


class CycleGAN(NamedTuple):
    """Translators G: source -> target and F: target -> source, and their critics."""

    forward: nn.Module
    backward: nn.Module
    source_critic: nn.Module
    target_critic: nn.Module


class Trained(NamedTuple):
    """What a training leaves: networks and weights, frozen, and its record."""

    networks: CycleGAN
    weighting: nn.Module
    losses: Tensor  # (steps, players)
    totals: Tensor  # (steps, 2, K) weighted class masses of both domains, if classes were given
    shares: Tensor  # (steps, 2) effective share of the examples of a minibatch


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


def composite(config: WeightedConfig, seed: int, channels: tuple[int, int] = (1, 1)) -> Composite:
    """Untrained weight nets for images of `channels` in the two domains."""
    with seeded(seed):
        return Composite(*(WeightNet(config.size, c, config.weight_width) for c in channels))


def train_cyclegan(
    source: Tensor,
    target: Tensor,
    config: CycleGANConfig = QUICK,
    seed: int = 0,
    checkpoint: Path | str | None = None,
    *,
    weighting: nn.Module | None = None,
    classes: tuple[Tensor, Tensor] | None = None,
) -> Trained:
    """Train a CycleGAN on unpaired images.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        source, target: training images (n, C, H, W) and (m, C', H, W) in [-1, 1], H, W at least
            `config.size`; random crops are what it sees.
        config: `PAPER`, `FULL`, `QUICK`, or `WEIGHTED` for small images without pool.
        seed: of the initial weights, the minibatches and the pool.
        checkpoint: file to resume from and to write to; None keeps nothing.
        weighting: `composite(config, seed)`, where the classes of the domains differ in mass; None
            counts all images alike. It needs a `WeightedConfig`, and is trained in place.
        classes: of source (n,) and target (m,), for the record of the weighted class masses only:
            no network sees them.

    Raises:
        ValueError: no images, images smaller than the crops, values outside [-1, 1], not as many
            classes as images, weights beside a pool or without their settings.
        CheckpointError, TrainingError: see `training.fit`.
    """
    for images in (source, target):
        check_images(images, config.size)
    check_classes(classes, source, target)
    config = replace(config, precision=precision(config.precision, source.device))
    weighting = Equal() if weighting is None else weighting
    bounds = _bounds(config, weighting)
    networks = build(config, seed, (source.shape[1], target.shape[1]))
    for network in (*networks, weighting):
        network.to(source.device)
    record = Record(config.steps, *bounds, classes, device=source.device)
    pools = [
        ImagePool(config.pool, (images.shape[1], config.size, config.size), source.device)
        for images in (source, target)
    ]
    team = players(networks, weighting, config)
    losses = fit(
        cyclegan_step(networks, weighting, config, record, pools, team),
        team,
        minibatches(source, target, config),
        config.steps,
        state={"record": record, "source pool": pools[0], "target pool": pools[1]},
        seed=seed,
        schedule=linear_decay(config.steps) if config.decay else constant,
        checkpoint=checkpoint,
        card={
            "config": asdict(config),
            "data_sha256": digest({"source": source, "target": target}),
        },
        label="CycleGAN",
    )
    for network in (*networks, weighting):
        network.requires_grad_(False).eval()
    return Trained(networks, weighting, losses, record.totals, record.shares)


def cyclegan_step(
    networks: CycleGAN,
    weighting: nn.Module,
    config: CycleGANConfig,
    record: Record,
    pools: Sequence[ImagePool],
    players: Mapping[str, Player],
) -> Step:
    """One step of CycleGAN; the translations of the generators serve critics and weight nets."""
    forward, backward, critic_x, critic_y = networks

    def step(batch: Batch, generator: Generator) -> Losses:
        x, y, *rows = batch

        # Generators: fool both critics, come back, leave images of the domain made alone.
        with lowered(config.precision, x.device.type):
            gx, fy = forward(x), backward(y)
            pairs = Pairs(x, gx.detach().float(), fy.detach().float(), y)
            weights = weighting(pairs, record.bound())
            half_x, half_y = halfway(weights.x), halfway(weights.y)
            record.add(rows, (half_x, half_y))
            w, v = half_x.detach(), half_y.detach()
            fool_y, fool_x = least_squares(critic_y(gx), 1), least_squares(critic_x(fy), 1)
            fool = (fool_y * w).sum() + (fool_x * v).sum()
            cycle = (backward(gx) - x).abs().mean() + (forward(fy) - y).abs().mean()
            same = (backward(x) - x).abs().mean() + (forward(y) - y).abs().mean()
            loss = fool + config.lambda_cycle * (cycle + config.lambda_identity * same)
        losses = {"generators": players["generators"].descend(loss)}

        # Critics: tell data from translations, past ones where there is a pool.
        past_x = pools[0].exchange(pairs.fy, generator)
        past_y = pools[1].exchange(pairs.gx, generator)
        with lowered(config.precision, x.device.type):
            on_x, on_y, on_fy, on_gx = critic_x(x), critic_y(y), critic_x(past_x), critic_y(past_y)
            of_x = least_squares(on_gx, 0) + least_squares(on_x, 1)  # both count as x does
            of_y = least_squares(on_fy, 0) + least_squares(on_y, 1)
            loss = ((of_x * w).sum() + (of_y * v).sum()) / 2
        losses["critics"] = players["critics"].descend(loss)

        # Weight nets: leave the critics nothing to tell the domains apart by (JD-BW eq. 6).
        if "weights" in players:
            in_y = (value(on_gx) * half_x).sum() - (value(on_y) * half_y).sum()
            in_x = (value(on_fy) * half_y).sum() - (value(on_x) * half_x).sum()
            losses["weights"] = players["weights"].descend(in_y.square() + in_x.square())
        return losses

    return step


def least_squares(scores: Tensor, target: float) -> Tensor:
    """LSGAN's loss of each image (m,): mean squared distance of its patches' scores from `target`.

    Args:
        scores: of a critic, (m, ...).
        target: 1 for what should pass as real, 0 for what should not.
    """
    return (scores - target).square().flatten(1).mean(1)


def value(scores: Tensor) -> Tensor:
    """The critic's value of each image (m,), a number that is given."""
    return scores.detach().float().flatten(1).mean(1)


def players(networks: CycleGAN, weighting: nn.Module, config: CycleGANConfig) -> dict[str, Player]:
    """Generators, critics and, where there is anything to train, weight nets."""
    forward, backward, critic_x, critic_y = networks
    rate, betas = config.learning_rate, (config.momentum, 0.999)
    team = {
        "generators": Player(nn.ModuleList([forward, backward]), rate, betas),
        "critics": Player(nn.ModuleList([critic_x, critic_y]), rate, betas),
    }
    if isinstance(config, WeightedConfig) and not isinstance(weighting, Equal):
        team["weights"] = Player(weighting, config.lr_weights, betas)
    return team


def minibatches(source: Tensor, target: Tensor, config: CycleGANConfig) -> Batches:
    """Crops of both domains, drawn independently, and the rows that they come from."""
    rows = [torch.arange(len(images), device=images.device) for images in (source, target)]
    draw = unpaired(config.batch, *rows)

    def batch(generator: Generator) -> Batch:
        i, j = draw(generator)
        x = crop_and_flip(source[i], config.size, generator, config.mirrored)
        y = crop_and_flip(target[j], config.size, generator, config.mirrored)
        return x, y, i, j

    return batch


def _bounds(config: CycleGANConfig, weighting: nn.Module) -> tuple[float, float]:
    """Bounds on the weight nets, first and last; ValueError where they cannot be trained."""
    if isinstance(weighting, Equal):
        return 0.0, 0.0
    if not isinstance(config, WeightedConfig) or config.pool:
        raise ValueError(
            f"weights with a {type(config).__name__} and a pool of {config.pool}; give a "
            "WeightedConfig with pool=0: a past translation would need the weight that it had"
        )
    return config.clip_first, config.clip_last


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
