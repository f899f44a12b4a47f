"""Recipes of the judges of generated images, trained on real labelled images only."""

from __future__ import annotations

import functools
from pathlib import Path

from torch import nn
from torch.nn.functional import cross_entropy

from domain_translation.data.labelled_sets import judge_images
from domain_translation.evaluation.judges import sample_judges
from domain_translation.evaluation.judges.sample_judges import SampleJudgeConfig, train_sample_judge
from domain_translation.pretrained.recipes.parts import CHECKED, Made, Recipe, fewer_steps


def sample_judge(
    name: str, config: SampleJudgeConfig, checkpoint: Path, seed: int
) -> dict[str, Made]:
    """The judge of a set of `evaluation.sample_sets`."""
    real = judge_images(name)
    judge = train_sample_judge(real.x, real.y, config, seed, checkpoint)
    return {f"energies/judge_{name}": Made(judge)}


def classification(name: str, _: str, network: nn.Module) -> float:
    """Cross-entropy of training images."""
    real = judge_images(name)
    return float(cross_entropy(network(real.x[:CHECKED]), real.y[:CHECKED]))


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    settings = {
        "digits": sample_judges.DIGITS,
        "glyphs": sample_judges.GLYPHS,
        "mnist": sample_judges.MNIST,
        "fashion": sample_judges.FASHION,
        "cifar": sample_judges.CIFAR,
    }
    return {
        f"energies/judge_{name}": Recipe(
            config,
            functools.partial(sample_judge, name),
            fewer_steps,
            functools.partial(classification, name),
        )
        for name, config in settings.items()
    }
