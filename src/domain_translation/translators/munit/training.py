"""Training MUNIT: auto-encoders of two domains against two critics, one step each.

With `weighting=` it is JD-BW's ablation "MUNIT with batch weights" (4.2, jdbw.concept.baselines),
of which the paper says no more than the name. Declared here: the composite weights multiply LSGAN's
terms, for generators and critics alike; in the game x -> y a translated x counts as halfway(w_x)
and a real y as halfway(w_y), in the game y -> x the other way about. What is found again is not
weighted: it asks nothing of the other domain's masses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.reweighting.record import Record, check_classes
from domain_translation.reweighting.weight_nets import WeightNet
from domain_translation.reweighting.weighting import Composite, Equal, Pairs, halfway
from domain_translation.runtime import seeded
from domain_translation.training import Batch, Batches, Losses, Player, Step, fit, unpaired
from domain_translation.training.checkpoints import digest
from domain_translation.translators.munit.config import MUNITConfig, WeightedConfig
from domain_translation.translators.munit.losses import cross, split, squares, values
from domain_translation.translators.munit.networks import (
    AutoEncoder,
    MultiScaleDiscriminator,
    initialise,
)


class Networks(NamedTuple):
    """Auto-encoders of the first and of the second domain, and their critics."""

    x: AutoEncoder
    y: AutoEncoder
    critic_x: MultiScaleDiscriminator
    critic_y: MultiScaleDiscriminator


class Trained(NamedTuple):
    """What a training leaves: networks and weights, frozen, and its record."""

    networks: Networks
    weighting: nn.Module
    losses: Tensor  # (steps, players)
    totals: Tensor  # (steps, 2, K) weighted class masses of both domains, if classes were given
    shares: Tensor  # (steps, 2) effective share of the examples of a minibatch


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


def composite(
    config: WeightedConfig, seed: int = 0, channels: tuple[int, int] = (1, 1)
) -> Composite:
    """Untrained W_x and W_y for images of `channels` in the two domains."""
    with seeded(seed):
        return Composite(*(WeightNet(config.size, of, config.weight_width) for of in channels))


def train(
    x: Tensor,
    y: Tensor,
    config: MUNITConfig,
    seed: int = 0,
    *,
    weighting: nn.Module | None = None,
    classes: tuple[Tensor, Tensor] | None = None,
    checkpoint: Path | str | None = None,
) -> Trained:
    """Train MUNIT on unpaired images.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        x, y: training images (n, C, S, S) and (k, C', S, S) in [-1, 1], S = `config.size`.
        config: `PAPER`, `QUICK` or your own.
        seed: of the initial weights, the minibatches and the style codes.
        weighting: `composite(config, seed)`, where the classes of the domains differ in mass; None
            counts all images alike. It needs a `WeightedConfig`, and is trained in place.
        classes: of x (n,) and y (k,), for the record of the weighted class masses only: no
            network sees them.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: no images, images of another size, values outside [-1, 1], not as many classes
            as images, or weights without their settings.
        TrainingError: a loss is not finite; says which, and at which step.
        CheckpointError: see `training.fit`.
    """
    for images in (x, y):
        check_images(images, config.size)
    check_classes(classes, x, y)
    weighting = Equal() if weighting is None else weighting
    networks = build(config, seed, (x.shape[1], y.shape[1]))
    for network in (*networks, weighting):
        network.to(x.device)
    team = players(networks, weighting, config)
    first, last = 0.0, 0.0
    if isinstance(config, WeightedConfig):
        first, last = config.clip_first, config.clip_last
    record = Record(config.steps, first, last, classes, device=x.device)
    losses = fit(
        munit_step(networks, weighting, config, record, team),
        team,
        minibatches(x, y, config.batch),
        config.steps,
        state={"record": record},
        seed=seed,
        schedule=halved(config.halve_every),
        checkpoint=checkpoint,
        card={"config": asdict(config), "data_sha256": digest({"x": x, "y": y})},
        label="MUNIT",
    )
    for network in (*networks, weighting):
        network.requires_grad_(False).eval()
    return Trained(networks, weighting, losses, record.totals, record.shares)


def munit_step(
    networks: Networks,
    weighting: nn.Module,
    config: MUNITConfig,
    record: Record,
    players: Mapping[str, Player],
) -> Step:
    """One step of MUNIT; the translations of the generators serve critics and weight nets."""
    domain_x, domain_y, critic_x, critic_y = networks

    def step(batch: Batch, generator: Generator) -> Losses:
        x, y, *rows = batch

        # Auto-encoders: find again what went in, and fool both critics.
        crossed = cross(x, y, domain_x, domain_y, config, generator)
        pairs = Pairs(x, crossed.gx.detach(), crossed.fy.detach(), y)
        weights = weighting(pairs, record.bound())
        half_x, half_y = halfway(weights.x), halfway(weights.y)
        record.add(rows, (half_x, half_y))
        w, v = half_x.detach(), half_y.detach()
        fool = (squares(critic_y(crossed.gx), 1) * w).sum()
        fool = fool + (squares(critic_x(crossed.fy), 1) * v).sum()
        loss = config.lambda_gan * fool + crossed.again
        losses = {"generators": players["generators"].descend(loss)}

        # Critics: tell translations from data.
        on_gx, on_y = split(critic_y(torch.cat([pairs.gx, y])), len(x))
        on_fy, on_x = split(critic_x(torch.cat([pairs.fy, x])), len(y))
        of_x = squares(on_gx, 0) + squares(on_x, 1)  # both count as x does
        of_y = squares(on_fy, 0) + squares(on_y, 1)
        losses["critics"] = players["critics"].descend((of_x * w).sum() + (of_y * v).sum())

        # Weight nets: leave the critics nothing to tell the domains apart by (JD-BW eq. 6).
        if "weights" in players:
            at_gx, at_y, at_fy, at_x = (values(s).detach() for s in (on_gx, on_y, on_fy, on_x))
            in_y = (at_gx * half_x).sum() - (at_y * half_y).sum()
            in_x = (at_fy * half_y).sum() - (at_x * half_x).sum()
            losses["weights"] = players["weights"].descend(in_y.square() + in_x.square())
        return losses

    return step


def players(networks: Networks, weighting: nn.Module, config: MUNITConfig) -> dict[str, Player]:
    """Generators, critics and, where there is anything to train, weight nets."""
    domain_x, domain_y, critic_x, critic_y = networks
    rate, betas = config.learning_rate, (config.momentum, 0.999)
    team = {
        "generators": Player(nn.ModuleList([domain_x, domain_y]), rate, betas),
        "critics": Player(nn.ModuleList([critic_x, critic_y]), rate, betas),
    }
    if not isinstance(weighting, Equal):
        if not isinstance(config, WeightedConfig):
            raise ValueError(f"weights with a {type(config).__name__}; give a WeightedConfig")
        team["weights"] = Player(weighting, config.lr_weights, betas)
    return team


def minibatches(x: Tensor, y: Tensor, size: int) -> Batches:
    """Images of both domains, drawn independently, and their rows."""
    draw = unpaired(size, *(torch.arange(len(images), device=images.device) for images in (x, y)))

    def batch(generator: Generator) -> Batch:
        i, j = draw(generator)
        return x[i], y[j], i, j

    return batch


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
