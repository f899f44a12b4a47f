"""Digits out of balance: which translators keep the class when the masses differ (JD-BW 5.1).

    python -m domain_translation.experiments.weights_digits data/results/full/weights

trains every method of `METHODS` on skewed, resized digits against plain ones (scikit-learn's, at
16x16) with several seeds, and `SWEPT` over a range of skews; it writes the card `digits.json`.
Finished runs are kept in OUT/runs, so that a stopped grid takes up where it was; runs are ordered
by seed.

JD-BW shows pictures only. Here judges of both domains, trained on real labelled digits, name the
class of every translation of the test digits.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation import recipes, runtime, weights
from domain_translation.batch_weight.masses import midpoint, skewed
from domain_translation.batch_weight.record import exactly_equal
from domain_translation.checkpoints import digest
from domain_translation.data.sr_digits import ZEROS, Pair, held_out_pair, training_pair
from domain_translation.evaluation.class_preservation import (
    agreement,
    class_swayed,
    confusion,
    diversity,
    variance_shares,
)
from domain_translation.evaluation.features import judge_features
from domain_translation.evaluation.frechet import frechet_distance
from domain_translation.evaluation.sample_judges import SampleJudge
from domain_translation.experiments import stored_runs
from domain_translation.experiments.picture_text import pictures
from domain_translation.experiments.weights_methods import (
    CLASSES,
    METHODS,
    file_name,
    finished,
    settings,
)
from domain_translation.files import write_atomically
from domain_translation.notebook.cards import Card
from domain_translation.notebook.criteria import Criterion, at_least

SEEDS = 3
EVEN = 0.1  # mass of the zeros without a shift
SKEWS = (EVEN, 0.2, 0.35, 0.5, 0.65, 0.8)  # mass of the zeros in the first domain
SWEPT = (
    "JD-BW",
    "joint discriminator",
    "MUNIT",
    "MUNIT + weights",
    "CycleGAN",
    "CycleGAN + weights",
)
SHOWN, NOISES = 12, 6  # sources and noises of the grid


@dataclass(frozen=True)
class Judges:
    """Classifiers of both domains, and the test digits in both looks."""

    x: SampleJudge
    y: SampleJudge
    test: Pair


def judges() -> Judges:
    """The shipped judges and the held-out digits."""
    x, y = (weights.load(f"shift/judge_{name}") for name in ("turned", "plain"))
    assert isinstance(x, SampleJudge)
    assert isinstance(y, SampleJudge)
    return Judges(x, y, held_out_pair("digits"))


def run(name: str, zeros: float, seed: int, at: Judges, folder: Path) -> dict[str, Tensor]:
    """One training and its translations of the test digits, from `folder` if it is there."""
    pair = training_pair("digits", zeros, seed=seed)
    method = METHODS[name]
    identity = {
        "method": name,
        "settings": settings(name),
        "zeros": zeros,
        "seed": seed,
        "data": digest({"x": pair.x.x, "y": pair.y.x, "test": at.test.x.x}),
    }

    return finished(
        folder / file_name(name, f"{zeros:g}", seed),
        identity,
        lambda: method.train(pair, method.config, seed),
        at.test,
        SHOWN,
        NOISES,
    )


def summary(found: Mapping[str, Tensor], at: Judges, zeros: float) -> dict[str, Any]:
    """What the card says of a run."""
    test = at.test
    there = confusion(at.y, found["gx"].clamp(-1, 1), test.x.y, CLASSES)
    here = confusion(at.x, found["fy"].clamp(-1, 1), test.y.y, CLASSES)
    back = confusion(at.x, found["fgx"].clamp(-1, 1), test.x.y, CLASSES)
    late = found["totals"][-max(1, len(found["totals"]) // 8) :]
    goal = midpoint(skewed(zeros), skewed(0.1))[0]
    entry: dict[str, Any] = {
        "kept, x to y": agreement(there),
        "kept, y to x": agreement(here),
        "kept, there and back": agreement(back),
        "zeros kept, x to y": float(there[0, 0]),
        "zeros kept, y to x": float(here[0, 0]),
        "zeros made, y to x": float(here[:, 0].mean()),  # of sources that are balanced, as q is
        "distance, y": _distance(at.y, found["gx"], test.y.x),
        "distance, x": _distance(at.x, found["fy"], test.x.x),
        "pixels, there and back": float((found["fgx"] - test.x.x).abs().mean()),
        "effective share": float(found["shares"][-len(late) :].mean()) if len(late) else 1.0,
        "cpu seconds": float(found["seconds"]),
        "parameters": int(found["parameters"]),
        **_noise(found["grid x"], at.y),
    }
    if len(late):
        entry["zero mass, x"], entry["zero mass, y"] = late.mean(0)[:, 0].tolist()
        entry["zero mass, goal"] = float(goal)
        entry["weights exactly equal"] = exactly_equal(found["shares"][-len(late) :])
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in entry.items()}
    return rounded | {
        "confusion": [[round(v, 3) for v in row] for row in there.tolist()],
    }


def _distance(judge: SampleJudge, made: Tensor, real: Tensor) -> float:
    """Frechet distance of translations to real test images on the judge's last hidden layer."""
    features = judge_features(judge)
    return frechet_distance(features(made.clamp(-1, 1)), features(real))


