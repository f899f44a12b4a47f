"""Recipes of part "Weights": JD-BW on digits out of balance, and the judges of both looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Generator, nn
from torch.nn.functional import cross_entropy

from domain_translation.data.digits import Split
from domain_translation.evaluation.judges import sample_judges
from domain_translation.evaluation.judges.sample_judges import SampleJudgeConfig, train_sample_judge
from domain_translation.pretrained.recipes.parts import (
    CHECK,
    CHECKED,
    SEED,
    Made,
    Recipe,
    fewer_steps,
)
from domain_translation.reweighting import config as settings
from domain_translation.reweighting import images, joint
from domain_translation.reweighting.config import ImageConfig
from domain_translation.reweighting.domains.mass_shift import shrunk_and_turned
from domain_translation.reweighting.domains.sr_digits import handwritten, training_pair
from domain_translation.reweighting.generators import draw_noise

LOOKS = 4  # poses in which the judge of the turned digits sees each of them


def turned() -> Split:
    """The training digits, each in several poses of the first domain."""
    real = handwritten("train")
    looks = [shrunk_and_turned(real.x, SEED + look) for look in range(LOOKS)]
    return Split(torch.cat(looks), real.y.repeat(LOOKS))


def judge(
    name: str, real: Callable[[], Split], config: SampleJudgeConfig, checkpoint: Path, seed: int
) -> dict[str, Made]:
    """A judge of real labelled digits in one look."""
    data = real()
    found = train_sample_judge(data.x, data.y, config, seed, checkpoint)
    return {f"shift/judge_{name}": Made(found)}


def digits(config: ImageConfig, checkpoint: Path, seed: int) -> dict[str, Made]:
    """JD-BW between skewed, resized digits and plain ones: everything needed to go on training."""
    pair = training_pair("digits", seed=SEED)
    networks = images.networks(config, seed=seed)
    joint.train(pair.x.x, pair.y.x, networks, config, seed, checkpoint=checkpoint)
    weighting = networks.weighting
    return {
        "shift/forward": Made(networks.forward),
        "shift/backward": Made(networks.backward),
        "shift/discriminator": Made(networks.discriminator),
        "shift/weight_x": Made(weighting.get_submodule("weight_x")),
        "shift/weight_y": Made(weighting.get_submodule("weight_y")),
    }


def classification(real: Callable[[], Split], _: str, network: nn.Module) -> float:
    """Cross-entropy of training images."""
    data = real()
    return float(cross_entropy(network(data.x[:CHECKED]), data.y[:CHECKED]))


def game(file: str, network: nn.Module) -> float:
    """What a network of JD-BW does with training digits beside their true counterparts.

    A generator: mean distance from the counterpart. A weight net: its logit for zeros above that
    for the rest. The discriminator: its value for a digit beside the counterpart above that for a
    digit beside another's.
    """
    real = handwritten("train")
    y, zero = real.x[:CHECKED], real.y[:CHECKED] == 0
    x = shrunk_and_turned(y, CHECK)
    part = file.removeprefix("shift/")
    if part == "discriminator":
        return float((network(x, y) - network(x, y.roll(1, 0))).mean())
    if part.startswith("weight"):
        logits = network(x if part == "weight_x" else y)
        return float(logits[zero].mean() - logits[~zero].mean())
    seen, wanted = (x, y) if part == "forward" else (y, x)
    noise = draw_noise(CHECKED, settings.QUICK_DIGITS.noise, Generator().manual_seed(CHECK))
    return float((network(seen, noise) - wanted).abs().mean())


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    judged: dict[str, Callable[[], Split]] = {
        "plain": partial(handwritten, "train"),
        "turned": turned,
    }
    return {
        "shift/digits": Recipe(settings.QUICK_DIGITS, digits, fewer_steps, game),
        **{
            f"shift/judge_{name}": Recipe(
                sample_judges.GLYPHS,
                partial(judge, name, real),
                fewer_steps,
                partial(classification, real),
            )
            for name, real in judged.items()
        },
    }
