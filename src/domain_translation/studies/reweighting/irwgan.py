"""Another rule for the weights, on the three clusters of `studies.reweighting.clusters`: IrwGAN's.

IrwGAN chooses what to translate and is paid for choosing evenly. Three prices: the authors', one at
which all clusters stay in play (tried on seeds 0 and 1, which are not used here), and one so high
that all weights are equal and a CycleGAN is left. Two minutes on one core.

Said beforehand: two weighted laws meet where no cluster's masses differ by more than 0.03, which
is what JD-BW's do (`jdbw.eqU2`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.notebook.evidence import shared_error
from domain_translation.reweighting import irwgan, toy
from domain_translation.studies.reweighting.clusters import (
    LATE,
    SIDES,
    TEST,
    TRAIN,
    domains,
    items,
    moved,
)
from domain_translation.studies.study import Measure, Study


def run(arm: irwgan.Config, seed: int, folder: Path) -> dict[str, Tensor]:
    """One training, and where test points with equal masses in both domains go."""
    x, y = domains(TRAIN, seed, 0.0)
    test = [toy.sample(TEST, [1 / 3] * 3, 1000 + s, shifted=bool(s)) for s in (0, 1)]
    found = irwgan.train(
        x.x,
        y.x,
        irwgan.networks(arm, seed),
        arm,
        seed,
        classes=(x.y, y.y),
        checkpoint=folder / "irwgan.checkpoint",
    )
    with torch.no_grad():
        gx, fy = found.networks.forward(test[0].x), found.networks.backward(test[1].x)
    return {
        "there": moved(test[0].y, toy.cluster_of(gx, 3, shifted=True)),
        "back": moved(test[1].y, toy.cluster_of(fy, 3, shifted=False)),
        "totals": found.record.totals[-LATE:].mean(0),
        "shares": found.record.shares[-LATE:].mean(0),
    }


def measure(arm: irwgan.Config, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """What is judged of a run; clusters are counted from 1."""
    totals = found["totals"].double()
    numbers = {f"kept {way}": float(found[way].diagonal().mean()) for way in ("there", "back")}
    numbers["masses between the domains"] = float((totals[0] - totals[1]).abs().max())
    numbers["mass of the largest cluster"] = float(totals.mean(0).max())
    for d, share, masses in zip(SIDES, found["shares"].tolist(), totals.tolist(), strict=True):
        numbers[f"effective share, {d} domain"] = share
        numbers |= {f"mass of cluster {k}, {d} domain": m for k, m in enumerate(masses, 1)}
    return [
        Measure(name, value, error=shared_error(value, n) if (n := items(name)) else 0.0)
        for name, value in numbers.items()
    ]


STUDY = Study(
    "reweighting/irwgan",
    arms={
        "the authors' price": irwgan.Config(steps=1000),
        "eight times": irwgan.Config(steps=1000, evenness=8.0),
        "a thousand times": irwgan.Config(steps=1000, evenness=1000.0),
    },
    seeds=range(2, 7),
    run=run,
    measure=measure,
    trains=True,
)
