"""IrwGAN: a CycleGAN that learns which examples to translate (Xie et al. 2021; no source has it).

Every example has a weight, of mean 1 over a minibatch. The generators' three losses are weighted by
it, and so are real examples in the critics' losses; translations count alike there. The weights are
paid for translations that deceive, and for being even:

    E[w_i (1 - D_Y(G(x_i)))^2] + E[v_j (1 - D_X(F(y_j)))^2] + lambda (|w| + |v|) / m

Where JD-BW asks two laws to meet, this asks for a part of each domain that can be translated, as
large as lambda makes it; an example whose weight is below `ignored` counts as nothing. What the
paper leaves open is as in its authors' program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import threshold

from domain_translation.reweighting.record import Record, check_classes
from domain_translation.reweighting.toy import DirectGenerator, PointGenerator, perceptron
from domain_translation.runtime import seeded
from domain_translation.sampling.inputs import examples
from domain_translation.training import Batch, Batches, Losses, Player, Step, fit
from domain_translation.training.trained import Trained, freeze, identity


@dataclass(frozen=True)
class Config:
    """Settings; rates and lengths are those of JD-BW's toy, the rest the authors'."""

    steps: int = 400
    batch: int = 128  # examples of each domain in a minibatch
    lr_generator: float = 1e-3  # Adam, as the next two
    lr_critic: float = 2e-3
    lr_weights: float = 2e-3
    momentum: float = 0.5  # Adam's beta_1; beta_2 = 0.999
    lambda_cycle: float = 10.0  # of the L1 cycle loss
    lambda_identity: float = 1.0  # of the identity loss, in units of lambda_cycle
    evenness: float = 1.0  # lambda above
    ignored: float = 0.1  # weights below count as 0, everywhere but in the weights' own loss
    width: int = 64  # hidden units of every network of the toy


class Networks(NamedTuple):
    """The players.

    Attributes:
        forward: G, examples of the first domain to examples of the second.
        backward: F, the other way.
        critic_x, critic_y: examples of a domain to values (B,) or (B, 1).
        weight_x, weight_y: examples of a domain to logits (B,) or (B, 1).
    """

    forward: nn.Module
    backward: nn.Module
    critic_x: nn.Module
    critic_y: nn.Module
    weight_x: nn.Module
    weight_y: nn.Module


def weights(net: nn.Module, examples: Tensor) -> Tensor:
    """Weights (m,) of a minibatch, of mean 1: a softmax over its examples."""
    logits: Tensor = net(examples).flatten()
    return len(logits) * logits.softmax(0)


def train(
    x: Tensor,
    y: Tensor,
    networks: Networks,
    config: Config,
    seed: int = 0,
    *,
    classes: tuple[Tensor, Tensor] | None = None,
    checkpoint: Path | str | None = None,
) -> Trained[Networks, Record]:
    """Train translators between two domains of one shape, and weights of their examples.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        x, y: training examples (n, *event) and (k, *event), unpaired.
        networks: untrained; trained in place.
        config: lengths, rates and weights of the losses.
        seed: of the minibatches.
        classes: of x (n,) and y (k,), for the record of the weighted class masses only: no
            network sees them.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: an empty domain, examples of two shapes, or not one class per example.
        TrainingError: a loss is not finite; says which, and at which step.
        CheckpointError: see `training.fit`.
    """
    x = examples(x, "x").float()
    y = examples(y, "y", like=x)
    if x.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"examples have shapes {tuple(x.shape[1:])} and {tuple(y.shape[1:])}; the identity "
            "loss compares an example with its own translation, so give one shape"
        )
    known = check_classes(classes, x, y)
    for network in networks:
        network.to(x.device)
    record = Record(config.steps, 0, 0, known, device=x.device)
    losses = fit(
        irwgan_step(x, y, networks, config, record, team := players(networks, config)),
        team,
        minibatches(len(x), len(y), config.batch),
        config.steps,
        state={"record": record},
        seed=seed,
        checkpoint=checkpoint,
        card=identity(config, {"x": x, "y": y}),
        label="IrwGAN",
    )
    return Trained(freeze(networks), losses, record)


def irwgan_step(
    x: Tensor,
    y: Tensor,
    networks: Networks,
    config: Config,
    record: Record,
    players: Mapping[str, Player],
) -> Step:
    """One step on minibatches of rows: generators, critics, weights."""
    forward, backward, critic_x, critic_y, weight_x, weight_y = networks

    def step(rows: Batch, _: Generator) -> Losses:
        i, j = rows
        a, b = x[i], y[j]
        w, v = weights(weight_x, a), weights(weight_y, b)
        record.add((i, j), (w, v))
        counted = [threshold(u.detach(), config.ignored, 0.0) for u in (w, v)]

        # Generators: deceive, come back, and leave examples of the domain made alone.
        ga, fb = forward(a), backward(b)
        deceits = deceit(critic_y(ga)), deceit(critic_x(fb))
        back = off(backward(ga), a), off(forward(fb), b)
        still = off(backward(a), a), off(forward(b), b)
        loss = torch.zeros(())
        for u, fooled, cycle, same in zip(counted, deceits, back, still, strict=True):
            paired = config.lambda_cycle * (cycle + config.lambda_identity * same)
            loss = loss + (u * (fooled + paired)).mean()
        losses = {"generators": players["generators"].descend(loss)}

        # Critics: real examples count by their weights, translations alike.
        ga, fb = ga.detach(), fb.detach()
        told = torch.zeros(())
        for u, critic, real, made in zip(
            counted, (critic_x, critic_y), (a, b), (fb, ga), strict=True
        ):
            told = told + (u * deceit(critic(real))).mean() + critic(made).square().mean()
        losses["critics"] = players["critics"].descend(told)

        # Weights: more for examples whose translations deceive, and not too few examples.
        chosen = torch.zeros(())
        for u, fooled in zip((w, v), deceits, strict=True):
            chosen = chosen + (u * fooled.detach()).mean() + config.evenness * u.norm() / len(u)
        losses["weights"] = players["weights"].descend(chosen)
        return losses

    return step


def deceit(values: Tensor) -> Tensor:
    """How far a critic's values (m,) or (m, 1) are from "real", squared: (m,)."""
    return (values.flatten() - 1).square()


