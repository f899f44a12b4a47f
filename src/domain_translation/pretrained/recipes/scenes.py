"""Recipes of the scenes of part "Weights": JD-BW on plates, wares and heads, and their judges."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from torch import Generator, nn
from torch.nn.functional import cross_entropy

from domain_translation.evaluation.judges.sample_judges import (
    GLYPHS,
    TWO_CLASSES,
    SampleJudgeConfig,
    train_sample_judge,
)
from domain_translation.pretrained.recipes.parts import (
    CHECK,
    CHECKED,
    SEED,
    Made,
    Recipe,
    fewer_steps,
)
from domain_translation.reweighting import images, joint
from domain_translation.reweighting.config import QUICK_PLATES, QUICK_WARES, ImageConfig
from domain_translation.reweighting.domains.scenes import DRAWN, judged_pair, training_pair
from domain_translation.reweighting.generators import draw_noise

JOINT = {"plates": QUICK_PLATES, "wares": QUICK_WARES, "heads": QUICK_WARES}
# By scene and side; the glyphs have their judge from `energies/judge_glyphs`.
JUDGED = {
    ("plates", 1): GLYPHS,
    ("wares", 0): TWO_CLASSES,
    ("wares", 1): TWO_CLASSES,
    ("heads", 0): TWO_CLASSES,
    ("heads", 1): TWO_CLASSES,
}


def judge(
    name: str, side: int, config: SampleJudgeConfig, checkpoint: Path, seed: int
) -> dict[str, Made]:
    """A judge of the first (0) or second (1) domain of a scene."""
    scene = DRAWN[name]
    data = judged_pair(scene)[side]
    found = train_sample_judge(data.x, data.y, config, seed, checkpoint)
    return {scene.judges[side]: Made(found)}


def translators(name: str, config: ImageConfig, checkpoint: Path, seed: int) -> dict[str, Made]:
    """JD-BW's generators of a scene, both ways."""
    scene = DRAWN[name]
    pair = training_pair(scene, SEED)
    networks = images.networks(config, scene.channels, seed=seed)
    joint.train(pair.x.x, pair.y.x, networks, config, seed, checkpoint=checkpoint)
    return {
        f"scenes/{name}_forward": Made(networks.forward),
        f"scenes/{name}_backward": Made(networks.backward),
    }


def classification(name: str, side: int, _: str, network: nn.Module) -> float:
    """Cross-entropy of images that neither judge nor translator saw."""
    data = DRAWN[name].even(CHECKED, CHECK)[side]
    return float(cross_entropy(network(data.x), data.y))


def distance_from_counterparts(name: str, file: str, network: nn.Module) -> float:
    """Mean distance of translations from true counterparts; of plates, from just any of them."""
    scene = DRAWN[name]
    pair = scene.even(CHECKED, CHECK)
    x, y = (side.x for side in pair)
    seen, wanted = (y, x) if file.endswith("backward") else (x, y)
    noise = draw_noise(CHECKED, JOINT[name].noise, Generator().manual_seed(CHECK))
    return float((network(seen, noise) - wanted).abs().mean())


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    trained = {
        f"scenes/{name}": Recipe(
            config,
            partial(translators, name),
            fewer_steps,
            partial(distance_from_counterparts, name),
        )
        for name, config in JOINT.items()
    }
    judged = {
        DRAWN[name].judges[side]: Recipe(
            config,
            partial(judge, name, side),
            fewer_steps,
            partial(classification, name, side),
        )
        for (name, side), config in JUDGED.items()
    }
    return trained | judged
