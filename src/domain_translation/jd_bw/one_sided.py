"""One-sided batch weights (JD-BW 3.1, Algorithm 2; jdbw.alg2).

Only translated examples are weighted, by a network that sees their sources, and the discriminator
sees the second domain only. There is no way back and no joint law. The paper gave this up because
weights may collapse onto one example per batch; it is here to be measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.batch_weight.masses import class_totals
from domain_translation.batch_weight.weighting import batch_softmax, relaxed
from domain_translation.checkpoints import digest
from domain_translation.jd_bw.config import Schedule
from domain_translation.jd_bw.generators import draw_noise
from domain_translation.jd_bw.toy import PointGenerator, ToyConfig, perceptron
from domain_translation.jd_bw.training import minibatches
from domain_translation.runtime import seeded
from domain_translation.training import Batch, Player, TrainingError, adam, fit


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


class OneSidedTrained(NamedTuple):
    """What a training leaves: the networks, frozen, and its record."""

    networks: OneSidedNetworks
    losses: Tensor  # (steps, players)
    totals: Tensor  # (steps, K) weighted class masses of the first domain, if classes were given
    shares: Tensor  # (steps,) effective share of the examples of a minibatch


class _Log(nn.Module):
    """Step counter and record, kept in the generator's checkpoint."""

    step: Tensor
    totals: Tensor
    shares: Tensor

    def __init__(self, steps: int, classes: Tensor | None) -> None:
        super().__init__()
        self.classes = classes
        self.count = 0 if classes is None else 1 + int(classes.max())
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("totals", torch.zeros(steps, self.count))
        self.register_buffer("shares", torch.zeros(steps))

    def add(self, rows: Tensor, weights: Tensor) -> None:
        w = weights.detach()
        self.shares[self.step] = w.sum().square() / w.square().sum() / len(w)
        if self.classes is not None:
            self.totals[self.step] = class_totals(w, self.classes[rows], self.count)
        self.step += 1


def train(
    x: Tensor,
    y: Tensor,
    networks: OneSidedNetworks,
    schedule: Schedule,
    seed: int = 0,
    *,
    classes: Tensor | None = None,
    checkpoint: Path | str | None = None,
) -> OneSidedTrained:
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
        ValueError: an empty domain, or as many classes as examples are not.
        TrainingError: the weight net or a loss is not finite; says at which step.
        CheckpointError: see `training.fit`.
    """
    if len(x) == 0 or len(y) == 0:
        raise ValueError("cannot train on an empty domain; give at least one example of each")
    if classes is not None and classes.shape != x.shape[:1]:
        raise ValueError("give one class per example of the first domain, or no classes at all")
    log = _Log(schedule.steps, classes).to(x.device)
    losses = fit(
        _players(x, y, networks, schedule, log),
        minibatches(len(x), len(y), schedule),
        schedule.steps,
        seed=seed,
        checkpoint=checkpoint,
        card={"config": asdict(schedule), "data_sha256": digest({"x": x, "y": y}), "sides": 1},
        label="one-sided batch weights",
    )
    for network in networks:
        network.requires_grad_(False).eval()
    return OneSidedTrained(networks, losses, log.totals, log.shares)


def weighted_gap(fake: Tensor, real: Tensor, weights: Tensor) -> Tensor:
    """L^- - L^+ of Algorithm 2, from discriminator values (m,) and weights (m,) of sum one."""
    # JD-BW eq. 7: L^- = sum_i w_i D(G(x_i)), L^+ = sum_i D(y_i) / m
    return (fake * weights).sum() - real.mean()


def _players(
    x: Tensor, y: Tensor, networks: OneSidedNetworks, schedule: Schedule, log: _Log
) -> list[Player]:
    """Generator, weight net, and the discriminator `critic_steps` times."""
    forward, discriminator, weight = networks
    bound = relaxed(schedule.clip_first, schedule.clip_last, schedule.steps)
    fresh: list[tuple[Tensor, Tensor, Tensor]] = []  # from the generator to the weight net

    def weigh(images: Tensor) -> Tensor:
        try:
            return batch_softmax(weight(images), bound(int(log.step)))
        except FloatingPointError as error:
            raise TrainingError(f"{error} at step {int(log.step)}; lower lr_weights") from error

    def translate(images: Tensor, generator: Generator) -> Tensor:
        out: Tensor = forward(images, draw_noise(len(images), schedule.noise, generator))
        return out

    def generator_loss(rows: Batch, generator: Generator) -> Tensor:
        images = x[rows[0][0]]
        fake, real = discriminator(translate(images, generator)), discriminator(y[rows[1][0]])
        weights = weigh(images)
        fresh[:] = [(fake.detach(), real.detach(), weights)]
        log.add(rows[0][0], weights)
        out: Tensor = (fake * weights.detach()).sum()
        return out

    def weight_loss(_: Batch, __: Generator) -> Tensor:
        return weighted_gap(*fresh[0]).square()

    def critic_loss(turn: int) -> Callable[[Batch, Generator], Tensor]:
        def loss(rows: Batch, generator: Generator) -> Tensor:
            images = x[rows[0][turn]]
            with torch.no_grad():
                points = torch.cat([translate(images, generator), y[rows[1][turn]]])
                weights = weigh(images)
            points.requires_grad_()
            values = discriminator(points)
            m = len(images)
            # The paper's pseudocode has no Lipschitz constraint; the penalty is that of 4.3.
            (slope,) = torch.autograd.grad(values.sum(), points, create_graph=True)
            steep = slope.flatten(1).square().sum(1).mean()
            out: Tensor = schedule.penalty * steep - weighted_gap(values[:m], values[m:], weights)
            return out

        return loss

    team = nn.ModuleList([forward, log])
    betas = (schedule.momentum, 0.999)
    adam_d = adam(discriminator, schedule.lr_critic, betas)
    return [
        Player("generator", team, generator_loss, adam(team, schedule.lr_generator, betas)),
        Player("weights", weight, weight_loss, adam(weight, schedule.lr_weights, betas)),
    ] + [
        Player("discriminator", discriminator, critic_loss(1 + turn), adam_d)
        for turn in range(schedule.critic_steps)
    ]


def networks(config: ToyConfig, seed: int) -> OneSidedNetworks:
    """Untrained networks for the planar toy, of the size of the two-sided ones."""
    with seeded(seed):
        return OneSidedNetworks(
            PointGenerator(config.noise, config.width),
            nn.Sequential(perceptron(2, config.width), nn.Flatten(0)),
            perceptron(2, config.width),
        )
