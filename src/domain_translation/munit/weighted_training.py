"""MUNIT with batch weights, an ablation of JD-BW (4.2, jdbw.concept.baselines).

JD-BW says no more than the name. Declared here: the composite weights multiply LSGAN's terms, for
generators and critics alike; in the game x -> y a translated x counts as halfway(w_x) and a real
y as halfway(w_y), in the game y -> x the other way about. What is found again is not weighted:
it asks nothing of the other domain's masses.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.batch_weight.record import Record
from domain_translation.batch_weight.weight_nets import WeightNet
from domain_translation.batch_weight.weighting import BatchWeights, Composite, Pairs, halfway
from domain_translation.checkpoints import digest
from domain_translation.munit.config import WeightedConfig
from domain_translation.munit.losses import cross, split, squares, values
from domain_translation.munit.training import Networks, frozen, halved, prepared
from domain_translation.runtime import seeded
from domain_translation.training import Batch, Player, TrainingError, adam, fit, unpaired


class WeightedTrained(NamedTuple):
    """What a training with weights leaves: networks and weights, frozen, and its record."""

    networks: Networks
    weighting: Composite
    losses: Tensor  # (steps, 3)
    totals: Tensor  # (steps, 2, K) weighted class masses of both domains, if classes were given
    shares: Tensor  # (steps, 2) effective share of the examples of a minibatch


class Values(NamedTuple):
    """Critics' values of a minibatch, (m,) each: D_y at G(x) and y, D_x at F(y) and x."""

    gx: Tensor
    y: Tensor
    fy: Tensor
    x: Tensor


def train_weighted(
    x: Tensor,
    y: Tensor,
    config: WeightedConfig,
    seed: int = 0,
    *,
    classes: tuple[Tensor, Tensor] | None = None,
    checkpoint: Path | str | None = None,
) -> WeightedTrained:
    """Train MUNIT with batch weights on unpaired images.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        x, y, config, seed, checkpoint: as `training.train`.
        classes: of x (n,) and y (k,), for the record of the weighted class masses only: no
            network sees them.

    Raises:
        ValueError: as `training.train`, or not as many classes as images.
        TrainingError: a weight net or a loss is not finite; says at which step.
        CheckpointError: see `training.fit`.
    """
    networks = prepared(x, y, config, seed)
    if classes is not None and (classes[0].shape != x.shape[:1] or classes[1].shape != y.shape[:1]):
        raise ValueError("give one class per image of each domain, or no classes at all")
    weighting = build_weighting(config, seed, (x.shape[1], y.shape[1])).to(x.device)
    record = Record(config.steps, config.clip_first, config.clip_last, classes).to(x.device)
    rows = [torch.arange(len(images), device=images.device) for images in (x, y)]
    losses = fit(
        players(x, y, networks, weighting, record, config),
        unpaired(config.batch, *rows),
        config.steps,
        seed=seed,
        schedule=halved(config.halve_every),
        checkpoint=checkpoint,
        card={"config": asdict(config), "data_sha256": digest({"x": x, "y": y})},
        label="MUNIT with batch weights",
    )
    weighting.requires_grad_(False).eval()
    return WeightedTrained(frozen(networks), weighting, losses, record.totals, record.shares)


def build_weighting(
    config: WeightedConfig, seed: int = 0, channels: tuple[int, int] = (1, 1)
) -> Composite:
    """Untrained W_x and W_y for images of `channels` in the two domains."""
    with seeded(seed):
        nets = [WeightNet(config.size, of, config.weight_width) for of in channels]
    return Composite(*nets)


def unevenness(at: Values, weights: BatchWeights) -> Tensor:
    """What the critics still tell apart at the midpoint: squared differences of both games.

    JD-BW eq. 6 (jdbw.eq6) with two-sided weights, once for each critic.
    """
    half_x, half_y = halfway(weights.x), halfway(weights.y)
    in_y = (at.gx * half_x).sum() - (at.y * half_y).sum()
    in_x = (at.fy * half_y).sum() - (at.x * half_x).sum()
    return in_y.square() + in_x.square()


def players(
    x: Tensor,
    y: Tensor,
    networks: Networks,
    weighting: Composite,
    record: Record,
    config: WeightedConfig,
) -> list[Player]:
    """Generators, critics and weight nets; a minibatch is the rows of x and of y.

    The translations and the weights of the generators' step serve the critics, and the critics'
    values before their step serve the weight nets: nothing is computed twice.
    """
    domain_x, domain_y, critic_x, critic_y = networks
    fresh: list[tuple[Pairs, BatchWeights]] = []  # from the generators to the others
    seen: list[Values] = []  # from critics to weight nets

    def weigh(pairs: Pairs) -> BatchWeights:
        try:
            found: BatchWeights = weighting(pairs, record.bound())
        except FloatingPointError as error:
            raise TrainingError(f"{error} at step {int(record.step)}; lower lr_weights") from error
        return found

    def generator_loss(rows: Batch, generator: Generator) -> Tensor:
        real_x, real_y = x[rows[0]], y[rows[1]]
        made = cross(real_x, real_y, domain_x, domain_y, config, generator)
        pairs = Pairs(real_x, made.gx.detach(), made.fy.detach(), real_y)
        weights = weigh(pairs)
        fresh[:] = [(pairs, weights)]
        record.add(rows[0], rows[1], weights)
        half_x, half_y = halfway(weights.x.detach()), halfway(weights.y.detach())
        fool = (squares(critic_y(made.gx), 1) * half_x).sum()
        fool = fool + (squares(critic_x(made.fy), 1) * half_y).sum()
        return config.lambda_gan * fool + made.again

    def critic_loss(_: Batch, __: Generator) -> Tensor:
        pairs, weights = fresh[0]
        half_x, half_y = halfway(weights.x.detach()), halfway(weights.y.detach())
        fake_y, real_y = split(critic_y(torch.cat([pairs.gx, pairs.y])), len(pairs.gx))
        fake_x, real_x = split(critic_x(torch.cat([pairs.fy, pairs.x])), len(pairs.fy))
        scores = fake_y, real_y, fake_x, real_x
        seen[:] = [Values(*(values(each).detach() for each in scores))]
        of_x = squares(fake_y, 0) + squares(real_x, 1)  # both counted with the weights of x
        of_y = squares(fake_x, 0) + squares(real_y, 1)
        return (of_x * half_x).sum() + (of_y * half_y).sum()

    def weight_loss(_: Batch, __: Generator) -> Tensor:
        return unevenness(seen[0], fresh[0][1])

    generators = nn.ModuleList([domain_x, domain_y, record])
    critics = nn.ModuleList([critic_x, critic_y])
    rate, betas = config.learning_rate, (config.momentum, 0.999)
    return [
        Player("generators", generators, generator_loss, adam(generators, rate, betas)),
        Player("critics", critics, critic_loss, adam(critics, rate, betas)),
        Player("weights", weighting, weight_loss, adam(weighting, config.lr_weights, betas)),
    ]
