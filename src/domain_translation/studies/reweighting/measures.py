"""What is measured of a translator between two domains out of balance.

JD-BW shows pictures (jdbw.metric.none). Here judges of both domains, trained on real labelled
images, name the class of every translation; true counterparts and fixed noises say the rest. "x to
y" and "y to x" name the way.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation import pretrained
from domain_translation.evaluation.distances.features import judge_features
from domain_translation.evaluation.distances.frechet import frechet_distance
from domain_translation.evaluation.judges.sample_judges import (
    FASHION,
    MNIST,
    SampleJudge,
    probabilities,
    train_sample_judge,
)
from domain_translation.evaluation.pictures.counterparts import to_counterparts
from domain_translation.evaluation.statistics.class_preservation import (
    Shares,
    agreement,
    class_swayed,
    confusion,
    diversity,
    variance_shares,
)
from domain_translation.reweighting.domains.scenes import Scene, held_out_pair, judged_pair
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.reweighting.record import exactly_equal

WAYS = ("x to y", "y to x")
LATE = 8  # the last eighth of a training is "late"
JUDGE_SETTINGS = {"mnist": MNIST, "street": MNIST, "fashion": FASHION, "faces": FASHION}


class Judges(NamedTuple):
    """A scene, classifiers of both its domains, and images that no training sees."""

    scene: Scene
    x: SampleJudge
    y: SampleJudge
    test: Pair


class Way(NamedTuple):
    """One of `WAYS` between the domains of a scene.

    Attributes:
        name: "x to y" or "y to x".
        source: test images (n, C, S, S) that are translated.
        classes: theirs (n,).
        goal: test images (n, C', S, S) of the domain that the way leads to.
        judge: of that domain.
        rare, common: the classes that it has less of, and more of, than the domain left.
    """

    name: str
    source: Tensor
    classes: Tensor
    goal: Tensor
    judge: SampleJudge
    rare: int
    common: int


@functools.lru_cache(maxsize=8)
def judges(scene: Scene) -> Judges:
    """The judges of a scene, shipped or trained on its real images, and its held-out images.

    Raises:
        FileNotFoundError: the judges do not come with this installation.
        MissingData, DamagedData: of a real scene, without its files; see `fetch.fetch`.
    """
    return Judges(scene, _judge(scene, 0), _judge(scene, 1), held_out_pair(scene))


def _judge(scene: Scene, side: int) -> SampleJudge:
    if not scene.judges[side]:
        real = judged_pair(scene)[side]
        return train_sample_judge(real.x, real.y, JUDGE_SETTINGS[scene.name], seed=0)
    judge = pretrained.load(scene.judges[side])
    assert isinstance(judge, SampleJudge)
    return judge


def ways(at: Judges) -> tuple[Way, Way]:
    """Both ways between the domains of a scene."""
    x, y = at.test
    p, q = (torch.tensor(masses) for masses in at.scene.masses)
    less, more = int((q - p).argmin()), int((p - q).argmin())
    return (
        Way(WAYS[0], x.x, x.y, y.x, at.y, less, more),
        Way(WAYS[1], y.x, y.y, x.x, at.x, more, less),
    )


def of_run(found: Mapping[str, Tensor], at: Judges) -> dict[str, float]:
    """All numbers of a translator, from its `translations` and the record of its weights."""
    numbers = {"parameters": float(found["parameters"])}
    for way, made, fixed in zip(ways(at), ("gx", "fy"), ("grid x", "grid y"), strict=True):
        one_way = {
            **of_translations(found[made], way, at.scene),
            **of_classes(table(way.judge, found[made], way.classes, at.scene), way),
            **of_noise(found[fixed], way.judge),
        }
        numbers |= {f"{name}, {way.name}": value for name, value in one_way.items()}
    x, y = at.test
    return {
        **numbers,
        "kept, x there and back": agreement(table(at.x, found["fgx"], x.y, at.scene)),
        "kept, y there and back": agreement(table(at.y, found["gfy"], y.y, at.scene)),
        "pixels, x there and back": float((found["fgx"] - x.x).abs().mean()),
        "pixels, y there and back": float((found["gfy"] - y.x).abs().mean()),
        **of_masses(found["totals"], found["shares"], at.scene),
    }


def of_translations(made: Tensor, way: Way, scene: Scene) -> dict[str, float]:
    """What translations of the test images keep, and how far they are from where they should be."""
    numbers = {
        "kept": agreement(table(way.judge, made, way.classes, scene)),
        "distance": distance(way.judge, made, way.goal),
    }
    return numbers | (to_counterparts(made, way.goal, way.classes) if scene.paired else {})


def of_classes(confusion: Tensor, way: Way) -> dict[str, float]:
    """What becomes of the classes, from a confusion matrix (K, K) with the sources' in rows.

    "rare class kept": of the class that the domain reached has less of. "common class made": share
    of translations of the class that it has more of, and "classes made": how many classes occur,
    both of sources of which every class is as frequent.
    """
    made = confusion.mean(0)
    return {
        "rare class kept": float(confusion[way.rare, way.rare]),
        "common class made": float(made[way.common]),
        "classes made": float(1 / (made / made.sum()).square().sum()),
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
    pixels, classes = shares(shown.flatten(2)), shares(named)
    return {
        "diversity": diversity(shown),
        "class swayed by noise": class_swayed(judge, shown),
        **{f"pixels by {cause}": share for cause, share in pixels._asdict().items()},
        **{f"class by {cause}": share for cause, share in classes._asdict().items()},
        "pixels by noise - by both": pixels.noise - pixels.both,
        "class not by source": 1 - classes.source,
        "source over noise": source_over_noise(pixels.source, pixels.noise, *fixed.shape[:2]),
    }


def shares(values: Tensor) -> Shares:
    """`variance_shares`, or nothing explained where a collapsed translator leaves no variance."""
    if bool((values == values[:1, :1]).all()):
        return Shares(0.0, 0.0, 0.0)
    return variance_shares(values)


def source_over_noise(source: float, noise: float, sources: int = 40, noises: int = 8) -> float:
    """Mean squared difference of two translations of one source over that of two with one noise.

    Args:
        source, noise: shares of the variance that each explains alone, noise < 1.
        sources, noises: how many of each were combined.
    """
    return noises * (sources - 1) / (sources * (noises - 1)) * (1 - source) / (1 - noise)


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
        return {"effective share": 1.0}
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
        **{
            f"mass of {name}, {side}": float(mass)
            for side, masses in zip("xy", late, strict=True)
            for name, mass in zip(scene.classes, masses, strict=True)
        },
    }


def items(name: str, scene: Scene) -> int:
    """How many test images a number is a share of, the same for all seeds; 0 where it is none."""
    if name.startswith("class swayed"):
        return scene.fixed[0]
    if name.startswith("rare class kept"):
        return scene.tests // len(scene.classes)
    shares_of_all = ("kept", "outranked", "passes", "common class made")
    return scene.tests if name.startswith(shares_of_all) else 0
