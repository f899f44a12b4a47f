"""Training MUNIT: auto-encoders of two domains against two critics, one step each.

With `weighting=` it is JD-BW's ablation "MUNIT with batch weights" (4.2, jdbw.concept.baselines),
of which the paper says no more than the name. Declared here: the composite weights multiply LSGAN's
terms, for generators and critics alike; in the game x -> y a translated x counts as halfway(w_x)
and a real y as halfway(w_y), in the game y -> x the other way about. What is found again is not
weighted: it asks nothing of the other domain's masses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.reweighting.record import Record, check_classes
from domain_translation.reweighting.weighting import Equal, Pairs, halfway
from domain_translation.runtime import seeded
from domain_translation.training import Batch, Losses, Player, Step, fit
from domain_translation.training.trained import Trained, freeze, identity
from domain_translation.translators.games import (
    check_images,
    minibatches,
    players,
    weight_settings,
)
from domain_translation.translators.munit.config import MUNITConfig
from domain_translation.translators.munit.losses import cross, split, squares, values
from domain_translation.translators.munit.networks import (
    AutoEncoder,
    MultiScaleDiscriminator,
    initialise,
)


class Networks(NamedTuple):
    """Auto-encoders of the first and of the second domain, their critics, and batch weights."""

    x: AutoEncoder
    y: AutoEncoder
    critic_x: MultiScaleDiscriminator
    critic_y: MultiScaleDiscriminator
    weighting: nn.Module = Equal()


def build(config: MUNITConfig, seed: int = 0, channels: tuple[int, int] = (1, 1)) -> Networks:
    """Untrained networks for images of `channels` in the two domains."""

    def encoder(of: int) -> AutoEncoder:
        return AutoEncoder(
            of, config.width, config.blocks, config.style, config.hidden, config.halvings
        )

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
    weighting: nn.Module | None = None,
    classes: Sequence[Tensor] | None = None,
    checkpoint: Path | str | None = None,
) -> Trained[Networks, Record]:
    """Train MUNIT on unpaired images.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        x, y: training images (n, C, S, S) and (k, C', S, S) in [-1, 1], S = `config.size`.
        config: `PAPER`, `QUICK` or your own.
        seed: of the initial weights, the minibatches and the style codes.
        weighting: `weight_nets.composite(config, seed)`, where the classes of the domains differ in
            mass; None counts all images alike. It needs a `WeightedConfig`, and is trained in
            place.
        classes: of x (n,) and y (k,), for the record of the weighted class masses only: no
            network sees them.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: no images, images of another size, values outside [-1, 1], not as many classes
            as images, or weights without their settings.
        TrainingError: a loss is not finite; says which, and at which step.
        CheckpointError: see `training.fit`.
    """
    x = check_images(x, config.size)
    y = check_images(y, config.size, like=x)
    classes = check_classes(classes, x, y)
    weighting = Equal() if weighting is None else weighting
    of_weights = weight_settings(weighting, config)
    bounds = of_weights.clip_first, of_weights.clip_last
    record = Record(config.steps, *bounds, classes, device=x.device)
    networks = build(config, seed, (x.shape[1], y.shape[1]))._replace(weighting=weighting)
    for network in networks:
        network.to(x.device)
    team = players(networks, config.learning_rate, of_weights.lr_weights, config.momentum)
    losses = fit(
        munit_step(networks, config, record, team),
        team,
        minibatches(x, y, config.batch),
        config.steps,
        state={"record": record},
        seed=seed,
        schedule=halved(config.halve_every),
        checkpoint=checkpoint,
        card=identity(config, {"x": x, "y": y}),
        label="MUNIT",
    )
    return Trained(freeze(networks), losses, record)


def munit_step(
    networks: Networks,
    config: MUNITConfig,
    record: Record,
    players: Mapping[str, Player],
) -> Step:
    """One step of MUNIT; the translations of the generators serve critics and weight nets."""
    domain_x, domain_y, critic_x, critic_y, weighting = networks

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


def halved(every: int) -> Callable[[int], float]:
    """Learning-rate factor that is halved after each `every` steps."""
    return lambda step: 0.5 ** (step // every)
