"""Recipes of the judges of plates, wares and heads, trained on real labelled images only."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from domain_translation.evaluation.sample_judges import SampleJudgeConfig, train_sample_judge
from domain_translation.experiments.weights_scenes import SCENES, judged_pair
from domain_translation.recipes.parts import SEED, Made, Recipe, fewer_steps

# Scenes and sides; the glyphs have their judge from `energies/judge_glyphs`.
JUDGED = (("plates", 1), ("wares", 0), ("wares", 1), ("heads", 0), ("heads", 1))


def judge(name: str, side: int, config: SampleJudgeConfig, checkpoint: Path) -> dict[str, Made]:
    """A judge of the first (0) or second (1) domain of a scene."""
    scene = SCENES[name]
    data = judged_pair(scene)[side]
    found = train_sample_judge(data.x, data.y, config, SEED, checkpoint)
    arguments = {
        "size": data.x.shape[-1],
        "channels": data.x.shape[1],
        "width": config.width,
        "classes": len(scene.classes),
    }
    return {scene.judges[side]: Made(found, "SampleJudge", arguments, {})}


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    return {
        SCENES[name].judges[side]: Recipe(
            SCENES[name].settings.judge, partial(judge, name, side), fewer_steps
        )
        for name, side in JUDGED
    }
