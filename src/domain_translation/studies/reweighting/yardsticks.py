"""Which pictures look real, and what does no translating reach on the measures of the scenes?

A generator that leaves its input alone keeps every class; these numbers say how far is near.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from domain_translation.evaluation.pictures import looks
from domain_translation.evaluation.pictures.counterparts import constant
from domain_translation.evaluation.pictures.looks import Looks
from domain_translation.evaluation.statistics.class_preservation import agreement
from domain_translation.reweighting.domains.scenes import Scene
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.reweighting.generators import as_channels
from domain_translation.studies.reweighting.measures import (
    WAYS,
    Judges,
    Way,
    distance,
    of_translations,
    table,
    ways,
)

LOOKED, FRESH = 2, 3  # seeds of the draws; 0 and 1 are the held-out and the judges'
SEEN = 800  # images of either domain that the looks are learnt from


@functools.lru_cache(maxsize=2)
def drawn(scene: Scene, n: int, seed: int) -> Pair:
    """n real images of either domain, all classes alike frequent; remembered for the other way."""
    return scene.even(n, seed)


@functools.lru_cache(maxsize=4)
def seen(scene: Scene, way: str) -> Looks:
    """The looks of the domain that `way` leads to ("x to y" or "y to x"), in its channels."""
    pair = drawn(scene, SEEN, LOOKED)
    origin, goal = (pair.x.x, pair.y.x) if way == WAYS[0] else (pair.y.x, pair.x.x)
    return looks.fit(goal, as_channels(origin, goal.shape[1]))


def passing(gx: Tensor, fy: Tensor, scene: Scene) -> dict[str, float]:
    """The shares of translations of both ways that pass for images of the domain reached."""
    return {
        f"passes, {way}": seen(scene, way).share(made)
        for way, made in zip(WAYS, (gx, fy), strict=True)
    }


def real_images(way: Way, at: Judges) -> dict[str, float]:
    """Real images of the domain reached: the judge's own, and fresh ones beside the test images."""
    side = 1 - WAYS.index(way.name)
    own, fresh = at.test[side], drawn(at.scene, len(way.goal), FRESH)[side]
    return {
        "kept": agreement(table(way.judge, own.x, own.y, at.scene)),
        "distance": distance(way.judge, fresh.x, own.x),
        "passes": seen(at.scene, way.name).share(fresh.x),
        "diversity": apart(own.x, own.y),
    }


def nothing(way: Way, at: Judges) -> dict[str, float]:
    """The test images as they are, in the channels of the domain reached."""
    return _without_noise(as_channels(way.source, way.goal.shape[1]), way, at)


def one_picture(way: Way, at: Judges) -> dict[str, float]:
    """The constant picture that is nearest to all test images of the domain reached."""
    return _without_noise(constant(way.goal).expand_as(way.goal), way, at)


def _without_noise(made: Tensor, way: Way, at: Judges) -> dict[str, float]:
    passes = {"passes": seen(at.scene, way.name).share(made)}
    return of_translations(made, way, at.scene) | passes


# What needs no training, by the names that tables give it.
BASELINES: Mapping[str, Callable[[Way, Judges], dict[str, float]]] = {
    "real images": real_images,
    "doing nothing": nothing,
    "one picture": one_picture,
}


def of_baseline(name: str, at: Judges) -> dict[str, float]:
    """All numbers of one of `BASELINES`, both ways."""
    return {
        f"{what}, {way.name}": value
        for way in ways(at)
        for what, value in BASELINES[name](way, at).items()
    }


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
