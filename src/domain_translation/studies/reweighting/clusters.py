"""Three clusters in the plane, with every ingredient of JD-BW exchanged in turn.

The toy of `reweighting.toy` with the three designs of the weights and none, tight and no clipping,
generators with and without the input added, and second domains that are turned. About six minutes
on one core.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from domain_translation.notebook.evidence import shared_error
from domain_translation.reweighting import joint, toy
from domain_translation.reweighting.images import translate
from domain_translation.reweighting.masses import midpoint
from domain_translation.reweighting.toy import Clusters, ToyConfig
from domain_translation.studies.reweighting.figures import smoothed
from domain_translation.studies.study import Measure, Study

P, Q = (0.6, 0.3, 0.1), (0.1, 0.3, 0.6)
SIDES = ("first", "second")
TRAIN, TEST = 4000, 3000  # points of each domain
LATE = 100  # last steps over which weighted masses are averaged
EVERY = 10  # steps between the recorded masses
CLOSE = 0.05  # to the midpoint, of each weighted mass

SETTINGS = ToyConfig(steps=400)


@dataclass(frozen=True)
class Arm:
    """One way to train the toy.

    Attributes:
        weighting: of `toy.WEIGHTINGS`.
        generator: of `toy.GENERATORS`.
        degrees: turn of the second domain.
        config: schedule and rates.
    """

    weighting: str = "composite"
    generator: str = "residual"
    degrees: float = 0.0
    config: ToyConfig = SETTINGS


def domains(n: int, seed: int, degrees: float) -> tuple[Clusters, Clusters]:
    """Training points of both domains, the second one turned."""
    x, y = toy.sample(n, P, seed), toy.sample(n, Q, seed + 100, shifted=True)
    return x, Clusters(toy.turned(y.x, degrees), y.y)


def run(arm: Arm, seed: int, folder: Path) -> dict[str, Tensor]:
    """One training, and its translations of test points with equal masses in both domains."""
    x, y = domains(TRAIN, seed, arm.degrees)
    test = [toy.sample(TEST, [1 / 3] * 3, 1000 + s, shifted=bool(s)) for s in (0, 1)]
    players = toy.networks(arm.config, seed, arm.weighting, arm.generator)
    found = joint.train(x.x, y.x, players, arm.config, seed, classes=(x.y, y.y))
    turned = toy.turned(test[1].x, arm.degrees)
    return {
        "x": test[0].x,
        "class": test[0].y,
        "class y": test[1].y,
        "gx": translate(found.networks.forward, test[0].x, arm.config.noise, seed),
        "fy": translate(found.networks.backward, turned, arm.config.noise, seed),
        "totals": found.record.totals,
        "shares": found.record.shares,
    }


def excerpt(arm: Arm, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Where the clusters go, and the weighted masses (sides, 3), late and over the training."""
    return {
        "there": moved(found["class"], toy.turned_cluster_of(found["gx"], 3, arm.degrees)),
        "back": moved(found["class y"], toy.cluster_of(found["fy"], 3, shifted=False)),
        "masses": found["totals"][-LATE:].mean(0),
        "totals": found["totals"][::EVERY],
    }


def measure(arm: Arm, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """What is judged of a run; clusters are counted from 1."""
    there, back, masses, totals = excerpt(arm, seed, found).values()
    here, middle = masses.double(), midpoint(P, Q)
    share = found["shares"][-LATE:].mean(0)
    step = (found["gx"] - found["x"]).square().sum(1)
    by_class = torch.stack([step[found["class"] == k].mean() for k in range(3)])
    kept = [float(table.diagonal().mean()) for table in (there, back)]
    numbers = {
        "kept there": kept[0],
        "kept back": kept[1],
        "kept, worse way": min(kept),
        "masses from the midpoint": float((here - middle).abs().max()),
        "masses between the domains": float((here[0] - here[1]).abs().max()),
        "steps to the midpoint": reached(totals),
        "effective share, first domain": float(share[0]),
        "effective share, second domain": float(share[1]),
        "least effective share": float(found["shares"].min()),
        "displacement": float(by_class.double() @ middle),
    }
    for k, sides in enumerate(here.T.tolist()):
        numbers |= {
            f"mass of cluster {k + 1}, {d} domain": m for d, m in zip(SIDES, sides, strict=True)
        }
    for i, row in enumerate(there.tolist()):
        numbers |= {f"from cluster {i + 1} to {k + 1}": v for k, v in enumerate(row)}
    return [
        Measure(name, value, error=shared_error(value, n) if (n := items(name)) else 0.0)
        for name, value in numbers.items()
    ]


def moved(classes: Tensor, found: Tensor) -> Tensor:
    """Shares (3, 3) of each cluster's points that end in each cluster, from labels (n,), (n,)."""
    table = torch.zeros(3, 3).index_put_((classes, found), torch.ones(len(found)), accumulate=True)
    return table / table.sum(1, keepdim=True)


def items(name: str) -> int:
    """How many test points a number of a run is a share of; 0 where it is none."""
    return TEST if name.startswith("kept") else TEST // 3 if name.startswith("from cluster") else 0


def reached(totals: ArrayLike) -> int:
    """First recorded step at which all smoothed masses are `CLOSE` to the midpoint, or the end."""
    close = (np.abs(smoothed(totals) - midpoint(P, Q).numpy()) < CLOSE).all((1, 2))
    return EVERY * int(close.argmax() if close.any() else len(close))


STUDY = Study(
    "reweighting/clusters",
    arms={
        "weights": Arm(),
        "no weights": Arm("none"),
        "one argument": Arm("one argument"),
        "two arguments": Arm("two arguments"),
        "tight": Arm(config=replace(SETTINGS, clip_first=0.5, clip_last=0.5)),
        "direct": Arm(generator="direct"),
        "turned 180": Arm(degrees=180.0),
        "turned 180, direct": Arm(generator="direct", degrees=180.0),
        "turned 90": Arm(degrees=90.0),
        "unclipped": Arm(config=replace(SETTINGS, clip_first=50.0, clip_last=50.0)),
    },
    seeds=range(5),
    run=run,
    measure=measure,
    excerpt=excerpt,
    trains=True,
    earlier="results/full/reweighting/clusters.json",
)