def off(made: Tensor, meant: Tensor) -> Tensor:
    """Mean absolute difference of each example, (m,)."""
    return (made - meant).abs().flatten(1).mean(1)


def players(networks: Networks, config: Config) -> dict[str, Player]:
    """Generators, critics and weights, with Adam each."""
    forward, backward, critic_x, critic_y, weight_x, weight_y = networks
    betas = (config.momentum, 0.999)
    return {
        "generators": Player(nn.ModuleList([forward, backward]), config.lr_generator, betas),
        "critics": Player(nn.ModuleList([critic_x, critic_y]), config.lr_critic, betas),
        "weights": Player(nn.ModuleList([weight_x, weight_y]), config.lr_weights, betas),
    }


def minibatches(n: int, k: int, batch: int) -> Batches:
    """Rows of x and of y, (batch,) each."""

    def draw(generator: Generator) -> Batch:
        device = generator.device
        return tuple(
            torch.randint(count, (batch,), generator=generator, device=device) for count in (n, k)
        )

    return draw


class Sure(nn.Module):
    """A generator of (x, z) that is asked without noise: (B, 2) to (B, 2)."""

    def __init__(self, generator: PointGenerator | DirectGenerator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.generator(x, x.new_zeros(len(x), 0))
        return made


def networks(config: Config, seed: int) -> Networks:
    """Untrained networks for the planar toy, of the size of JD-BW's."""
    with seeded(seed):
        return Networks(
            Sure(PointGenerator(0, config.width)),
            Sure(PointGenerator(0, config.width)),
            *(perceptron(2, config.width) for _ in range(4)),
        )
