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
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from torch import Generator, Tensor, nn

from domain_translation.data.augment import crop_and_flip
from domain_translation.reweighting.record import Record, check_classes
from domain_translation.reweighting.weighting import Equal, Pairs, halfway
from domain_translation.runtime import lowered, precision, seeded
from domain_translation.training import Batch, Losses, Player, Step, constant, fit, linear_decay
from domain_translation.training.trained import Trained, freeze, identity
from domain_translation.translators.cyclegan.config import QUICK, CycleGANConfig
from domain_translation.translators.cyclegan.networks import (
    PatchDiscriminator,
    ResnetGenerator,
    initialise,
)
from domain_translation.translators.cyclegan.pool import ImagePool
from domain_translation.translators.games import (
    check_images,
    minibatches,
    players,
    weight_settings,
)


class CycleGAN(NamedTuple):
    """Translators G: source -> target and F: target -> source, their critics, batch weights."""

    forward: nn.Module
    backward: nn.Module
    source_critic: nn.Module
    target_critic: nn.Module
    weighting: nn.Module = Equal()


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


def train_cyclegan(
    source: Tensor,
    target: Tensor,
    config: CycleGANConfig = QUICK,
    seed: int = 0,
    checkpoint: Path | str | None = None,
    *,
    weighting: nn.Module | None = None,
    classes: Sequence[Tensor] | None = None,
) -> Trained[CycleGAN, Record]:
    """Train a CycleGAN on unpaired images.

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        source, target: training images (n, C, H, W) and (m, C', H, W) in [-1, 1], H, W at least
            `config.size`; random crops are what it sees.
        config: `PAPER`, `FULL`, `QUICK`, or `WEIGHTED` for small images without pool.
        seed: of the initial weights, the minibatches and the pool.
        checkpoint: file to resume from and to write to; None keeps nothing.
        weighting: `weight_nets.composite(config, seed)`, where the classes of the domains differ in
            mass; None counts all images alike. It needs a `WeightedConfig`, and is trained in
            place.
        classes: of source (n,) and target (m,), for the record of the weighted class masses only:
            no network sees them.

    Raises:
        ValueError: no images, images smaller than the crops, values outside [-1, 1], not as many
            classes as images, weights beside a pool or without their settings.
        CheckpointError, TrainingError: see `training.fit`.
    """
    source = check_images(source, config.size, larger=True)
    target = check_images(target, config.size, larger=True, like=source)
    classes = check_classes(classes, source, target)
    config = replace(config, precision=precision(config.precision, source.device))
    weighting = Equal() if weighting is None else weighting
    of_weights = weight_settings(weighting, config, config.pool)
    bounds = of_weights.clip_first, of_weights.clip_last
    record = Record(config.steps, *bounds, classes, device=source.device)
    networks = build(config, seed, (source.shape[1], target.shape[1]))
    networks = networks._replace(weighting=weighting)
    for network in networks:
        network.to(source.device)
    pools = [
        ImagePool(config.pool, (images.shape[1], config.size, config.size), source.device)
        for images in (source, target)
    ]
    team = players(networks, config.learning_rate, of_weights.lr_weights, config.momentum)
    losses = fit(
        cyclegan_step(networks, config, record, pools, team),
        team,
        minibatches(
            source,
            target,
            config.batch,
            lambda images, g: crop_and_flip(images, config.size, g, config.mirrored),
        ),
        config.steps,
        state={"record": record, "source pool": pools[0], "target pool": pools[1]},
        seed=seed,
        schedule=linear_decay(config.steps) if config.decay else constant,
        checkpoint=checkpoint,
        card=identity(config, {"source": source, "target": target}),
        label="CycleGAN",
    )
    return Trained(freeze(networks), losses, record)


def cyclegan_step(
    networks: CycleGAN,
    config: CycleGANConfig,
    record: Record,
    pools: Sequence[ImagePool],
    players: Mapping[str, Player],
) -> Step:
    """One step of CycleGAN; the translations of the generators serve critics and weight nets."""
    forward, backward, critic_x, critic_y, weighting = networks

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
