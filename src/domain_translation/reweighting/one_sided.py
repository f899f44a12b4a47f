"""One-sided batch weights (JD-BW 3.1, Algorithm 2; jdbw.alg2).

Only translated examples are weighted, by a network that sees their sources, and the discriminator
sees the second domain only. There is no way back and no joint law. The paper gave this up because
weights may collapse onto one example per batch; it is here to be measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.reweighting.config import Schedule
from domain_translation.reweighting.generators import draw_noise
from domain_translation.reweighting.joint import minibatches
from domain_translation.reweighting.record import Record, check_classes
from domain_translation.reweighting.toy import PointGenerator, ToyConfig, perceptron
from domain_translation.reweighting.weighting import batch_softmax
from domain_translation.runtime import seeded
from domain_translation.sampling.inputs import examples
from domain_translation.training import Batch, Losses, Player, Step, fit
from domain_translation.training.trained import Trained, freeze, identity


class OneSidedNetworks(NamedTuple):
    """The players of Algorithm 2.

    Attributes:
        forward: G, examples of the first domain and noise to examples of the second.
        discriminator: D, examples of the second domain (B, *event) to values (B,).
        weight: W, examples of the first domain (B, *event) to logits (B,) or (B, 1).
    """

    forward: nn.Module
    discriminator: nn.Module
    weight: nn.Module


def train(
    x: Tensor,
    y: Tensor,
    networks: OneSidedNetworks,
    schedule: Schedule,
    seed: int = 0,
    *,
    classes: Tensor | None = None,
    checkpoint: Path | str | None = None,
) -> Trained[OneSidedNetworks, Record]:
    """Train a translator whose outputs, weighted, have the law of the second domain.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        x, y: training examples (n, *event) and (k, *event'), unpaired.
        networks: untrained; trained in place.
        schedule: lengths, rates and bounds.
        seed: of minibatches and noise.
        classes: of x (n,), for the record of the weighted class masses only: no network sees them.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: an empty domain, or not one class per example.
        TrainingError: a loss is not finite; says which, and at which step.
        CheckpointError: see `training.fit`.
    """
    x = examples(x, "x").float()
    y = examples(y, "y", like=x)
    known = check_classes(None if classes is None else (classes,), x)
    for network in networks:
        network.to(x.device)
    bounds = schedule.clip_first, schedule.clip_last
    record = Record(schedule.steps, *bounds, known, sides=1, device=x.device)
    betas = (schedule.momentum, 0.999)
    team = {
        "generator": Player(networks.forward, schedule.lr_generator, betas),
        "weights": Player(networks.weight, schedule.lr_weights, betas),
        "discriminator": Player(networks.discriminator, schedule.lr_critic, betas),
    }
    losses = fit(
        algorithm2(x, y, networks, schedule, record, team),
        team,
        minibatches(len(x), len(y), schedule),
        schedule.steps,
        state={"record": record},
        seed=seed,
        checkpoint=checkpoint,
        card=identity(schedule, {"x": x, "y": y}, sides=1),
        label="one-sided batch weights",
    )
    return Trained(freeze(networks), losses, record)


def algorithm2(
    x: Tensor,
    y: Tensor,
    networks: OneSidedNetworks,
    schedule: Schedule,
    record: Record,
    players: Mapping[str, Player],
) -> Step:
    """One step of JD-BW's Algorithm 2 (jdbw.alg2) on minibatches of `minibatches`."""
    forward, discriminator, weight = networks

    def translate(images: Tensor, noise: Generator) -> Tensor:
        return forward(images, draw_noise(len(images), schedule.noise, noise))

    def step(rows: Batch, noise: Generator) -> Losses:
        # Generator: the discriminator should value its weighted translations low.
        i, j = rows[0][0], rows[1][0]
        fake, real = discriminator(translate(x[i], noise)), discriminator(y[j])
        weights = batch_softmax(weight(x[i]), record.bound())
        record.add((i,), (weights,))
        found, wanted = fake.detach(), real.detach()
        losses = {"generator": players["generator"].descend((fake * weights.detach()).sum())}

        # Weight net: leave the discriminator nothing to tell them apart by (JD-BW eq. 6).
        loss = weighted_gap(found, wanted, weights).square()
        losses["weights"] = players["weights"].descend(loss)

        # Discriminator: d steps on minibatches of their own.
        for turn, (i, j) in enumerate(zip(rows[0][1:], rows[1][1:], strict=True), 1):
            with torch.no_grad():
                points = torch.cat([translate(x[i], noise), y[j]])
                weights = batch_softmax(weight(x[i]), record.bound())
            values = discriminator(points.requires_grad_())
            # The paper's pseudocode has no Lipschitz constraint; the penalty is that of 4.3.
            (slope,) = torch.autograd.grad(values.sum(), points, create_graph=True)
            steep = slope.flatten(1).square().sum(1).mean()
            between = weighted_gap(values[: len(i)], values[len(i) :], weights)
            loss = schedule.penalty * steep - between
            losses[f"discriminator, turn {turn}"] = players["discriminator"].descend(loss)
        return losses

    return step


def weighted_gap(fake: Tensor, real: Tensor, weights: Tensor) -> Tensor:
    """L^- - L^+ of Algorithm 2, from discriminator values (m,) and weights (m,) of sum one."""
    # JD-BW eq. 7: L^- = sum_i w_i D(G(x_i)), L^+ = sum_i D(y_i) / m
    return (fake * weights).sum() - real.mean()


def networks(config: ToyConfig, seed: int) -> OneSidedNetworks:
    """Untrained networks for the planar toy, of the size of the two-sided ones."""
    with seeded(seed):
        return OneSidedNetworks(
            PointGenerator(config.noise, config.width),
            nn.Sequential(perceptron(2, config.width), nn.Flatten(0)),
            perceptron(2, config.width),
        )
