"""What is measured of a translator between two domains out of balance.

JD-BW shows pictures (jdbw.metric.none). Here judges of both domains, trained on real labelled
images, name the class of every translation; true counterparts and fixed noises say the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from domain_translation import weights
from domain_translation.batch_weight.record import exactly_equal
from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation.class_preservation import (
    Shares,
    agreement,
    class_swayed,
    confusion,
    diversity,
    variance_shares,
)
from domain_translation.evaluation.counterparts import constant
from domain_translation.evaluation.features import judge_features
from domain_translation.evaluation.frechet import frechet_distance
from domain_translation.evaluation.sample_judges import SampleJudge, probabilities
from domain_translation.experiments.picture_text import pictures
from domain_translation.experiments.weights_scenes import Scene, held_out_pair
from domain_translation.jd_bw.generators import as_channels

SOURCES, NOISES = (
    40,
    8,
)  # test images that are translated with fixed noises; noises of JD-BW's Fig. 4
SHOWN, ROWS = 8, 4  # test images that a card shows, and rows of its grid of noises
LATE = 8  # the last eighth of a training is "late"


@dataclass(frozen=True)
class Judges:
    """A scene, classifiers of both its domains, and images that no training sees."""

    scene: Scene
    x: SampleJudge
    y: SampleJudge
    test: Pair


def judges(scene: Scene) -> Judges:
    """The shipped judges of a scene and its held-out images.

    Raises:
        FileNotFoundError: the judges do not come with this installation.
    """
    x, y = (weights.load(name) for name in scene.judges)
    assert isinstance(x, SampleJudge)
    assert isinstance(y, SampleJudge)
    return Judges(scene, x, y, held_out_pair(scene))


def of_translations(found: Mapping[str, Tensor], at: Judges) -> dict[str, float]:
    """All numbers of a translator, from its `translations`; "x" and "y" name the domain left."""
    x, y = at.test
    one_way = _one_way(found["gx"], found["grid x"], at.y, at.test.y.x, x.y, at)
    other_way = _one_way(found["fy"], found["grid y"], at.x, at.test.x.x, y.y, at)
    return {
        **{f"{name}, x to y": value for name, value in one_way.items()},
        **{f"{name}, y to x": value for name, value in other_way.items()},
        "kept, x there and back": agreement(table(at.x, found["fgx"], x.y, at.scene)),
        "kept, y there and back": agreement(table(at.y, found["gfy"], y.y, at.scene)),
        "pixels, x there and back": float((found["fgx"] - x.x).abs().mean()),
        "pixels, y there and back": float((found["gfy"] - y.x).abs().mean()),
    }


def _one_way(
    made: Tensor, fixed: Tensor, judge: SampleJudge, real: Tensor, classes: Tensor, at: Judges
) -> dict[str, float]:
    """Translations of one direction against the judge and the images of their domain."""
    return {
        "kept": agreement(table(judge, made, classes, at.scene)),
        "distance": distance(judge, made, real),
        **at.scene.errors(made, real, classes),
        **of_noise(fixed, judge),
    }


def table(judge: SampleJudge, images: Tensor, classes: Tensor, scene: Scene) -> Tensor:
    """Confusion (K, K) of translations; values outside [-1, 1] are cut off first."""
    return confusion(judge, images.clamp(-1, 1), classes, len(scene.classes))


def distance(judge: SampleJudge, made: Tensor, real: Tensor) -> float:
    """Frechet distance of translations to real test images on the judge's last hidden layer."""
    features = judge_features(judge)
    return frechet_distance(features(made.clamp(-1, 1)), features(real))


def of_noise(fixed: Tensor, judge: SampleJudge) -> dict[str, float]:
    """What the noise decides, from translations with fixed noises (sources, noises, C, S, S).

    jdbw.claim.noise: JD-BW's should decide how an image looks, not what it shows. "class" is the
    judge's probabilities, "pixels" the images themselves.
    """
    shown = fixed.clamp(-1, 1)
    named = probabilities(judge, shown.flatten(0, 1)).reshape(*shown.shape[:2], -1)
    of_pixels, of_class = shares(shown.flatten(2)), shares(named)
    return {
        "diversity": diversity(shown),
        "class swayed by noise": class_swayed(judge, shown),
        "pixels by source": of_pixels.source,
        "pixels by noise": of_pixels.noise,
        "class by source": of_class.source,
        "class by noise": of_class.noise,
    }


def shares(values: Tensor) -> Shares:
    """`variance_shares`, or nothing explained where a collapsed translator leaves no variance."""
    if bool((values == values[:1, :1]).all()):
        return Shares(0.0, 0.0, 0.0)
    return variance_shares(values)


def of_masses(totals: Tensor, share: Tensor, scene: Scene) -> dict[str, float]:
    """How far the late weighted class masses are from the midpoint; empty without a record.

    "gap" is the total variation distance, half the sum of absolute differences: of the weighted
    masses, and of the masses without weights. Everything else is of the late training.

    Args:
        totals: (records, 2, K), weighted masses of both domains.
        share: (records, 2), effective shares.
        scene: whose midpoint it is.
    """
    if not len(totals):
        return {}
    steps = max(1, len(totals) // LATE)
    late, late_share = totals[-steps:].double().mean(0), share[-steps:]
    goal = scene.goal()
    unweighted = torch.tensor(scene.masses, dtype=torch.float64)
    gaps, before = ((each - goal).abs().sum(1) / 2 for each in (late, unweighted))
    return {
        "gap, x": float(gaps[0]),
        "gap, y": float(gaps[1]),
        "gap without weights": float(before[0]),
        "effective share": float(late_share.mean()),
        "weights exactly equal": exactly_equal(late_share),
    }


def nothing(at: Judges) -> dict[str, float]:
    """The test images as they are, shown to the judge of the other domain."""
    x, y = at.test
    gx, fy = (as_channels(x.x, y.x.shape[1]), as_channels(y.x, x.x.shape[1]))
    return _plain(gx, fy, at)


def one_picture(at: Judges) -> dict[str, float]:
    """The constant picture that is nearest to all test images of a domain, for every source."""
    x, y = at.test
    gx, fy = (constant(side.x).expand_as(side.x) for side in (y, x))
    return _plain(gx, fy, at)


def _plain(gx: Tensor, fy: Tensor, at: Judges) -> dict[str, float]:
    """What two baselines without noise keep, and their errors."""
    x, y = at.test
    ways = {"x to y": (gx, at.y, y.x, x.y), "y to x": (fy, at.x, x.x, y.y)}
    found: dict[str, float] = {}
    for way, (made, judge, real, classes) in ways.items():
        found[f"kept, {way}"] = agreement(table(judge, made, classes, at.scene))
        found[f"distance, {way}"] = distance(judge, made, real)
        errors = at.scene.errors(made, real, classes)
        found |= {f"{name}, {way}": value for name, value in errors.items()}
    return found


def right(at: Judges) -> dict[str, float]:
    """How often the judges are right on real test images, mean over classes."""
    x, y = at.test
    return {
        "x": agreement(table(at.x, x.x, x.y, at.scene)),
        "y": agreement(table(at.y, y.x, y.y, at.scene)),
    }


def shown(found: Mapping[str, Tensor]) -> dict[str, Any]:
    """The first test images both ways, there and back, and a grid of noises, as small pictures."""
    first = {name: pictures(found[name][:SHOWN]) for name in ("gx", "fgx", "fy", "gfy")}
    return {**first, "noises": pictures(found["grid x"][:ROWS].flatten(0, 1))}
