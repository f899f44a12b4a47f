"""The judges of the quick profile: five small networks that tell two image domains apart.

They stand in for the five ImageNet classifiers of L-Cool (lcool.metric.likeness) and for the
people of ImproveIT's forced choice (improveit.metric.amt). The five families look at an image in
different ways, so that a translation has to convince all of them. They are trained on real images
of both domains and never see a translated or cooled one: a judge that had seen the artefacts of
one translator would be no judge of the next.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import conv2d, cross_entropy, pad

from domain_translation.data.augment import flip_and_move
from domain_translation.evaluation.judges.judge_networks import ImageJudges
from domain_translation.runtime import in_parts, seeded
from domain_translation.sampling.inputs import FAR, asking, pictures
from domain_translation.training import Batch, Batches, Losses, Player, fit, linear_decay, unpaired
from domain_translation.training.trained import freeze, identity

_PART = 128  # images judged at a time; bounds the memory


@dataclass(frozen=True)
class JudgeConfig:
    """Settings of the judges' training; no source has them, all are declared here."""

    steps: int = 400  # minibatches, the same for all five
    batch: int = 32  # real images of each domain per minibatch
    learning_rate: float = 3e-3  # Adam; constant for half the steps, then linearly to 0
    smoothing: float = 0.0  # share of the label that is spread over both classes
    shift: int = 3  # largest displacement in pixels, each way
    brightness: float = 0.1  # largest relative change of the light
    softness: float = 1.0  # largest share of a blur of one pixel that is mixed in, in [0, 1]


QUICK = JudgeConfig()


def train_image_judges(
    source: Tensor,
    target: Tensor,
    config: JudgeConfig = QUICK,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> nn.ModuleDict:
    """Train the five judges on real images of both domains; ready to judge (evaluation mode).

    All judges see the same minibatches, flipped, shifted, lightened and softened at random:
    without the softening they go by sharpness, and take a slightly blurred zebra for a horse.
    They minimise cross-entropy. Where the domains are easily told apart, they are nearly sure of
    every picture, and what tells two translations apart is `target_margin`. (Smoothed labels do not
    help: with smoothing s no answer beyond 1 - s/2 pays, and all good translations end there.)

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        source, target: real training images (n, 3, S, S) and (m, 3, S, S) in [-1, 1], S a
            multiple of 8.
        config: length and pace of the training.
        seed: of the initial weights, the minibatches and their augmentation.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: other shapes, values outside [-1, 1], or an empty domain.
        CheckpointError, TrainingError: see `training.fit`.
    """
    source = pictures(source, "source images", channels=3).float()
    target = pictures(target, "target images", like=source, channels=3)
    if not source.shape[2] == source.shape[3] == target.shape[2] == target.shape[3]:
        raise ValueError(
            f"images have shapes {tuple(source.shape)} and {tuple(target.shape)}; resize both "
            "domains to (n, 3, S, S) of one size, which alone would tell them apart"
        )
    with seeded(seed):
        judges = ImageJudges(source.shape[-1])
    judges.to(source.device)
    players = {name: Player(judge, config.learning_rate) for name, judge in judges.items()}

    def step(batch: Batch, _: Generator) -> Losses:
        x, y = batch
        smoothing = config.smoothing
        return {
            name: players[name].descend(cross_entropy(judge(x), y, label_smoothing=smoothing))
            for name, judge in judges.items()
        }

    fit(
        step,
        players,
        _augmented(source, target, config),
        config.steps,
        seed=seed,
        schedule=linear_decay(config.steps),
        checkpoint=checkpoint,
        card=identity(config, {"source": source, "target": target}),
        label="judges",
    )
    return freeze(judges)


def target_likeness(judges: nn.ModuleDict, x: Tensor) -> Tensor:
    """Probability (J, B) that each of the J judges gives to the target domain.

    The likeness of L-Cool (lcool.metric.likeness) with the target domain in place of zebra.

    Args:
        judges: as `train_image_judges` returns them.
        x: images (B, 3, S, S) in [-1, 1], translated or real.
    """
    return target_margin(judges, x).sigmoid()


def target_margin(judges: nn.Module, x: Tensor) -> Tensor:
    """Log-odds (J, B) of the target domain: the logit of `target_likeness`, which has no ends.

    Where judges are nearly sure of what they see, likeness has no room left; margins do.

    Args:
        judges, x: as there.
    """
    x = pictures(x, "x", like=judges, within=FAR)

    def margin(judge: nn.Module) -> Tensor:
        return in_parts(lambda part: judge(part).diff(dim=1)[:, 0], x, size=_PART)

    with asking("the judges", x):
        return torch.stack([margin(judge) for judge in judges.children()])


def _augmented(source: Tensor, target: Tensor, config: JudgeConfig) -> Batches:
    """Minibatches of real images of both domains, augmented once for all judges."""
    draw = unpaired(config.batch, source, target)
    labels = torch.tensor([0, 1], device=source.device).repeat_interleave(config.batch)

    def batches(generator: Generator) -> Batch:
        return augment(torch.cat(draw(generator)), config, generator), labels

    return batches


def augment(x: Tensor, config: JudgeConfig, generator: Generator) -> Tensor:
    """Mirror half of the images (B, 3, H, W), move each a little, change its light and sharpness.

    What an image does not cover after moving repeats its edge. Both domains are treated alike,
    so that none of this tells them apart.

    Args:
        x: in [-1, 1], which the result keeps.
        config: its `shift`, `brightness` and `softness`.
        generator: on the device of `x`.
    """
    b = len(x)

    def whole(low: int, high: int) -> Tensor:
        return torch.randint(low, high + 1, (b, 1), generator=generator, device=x.device)

    def share() -> Tensor:
        return torch.rand(b, 1, 1, 1, generator=generator, device=x.device)

    up, left = whole(-config.shift, config.shift), whole(-config.shift, config.shift)
    x = flip_and_move(x, up, left, mirrored=whole(0, 1) == 1)
    x = torch.lerp(x, _blurred(x), config.softness * share())
    light = 1 + config.brightness * (2 * share() - 1)
    return (light * (x + 1) - 1).clamp(-1, 1)


@functools.cache
def _binomial(device: torch.device, dtype: torch.dtype) -> Tensor:
    """The weights 1 4 6 4 1 of a blur with standard deviation of one pixel, brought there once."""
    return torch.tensor([1, 4, 6, 4, 1], dtype=dtype, device=device) / 16


def _blurred(x: Tensor) -> Tensor:
    """Blur with standard deviation of one pixel, both ways."""
    weights = _binomial(x.device, x.dtype)
    channels = x.shape[1]
    kernel = (weights[:, None] * weights).expand(channels, 1, 5, 5)
    return conv2d(pad(x, (2, 2, 2, 2), mode="replicate"), kernel, groups=channels)