def _noise(table: Tensor, judge: SampleJudge) -> dict[str, float]:
    """What the noise decides, from translations (sources, noises, 1, S, S)."""
    shown = table.clamp(-1, 1)
    spread = diversity(shown)
    swayed = class_swayed(judge, shown)
    shares = variance_shares(shown.flatten(2))
    return {
        "diversity": spread,
        "class swayed by noise": swayed,
        "variance, source": shares.source,
        "variance, noise": shares.noise,
    }


def record(found: Mapping[str, Tensor]) -> list[list[list[float]]]:
    """Weighted class masses (records, 2, K) during the training, three decimals."""
    totals: list[list[list[float]]] = found["totals"].double().round(decimals=3).tolist()
    return totals


def examples(classes: Tensor) -> Tensor:
    """Places (12,) of test digits to show: the first three zeros, the first of 1 to 9."""
    own = [(classes == k).nonzero().flatten() for k in range(CLASSES)]
    return torch.cat([own[0][:3], *(places[:1] for places in own[1:])])


def shown(found: Mapping[str, Tensor], classes: Tensor) -> dict[str, str]:
    """Test digits there and back, and the grid of noises, as small pictures."""
    rows = examples(classes)
    return {
        "there": pictures(found["gx"][rows]),
        "back": pictures(found["fgx"][rows]),
        "other way": pictures(found["fy"][rows]),
        "noises": pictures(found["grid x"].flatten(0, 1)),
    }


def card() -> Card:
    """The stored runs; an arm is a method at a skew, see `arm`."""
    found = stored_runs.read("weights/digits")
    return stored_runs.as_card(
        "weights/digits-full",
        found["runs"],
        found,
        arm=lambda run: arm(run["method"], run["zeros"]),
        items=lambda name: items(name, found["tests"]),
    )


def arm(method: str, zeros: float = ZEROS) -> str:
    """Name of an arm of the card, such as "JD-BW, 50 % zeros"."""
    return f"{method}, {zeros:.0%} zeros".replace("%", " %")


def items(name: str, tests: int) -> int:
    """How many test digits a number of a run is a share of; 0 where it is none."""
    if name.startswith("zeros kept"):
        return tests // CLASSES
    if name == "class swayed by noise":
        return SHOWN
    return tests if name.startswith(("kept", "zeros made")) else 0


def working(method: str = "MUNIT") -> dict[str, Criterion]:
    """Whether a translator keeps classes where nothing shifts: 60 % of them, said beforehand."""
    kept = card()[arm(method, EVEN), "kept, x to y"]
    sentence = f"{method} keeps at least 60 % of the digits between balanced boxes of 16x16"
    return {sentence: at_least(kept, 0.6)}


def planned(seeds: int) -> list[tuple[str, float, int]]:
    """All runs, by seed: every method at SR-MNIST's skew, the swept ones at all."""
    return [
        (name, zeros, seed)
        for seed in range(seeds)
        for zeros in sorted(SKEWS, key=lambda z: abs(z - ZEROS))
        for name in (METHODS if zeros == ZEROS else SWEPT)
    ]


def doing_nothing(at: Judges) -> dict[str, float]:
    """The test digits of each domain, shown untranslated to the judge of the other."""
    return {
        "kept, x to y": agreement(confusion(at.y, at.test.x.x, at.test.x.y, CLASSES)),
        "kept, y to x": agreement(confusion(at.x, at.test.y.x, at.test.y.y, CLASSES)),
        "distance, y": _distance(at.y, at.test.x.x, at.test.y.x),
        "distance, x": _distance(at.x, at.test.y.x, at.test.x.x),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.weights_digits",
        description="Translators between digits whose classes are out of balance.",
    )
    parser.add_argument("out", type=Path, help="folder of digits.json and of the runs")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args(arguments)
    folder = options.out / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    at = judges()
    entries: list[dict[str, Any]] = []
    for name, zeros, seed in planned(options.seeds):
        found = run(name, zeros, seed, at, folder)
        entry = {"method": name, "zeros": zeros, "seed": seed, **summary(found, at, zeros)}
        if zeros == ZEROS:
            entry["totals"] = record(found)
            if seed == 0:
                entry["pictures"] = shown(found, at.test.x.y)
        entries.append(entry)
        _write(options.out / "digits.json", entries, at)
        told = f"kept {entry['kept, x to y']:.2f}, zeros {entry['zeros kept, x to y']:.2f}"
        print(f"{name}, {zeros:.0%} zeros, seed {seed}: {told}", flush=True)
    return 0


def _write(path: Path, entries: Sequence[Mapping[str, Any]], at: Judges) -> None:
    card = {
        "runs": entries,
        "doing nothing": {k: round(v, 4) for k, v in doing_nothing(at).items()},
        "settings": {name: settings(name) for name in METHODS},
        "tests": len(at.test.x.x),
        "cpu seconds": round(sum(e["cpu seconds"] for e in entries)),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": recipes.machine() | {"cores": os.cpu_count()},
        "versions": runtime.versions(),
    }
    write_atomically(path, (json.dumps(card) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
