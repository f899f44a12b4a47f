"""Translators on scenes out of balance: what a run is, what is measured of it, what it shows.

The studies `digits`, `mnist`, `scenes` and `real` are declared by it and differ in their arms only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation.notebook.cards import Card
from domain_translation.notebook.evidence import shared_error
from domain_translation.reweighting.domains.scenes import (
    SCENES,
    Scene,
    digits,
    held_out_pair,
    training_pair,
)
from domain_translation.studies import frames
from domain_translation.studies.cards import excerpt as shown
from domain_translation.studies.reweighting.measures import items, judges, of_run, table, ways
from domain_translation.studies.reweighting.methods import TRAIN, translations
from domain_translation.studies.reweighting.yardsticks import BASELINES, of_baseline, passing
from domain_translation.studies.study import Measure, Study

EVERY = 10  # generator steps between recorded class masses
SHOWN, ROWS = 8, 4  # test images that chapters show, and those with their fixed noises


@dataclass(frozen=True)
class Case:
    """A translator on a scene.

    Attributes:
        scene: of `SCENES`.
        method: of `TRAIN` or `BASELINES`.
        config: of the method; None of baselines.
        zeros: of digits, mass of the zeros in the first domain.
    """

    scene: str
    method: str
    config: Any = None
    zeros: float | None = None

    def drawn(self) -> Scene:
        """The scene itself."""
        return SCENES[self.scene] if self.zeros is None else digits(self.zeros)


def cases(scenes: Iterable[str], settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Case]:
    """Arms "scene: method" of all baselines and of what `settings` has for each scene."""
    return {
        f"{scene}: {method}": Case(scene, method, config)
        for scene in scenes
        for method, config in {**dict.fromkeys(BASELINES), **settings[scene]}.items()
    }


def run(case: Case, seed: int, folder: Path) -> dict[str, Tensor]:
    """One training and its translations of the test images; nothing of a baseline.

    Raises:
        TrainingError, CheckpointError: the training diverges, the disk refuses.
        MissingData, DamagedData: of a real scene, without its files; see `fetch.fetch`.
    """
    if case.config is None:
        return {}
    scene = case.drawn()
    pair = training_pair(scene, seed)
    found = TRAIN[case.method](pair, case.config, seed, folder / "training.checkpoint")
    return translations(found, held_out_pair(scene), *scene.fixed) | {
        "totals": found.totals[::EVERY].float(),
        "shares": found.shares[::EVERY].float(),
        "parameters": torch.tensor(found.parameters),
    }


def measure(case: Case, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """The numbers of a run; those of a baseline, which no seed changes, with the first one."""
    scene = case.drawn()
    if case.config is not None:
        numbers = of_run(found, judges(scene)) | passing(found["gx"], found["fy"], scene)
        networks = None
    elif seed == 0:
        numbers, networks = of_baseline(case.method, judges(scene)), ()
    else:
        return []
    return [
        Measure(name, value, networks, shared_error(value, n) if (n := items(name, scene)) else 0.0)
        for name, value in numbers.items()
    ]


def excerpt(case: Case, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Confusion matrices (K, K), weighted class masses, and of the first seed pictures."""
    if not found:
        return {}
    scene = case.drawn()
    at = judges(scene)
    tables = {
        f"confusion, {way.name}": table(way.judge, found[made], way.classes, scene)
        for way, made in zip(ways(at), ("gx", "fy"), strict=True)
    }
    few = tables | {"totals": found["totals"]}
    if seed == 0:
        rows = picked(scene, at.test.x.y)
        grids = {"noises": found["grid x"][: scene.fixed[0] if scene.each_class else ROWS]}
        images = {name: found[name][rows] for name in ("gx", "fgx", "fy", "gfy")} | grids
        few |= {name: levels(images[name]) for name in scene.shown}
    return few


def picked(scene: Scene, classes: Tensor) -> Tensor:
    """Places of the test images that are shown, from their classes (n,)."""
    if not scene.each_class:
        return torch.arange(SHOWN)
    own = [(classes == k).nonzero().flatten() for k in range(len(scene.classes))]
    return torch.cat([own[0][:3], *(places[:1] for places in own[1:])])


def levels(x: Tensor) -> Tensor:
    """Images in [-1, 1] in 256 levels (uint8)."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def pictures(study: Study, arm: str, name: str) -> Tensor:
    """Pictures (n, C, S, S) in [-1, 1] that the first run of an arm shows.

    Args:
        study: whose.
        arm: one of its arms.
        name: gx, fy: translations; fgx, gfy: and back; noises: (sources, noises, C, S, S).

    Raises:
        FileNotFoundError: the run has not been committed.
        KeyError: it shows nothing of that name.
    """
    return shown(study.name, arm, study.seeds[0])[name] / 127.5 - 1


def card(study: Study, scene: str) -> Card:
    """The numbers of one scene; its arms are the methods."""
    whole, start = frames.card(study), f"{scene}: "
    rows = [r for r in whole.rows if r.arm.startswith(start)]
    lost = {c: why for c, why in whole.lost.items() if c[0].startswith(start)}
    return replace(
        whole,
        rows=tuple(replace(r, arm=r.arm.removeprefix(start)) for r in rows),
        lost={(arm.removeprefix(start), seed): why for (arm, seed), why in lost.items()},
    )
