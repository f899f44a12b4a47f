"""What real images reach on the measures of the scenes, and which translations look real.

The card says how far translations are; these few numbers, computed while a chapter runs, say how
far is near.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation import looks
from domain_translation.evaluation.counterparts import constant
from domain_translation.evaluation.looks import Looks
from domain_translation.experiments.weights_scene_measures import Judges, distance, right
from domain_translation.experiments.weights_scene_tables import BASELINES, PASSES, SceneCard
from domain_translation.experiments.weights_scenes import Scene
from domain_translation.jd_bw.generators import as_channels

LOOKED, FRESH = 2, 3  # seeds of the draws; 0 and 1 are the held-out and the judges'
SEEN = 800  # images of either domain that the looks are learnt from


@functools.lru_cache(maxsize=2)
def drawn(scene: Scene, n: int, seed: int) -> Pair:
    """n real images of either domain, all classes alike frequent; kept for the other way."""
    return scene.even(n, seed)


def seen(scene: Scene, way: str) -> Looks:
    """The looks of the domain that `way` leads to ("x to y" or "y to x"), in its channels."""
    pair = drawn(scene, SEEN, LOOKED)
    origin, goal = (pair.x.x, pair.y.x) if way == "x to y" else (pair.y.x, pair.x.x)
    return looks.fit(goal, as_channels(origin, goal.shape[1]))


def live(card: SceneCard, at: Judges, way: str) -> dict[str, dict[str, float]]:
    """Numbers for `weights_scene_tables.results`: which pictures pass, and what real ones reach.

    "passes" is over all test images for real images and baselines, and over the pictures that the
    card holds of the first seed for methods.

    Args:
        card: of the scene.
        at: the scene and its judges.
        way: "x to y" or "y to x".
    """
    x, y = at.test
    forward = way == "x to y"
    origin, goal = (x.x, y.x) if forward else (y.x, x.x)
    judge = at.y if forward else at.x
    fresh = drawn(at.scene, len(goal), FRESH)
    real = (fresh.y if forward else fresh.x).x
    to_goal = seen(at.scene, way)
    nothing, one = BASELINES
    found = {
        "real images": {
            "kept": right(at)["y" if forward else "x"],
            "distance": distance(judge, real, goal),
            PASSES: to_goal.share(real),
            "diversity": apart(goal, (y if forward else x).y),
        },
        nothing: {PASSES: to_goal.share(as_channels(origin, goal.shape[1]))},
        one: {PASSES: to_goal.share(constant(goal))},
    }
    for method in card.methods:
        found[method] = {PASSES: to_goal.share(translations(card, method, way))}
    return found


def apart(images: Tensor, classes: Tensor) -> float:
    """Root mean square difference of two real images of one class, mean over classes.

    What `class_preservation.diversity` would be of a translator that keeps the class and nothing
    else.

    Args:
        images: (n, C, S, S).
        classes: (n,); two images or more of each.
    """
    own = [images[classes == k].var(0).mean() for k in torch.unique(classes)]
    return float((2 * torch.stack(own).mean()).sqrt())


def translations(card: SceneCard, method: str, way: str) -> Tensor:
    """All translations of one way that the card holds of a method's first seed."""
    if way == "y to x":
        return card.pictures("fy", method)
    return torch.cat([card.pictures("gx", method), card.pictures("noises", method)])
