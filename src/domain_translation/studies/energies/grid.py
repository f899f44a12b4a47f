"""One run of an ablation of CF-EBM, and what is measured of it.

Two small worlds: scikit-learn's digits at 8x8, where one stage is trained, and typeset glyphs at
16x16, where a stage at 8x8 comes first. Quality is a Frechet distance on the features of a fixed
judge and the share of samples that the judge is sure of. The arms stand in `ablations`, those of
growth in `growth`.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from domain_translation import pretrained
from domain_translation.data.labelled_sets import real_images
from domain_translation.energies.cascade import sample_cascade, train_cascade
from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.guard import Trace
from domain_translation.energies.sampling import sample
from domain_translation.energies.training import train_stages
from domain_translation.evaluation.distances.features import judge_features
from domain_translation.evaluation.distances.frechet import frechet_distance
from domain_translation.evaluation.distances.protocol import as_images
from domain_translation.evaluation.judges.sample_judges import SampleJudge, probabilities
from domain_translation.evaluation.pictures.noisiness import noise_level
from domain_translation.studies.energies.transitions import Mark, starts_of, watched
from domain_translation.studies.study import Measure, measures

SAMPLES = 360  # of a finished run
MARKED, EVERY = 200, 50  # samples of a mark, updates between marks
CONFIDENT = 0.9  # probability above which the judge is sure
PICTURES = 8  # samples of a run that chapters show
TRACED = ("gap", "gradient_norm", "sample_std", "diversity")
MEASURED = {  # what cards call it: the field of `judged` and `grain`
    "distance": "frechet",
    "sure of": "confident",
    "grain on black": "black",
    "noise level": "noise level",
    "processor seconds": "cpu seconds",
}


@dataclass(frozen=True)
class Arm:
    """One setting.

    Attributes:
        world: "digits" or "glyphs"; images, judge.
        config: of the training.
        way: how scales come in, one of `transitions.WAYS`, or "fixed coarse models".
    """

    world: str
    config: CFEBMConfig
    way: str = "smooth"


def run(arm: Arm, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train and sample one arm: samples, traces, marks, seconds of processor time.

    A run of a minute that was stopped begins anew: its seconds and marks would be wrong.

    Raises:
        DivergedError, DivergenceError: the training ran away, or its chains before the guard saw.
    """
    data = real_images(arm.world, "train").x
    begun = time.process_time()
    config, marks = arm.config, list[Mark]()
    stages: Sequence[Trace]
    if arm.way == "fixed coarse models":
        cascade = train_cascade(data, config, seed)
        samples, stages = (
            sample_cascade(cascade.networks, SAMPLES, config, seed=seed),
            cascade.stages,
        )
    else:
        own = starts_of(arm.way, config, 1, seed)
        if arm.world == "glyphs":
            own = watched(own, config, MARKED, EVERY, marks)
        trained = train_stages(data, own, config, seed)
        samples, stages = sample(trained.network, SAMPLES, config.run(), seed=seed), trained.stages
    found = {"samples": samples, "seconds": torch.tensor(time.process_time() - begun)}
    found |= {field: torch.cat([t[field] for t in stages]) for field in (*TRACED, "fade")}
    if marks:
        found |= {
            f"mark.{f}": torch.tensor([getattr(m, f) for m in marks]) for f in Mark._fields[:3]
        }
        found["mark.samples"] = torch.stack([m.samples for m in marks])
    return found


class World(NamedTuple):
    """Images and their judge."""

    judge: SampleJudge
    train: Tensor
    test: Tensor
    black: Tensor  # mask (1, S, S) of the pixels that are -1 in every training image


@functools.cache
def world(name: str) -> World:
    """ "digits" or "glyphs", from the shipped judge and the images it is named after."""
    judge, train = pretrained.load(f"energies/judge_{name}"), real_images(name, "train").x
    assert isinstance(judge, SampleJudge)
    return World(judge, train, real_images(name, "test").x, train.amax(0) == -1)


def judged(judge: SampleJudge, x: Tensor, real: Tensor) -> dict[str, Any]:
    """What the judge says of samples x (n, 1, S, S), beside real images."""
    shown = as_images(x)
    features = judge_features(judge)
    p = probabilities(judge, shown)
    sure = p.amax(1) > CONFIDENT
    return {
        "frechet": round(frechet_distance(features(shown), features(as_images(real))), 3),
        "confident": round(float(sure.double().mean()), 4),
        "classes": len(set(p.argmax(1)[sure].tolist())),
    }


def grain(x: Tensor, black: Tensor) -> dict[str, float]:
    """How noisy images (n, 1, S, S) are, over all and where the data are black without exception.

    Args:
        x: images, not clamped.
        black: mask (1, S, S) of the pixels that are -1 in every training image.
    """
    return {
        "noise level": round(float(noise_level(x).median()), 4),
        "black": round(float((x[:, black] + 1).square().mean().sqrt()), 4),
    }


def measure(arm: Arm, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """One run's samples before their judge, and those of its marks."""
    own, x = world(arm.world), found["samples"]
    numbers = judged(own.judge, x, own.test) | grain(x, own.black)
    numbers["cpu seconds"] = round(float(found["seconds"]), 1)
    rows = {name: numbers[field] for name, field in MEASURED.items()}
    for i, update in enumerate(found.get("mark.update", torch.tensor([])).tolist()):
        mark = judged(own.judge, found["mark.samples"][i], own.test)
        rows[f"distance after {update} updates"] = mark["frechet"]
        rows[f"processor seconds to {update} updates"] = round(float(found["mark.seconds"][i]), 2)
    return measures(rows | {"classes": numbers["classes"]})


def excerpt(arm: Arm, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A few samples, and every tenth value of the traces."""
    return {"samples": found["samples"][:PICTURES]} | {f: found[f][::10] for f in TRACED}
