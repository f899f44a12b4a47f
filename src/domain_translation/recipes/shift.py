"""Recipes of part "Weights": JD-BW on digits out of balance, and the judges of both looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from domain_translation.data.digits import Split
from domain_translation.data.mass_shift import shrunk_and_turned
from domain_translation.data.sr_digits import handwritten, training_pair
from domain_translation.evaluation import sample_judges
from domain_translation.evaluation.sample_judges import SampleJudgeConfig, train_sample_judge
from domain_translation.jd_bw import config as settings
from domain_translation.jd_bw import images, training
from domain_translation.jd_bw.config import ImageConfig
from domain_translation.recipes.parts import SEED, Made, Recipe, fewer_steps

LOOKS = 4  # poses in which the judge of the turned digits sees each of them


def turned() -> Split:
    """The training digits, each in several poses of the first domain."""
    real = handwritten("train")
    looks = [shrunk_and_turned(real.x, SEED + look) for look in range(LOOKS)]
    return Split(torch.cat(looks), real.y.repeat(LOOKS))


def judge(
    name: str, real: Callable[[], Split], config: SampleJudgeConfig, checkpoint: Path
) -> dict[str, Made]:
    """A judge of real labelled digits in one look."""
    data = real()
    found = train_sample_judge(data.x, data.y, config, SEED, checkpoint)
    arguments = {"size": data.x.shape[-1], "channels": 1, "width": config.width}
    return {f"shift/judge_{name}": Made(found, "SampleJudge", arguments, {})}


def digits(config: ImageConfig, checkpoint: Path) -> dict[str, Made]:
    """JD-BW between skewed, resized digits and plain ones: everything needed to go on training."""
    pair = training_pair("digits", seed=SEED)
    networks = images.networks(config, seed=SEED)
    training.train(pair.x.x, pair.y.x, networks, config, SEED, checkpoint=checkpoint)
    generator = images.generator_arguments(config, 1, 1)
    weight = {"size": config.size, "channels": 1, "width": config.weight_width}
    critic = {
        "size": config.size,
        "channels_x": 1,
        "channels_y": 1,
        "width": config.critic_width,
        "spectral": config.spectral,
    }
    weighting = networks.weighting
    return {
        "shift/forward": Made(networks.forward, "StochasticGenerator", generator, {}),
        "shift/backward": Made(networks.backward, "StochasticGenerator", generator, {}),
        "shift/discriminator": Made(networks.discriminator, "JointDiscriminator", critic, {}),
        "shift/weight_x": Made(weighting.get_submodule("weight_x"), "WeightNet", weight, {}),
        "shift/weight_y": Made(weighting.get_submodule("weight_y"), "WeightNet", weight, {}),
    }


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    judged: dict[str, Callable[[], Split]] = {
        "plain": partial(handwritten, "train"),
        "turned": turned,
    }
    return {
        "shift/digits": Recipe(settings.QUICK_DIGITS, digits, fewer_steps),
        **{
            f"shift/judge_{name}": Recipe(
                sample_judges.GLYPHS, partial(judge, name, real), fewer_steps
            )
            for name, real in judged.items()
        },
    }
