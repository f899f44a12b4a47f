"""Two-sided batch weights with a joint discriminator (JD-BW Algorithm 1).

Every step of generators and weights is followed by `critic_steps` steps of the discriminator on
minibatches of their own. The translations of a generator step, the weights and the
discriminator's values serve both the generators' loss and the weight nets': nothing is computed
twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation.reweighting.config import Schedule
from domain_translation.reweighting.generators import draw_noise
from domain_translation.reweighting.record import Record, check_classes
from domain_translation.reweighting.weighting import BatchWeights, Equal, Pairs, halfway
from domain_translation.sampling.inputs import asking, evaluating, examples
from domain_translation.training import Batch, Batches, Losses, Player, Step, fit
from domain_translation.training.trained import Trained, freeze, identity


class Networks(NamedTuple):
    """The players of a JD-BW game.

    Attributes:
        forward: G, images of the first domain and noise to images of the second.
        backward: F, images of the second domain and noise to images of the first.
        discriminator: D, pairs (x, y) to values (B,).
        weighting: one of the designs of `weighting`, (pairs, bound) to batch weights.
    """

    forward: nn.Module
    backward: nn.Module
    discriminator: nn.Module
    weighting: nn.Module


def train(
    x: Tensor,
    y: Tensor,
    networks: Networks,
    schedule: Schedule,
    seed: int = 0,
    *,
    classes: Sequence[Tensor] | None = None,
    checkpoint: Path | str | None = None,
) -> Trained[Networks, Record]:
    """Train translators between two domains whose classes may differ in mass.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        x, y: training examples (n, *event) and (k, *event'), unpaired.
        networks: untrained; trained in place.
        schedule: lengths, rates and bounds.
        seed: of minibatches and noise.
        classes: of x (n,) and y (k,), for the record of the weighted class masses only: no
            network sees them.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: an empty domain, images of two sizes, or as many classes as examples are not.
        TrainingError: a loss is not finite; says which, and at which step.
        CheckpointError: see `training.fit`.
    """
    x = examples(x, "x").float()
    y = examples(y, "y", like=x)
    if x.shape[2:] != y.shape[2:]:
        raise ValueError(
            f"images have {tuple(x.shape[2:])} and {tuple(y.shape[2:])} pixels; the joint "
            "discriminator needs one size for both domains"
        )
    classes = check_classes(classes, x, y)
    for network in networks:
        network.to(x.device)
    _tried(x, y, networks, schedule)
    record = Record(
        schedule.steps, schedule.clip_first, schedule.clip_last, classes, device=x.device
    )
    team = players(networks, schedule)
    losses = fit(
        algorithm1(x, y, networks, schedule, record, team),
        team,
        minibatches(len(x), len(y), schedule),
        schedule.steps,
        state={"record": record},
        seed=seed,
        checkpoint=checkpoint,
        card=identity(schedule, {"x": x, "y": y}),
        label="JD-BW",
    )
    return Trained(freeze(networks), losses, record)


def algorithm1(
    x: Tensor,
    y: Tensor,
    networks: Networks,
    schedule: Schedule,
    record: Record,
    players: Mapping[str, Player],
) -> Step:
    """One step of JD-BW's Algorithm 1 (jdbw.alg1) on minibatches of `minibatches`."""
    discriminator, weighting = networks.discriminator, networks.weighting

    def step(rows: Batch, noise: Generator) -> Losses:
        # Generators: at the midpoint of the masses the discriminator tells nothing apart.
        i, j = rows[0][0], rows[1][0]
        pairs = translated(x[i], y[j], networks, schedule.noise, noise)
        values = critic_values(pairs, discriminator)
        weights = weighting(Pairs(*(images.detach() for images in pairs)), record.bound())
        record.add((i, j), (halfway(weights.x), halfway(weights.y)))
        found = values[0].detach(), values[1].detach()
        fixed = BatchWeights(weights.x.detach(), weights.y.detach())
        losses = {"generators": players["generators"].descend(gap(values, fixed))}

        # Weight nets: leave the discriminator nothing to tell the domains apart by (JD-BW eq. 6).
        if "weights" in players:
            losses["weights"] = players["weights"].descend(gap(found, weights).square())

        # Discriminator: d steps on minibatches of their own, with the penalty of 4.3.
        for turn, (i, j) in enumerate(zip(rows[0][1:], rows[1][1:], strict=True), 1):
            with torch.no_grad():
                pairs = translated(x[i], y[j], networks, schedule.noise, noise)
                weights = weighting(pairs, record.bound())
            points = Pairs(*(images.requires_grad_() for images in pairs))
            values = critic_values(points, discriminator)
            loss = schedule.penalty * steepness(values, points) - gap(values, weights)
            losses[f"discriminator, turn {turn}"] = players["discriminator"].descend(loss)
        return losses

    return step


def players(networks: Networks, schedule: Schedule) -> dict[str, Player]:
    """Generators, discriminator and, where there is anything to train, weight nets."""
    betas = (schedule.momentum, 0.999)
    generators = nn.ModuleList([networks.forward, networks.backward])
    team = {
        "generators": Player(generators, schedule.lr_generator, betas),
        "discriminator": Player(networks.discriminator, schedule.lr_critic, betas),
    }
    if not isinstance(networks.weighting, Equal):
        team["weights"] = Player(networks.weighting, schedule.lr_weights, betas)
    return team


def minibatches(n: int, k: int, schedule: Schedule) -> Batches:
    """Rows of x and of y for one generator step and its discriminator steps: (1 + d, m) each."""
    shape = (1 + schedule.critic_steps, schedule.batch)

    def draw(generator: Generator) -> Batch:
        device = generator.device
        return tuple(
            torch.randint(count, shape, generator=generator, device=device) for count in (n, k)
        )

    return draw


def translated(x: Tensor, y: Tensor, networks: Networks, length: int, noise: Generator) -> Pairs:
    """Real examples of both domains beside their translations with fresh noise."""
    gx = networks.forward(x, draw_noise(len(x), length, noise))
    fy = networks.backward(y, draw_noise(len(y), length, noise))
    return Pairs(x, gx, fy, y)


def critic_values(pairs: Pairs, discriminator: nn.Module) -> tuple[Tensor, Tensor]:
    """D(x, G(x)) and D(F(y), y), (m,) each, in one pass."""
    both = discriminator(torch.cat([pairs.x, pairs.fy]), torch.cat([pairs.gx, pairs.y]))
    return both[: len(pairs.x)], both[len(pairs.x) :]


def gap(values: tuple[Tensor, Tensor], weights: BatchWeights) -> Tensor:
    """L^- - L^+: the discriminator's difference between the domains at their midpoint."""
    # JD-BW eq. 12, Algorithm 1: L^- = sum_i D(x_i, G(x_i)) (1/m + w_i)/2, L^+ likewise with v_i.
    minus, plus = values
    return (minus * halfway(weights.x)).sum() - (plus * halfway(weights.y)).sum()


def steepness(values: tuple[Tensor, Tensor], points: Pairs) -> Tensor:
    """Mean squared norm of the discriminator's gradient at the pairs it is trained on.

    JD-BW 4.3: "gradient penalty at training points", not between them (jdbw.train.reg).
    """
    slopes = torch.autograd.grad(values[0].sum() + values[1].sum(), list(points), create_graph=True)
    squares = [slope.flatten(1).square().sum(1) for slope in slopes]
    return sum(squares, torch.zeros_like(squares[0])).mean() / 2


@torch.no_grad()
def _tried(x: Tensor, y: Tensor, networks: Networks, schedule: Schedule) -> None:
    """Refuse networks that do not take the examples: one of each domain is translated."""
    with evaluating(*networks), asking("the networks", x):
        noise = Generator(x.device).manual_seed(0)
        critic_values(translated(x[:1], y[:1], networks, schedule.noise, noise), networks[2])
