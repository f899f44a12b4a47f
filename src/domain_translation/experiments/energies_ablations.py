"""CF-EBM's ablations (Tables 8 and 9, A.5, A.6.3) on images that a processor can learn.

    python -m domain_translation.experiments.energies_ablations data/results/full/energies

trains every arm of `ARMS` with several seeds and writes the card `ablations.json`. Finished runs
are kept in OUT/runs, so that a stopped grid takes up where it was; runs are ordered by seed.

Two small worlds: scikit-learn's digits at 8x8, where one stage is trained, and typeset glyphs at
16x16, where a stage at 8x8 comes first. Quality is a Frechet distance on the features of a fixed
judge and the share of samples that the judge is sure of.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation import recipes, runtime
from domain_translation.cf_ebm.cascade import sample_cascade, train_cascade
from domain_translation.cf_ebm.config import QUICK_DIGITS, QUICK_GLYPHS, CFEBMConfig
from domain_translation.cf_ebm.guard import DivergedError, Trace
from domain_translation.cf_ebm.sampling import sample
from domain_translation.cf_ebm.training import train_stages
from domain_translation.checkpoints import digest
from domain_translation.experiments.energies_ablations_card import (
    WORLDS,
    World,
    grain,
    judged,
    summary,
    world,
)
from domain_translation.experiments.energies_transitions import (
    Mark,
    borrow,
    starts_of,
    watched,
)
from domain_translation.experiments.kept import kept
from domain_translation.files import write_atomically
from domain_translation.langevin import DivergenceError

SAMPLES = 360  # of a finished run
MARKED, EVERY = 200, 50  # samples of a mark, updates between marks
SEEDS = 3  # of every arm
RECOMMENDED_SEEDS = 5  # of the recommended settings

# The shipped settings at half the width and for a fraction of their images.
DIGITS = replace(QUICK_DIGITS, images=(500 * 64,), steps=(15,), c=4)
GLYPHS = replace(
    QUICK_GLYPHS,
    images=(400 * 32, 350 * 32),
    steps=(15, 40),
    learning_rates=(1e-3, 3e-4),
    penalty=0.02,
    batch=32,
    c=4,
)
# The rate, chain and penalty that were settled on after two of five such runs were lost.
GENTLE = replace(GLYPHS, steps=(15, 50), learning_rates=(1e-3, 2e-4), penalty=0.01)
DIRECT = replace(GLYPHS, sizes=(16,), images=(550 * 32,), steps=(40,), learning_rates=(3e-4,))


@dataclass(frozen=True)
class Arm:
    """One setting.

    Attributes:
        world: "digits" or "glyphs"; images, judge.
        config: of the training.
        way: how scales come in, one of `energies_transitions.WAYS`, or "fixed coarse models".
    """

    world: str
    config: CFEBMConfig
    way: str = "smooth"


ARMS: Mapping[str, Arm] = {
    "digits": Arm("digits", DIGITS),
    "glyphs": Arm("glyphs", GLYPHS),
    "direct": Arm("glyphs", DIRECT),
    "relu": Arm("digits", replace(DIGITS, activation="relu")),
    "leaky_relu": Arm("digits", replace(DIGITS, activation="leaky_relu")),
    "celu": Arm("digits", replace(DIGITS, activation="celu")),
    "gelu": Arm("digits", replace(DIGITS, activation="gelu")),
    **{
        f"noise {sigma:g}": Arm("digits", replace(DIGITS, data_noise=sigma))
        for sigma in (0.01, 0.03, 0.1, 0.3)
    },
    "no residual": Arm("digits", replace(DIGITS, residual_kernel=0)),
    "no residual, spectral": Arm("digits", replace(DIGITS, residual_kernel=0, spectral=True)),
    "spectral": Arm("digits", replace(DIGITS, spectral=True)),
    "no penalty": Arm("digits", replace(DIGITS, penalty=0.0)),
    "variance 0.02": Arm("digits", replace(DIGITS, variance=0.02)),
    "glyphs, no penalty": Arm("glyphs", replace(GLYPHS, penalty=0.0)),
    "glyphs, gentler": Arm("glyphs", GENTLE),
    "fixed": Arm("glyphs", GLYPHS, "fixed coarse models"),
    "abrupt both": Arm("glyphs", GLYPHS, "abrupt both"),
    "abrupt learning": Arm("glyphs", GLYPHS, "abrupt learning"),
    "abrupt sampling": Arm("glyphs", GLYPHS, "abrupt sampling"),
    "random Fade": Arm("glyphs", GLYPHS, "random Fade"),
}
RECOMMENDED = ("digits", "glyphs", "glyphs, gentler")


class _Fitted:
    """Samples, traces and marks of one run, as tensors to keep."""

    def __init__(self, samples: Tensor, stages: Sequence[Trace], marks: Sequence[Mark]) -> None:
        self.tensors = {"samples": samples, "diverged": torch.tensor(0)}
        for field in ("gap", "gradient_norm", "sample_std", "diversity", "fade"):
            self.tensors[field] = torch.cat([trace[field] for trace in stages])
        if marks:
            self.tensors |= {
                "mark.update": torch.tensor([m.update for m in marks]),
                "mark.fade": torch.tensor([m.fade for m in marks]),
                "mark.seconds": torch.tensor([m.seconds for m in marks]),
                "mark.samples": torch.stack([m.samples for m in marks]),
            }


def train_arm(arm: Arm, data: Tensor, seed: int, checkpoint: Path | None) -> dict[str, Tensor]:
    """Train and sample one arm; tensors to keep.

    "diverged" holds 0, or the update at which the run was called off; then nothing else is kept
    but the seconds of processor time.
    """
    begun = time.process_time()
    try:
        found = _fitted(arm, data, seed, checkpoint).tensors
    except DivergedError as error:
        found = {"diverged": torch.tensor(error.update)}
    except DivergenceError as error:  # within the first chains, before the guard could see it
        found = {"diverged": torch.tensor(max(error.step, 1))}
    return found | {"seconds": torch.tensor(time.process_time() - begun)}


def _fitted(arm: Arm, data: Tensor, seed: int, checkpoint: Path | None) -> _Fitted:
    config = arm.config
    if arm.way == "fixed coarse models":
        cascade = train_cascade(data, config, seed, checkpoint)
        samples = sample_cascade(cascade.networks, SAMPLES, config, seed=seed)
        return _Fitted(samples, cascade.stages, [])
    marks: list[Mark] = []
    own = starts_of(arm.way, config, 1, seed)
    if arm.world == "glyphs":
        own = watched(own, config, MARKED, EVERY, marks)
    trained = train_stages(data, own, config, seed, checkpoint)
    samples = sample(trained.network, SAMPLES, config.run(), seed=seed)
    return _Fitted(samples, trained.stages, marks)


def run(name: str, seed: int, data: Tensor, folder: Path) -> dict[str, Tensor]:
    """One run, from `folder` if it is there already."""
    arm = ARMS[name]
    identity = json.loads(
        json.dumps({"arm": asdict(arm), "seed": seed, "data": digest(data), "samples": SAMPLES})
    )
    plain = name.replace(" ", "-").replace(",", "").lower()

    def compute() -> dict[str, Tensor]:
        # A run that was stopped half-way begins anew: its seconds and marks would be wrong.
        scratch = folder / f"{plain}-{seed}"
        shutil.rmtree(scratch, ignore_errors=True)
        if arm.config == ARMS["glyphs"].config:
            borrow(folder / f"glyphs-{seed}", scratch)
        return train_arm(arm, data, seed, scratch)

    return kept(folder / f"{plain}-{seed}.safetensors", identity, compute)


def planned(seeds: int) -> list[tuple[str, int]]:
    """All runs, by seed; the recommended settings once more at the end with their own seeds."""
    grid = [(name, seed) for seed in range(seeds) for name in ARMS]
    return grid + [(name, seed) for seed in range(seeds, RECOMMENDED_SEEDS) for name in RECOMMENDED]


class _Card:
    """The card of what is finished so far, written anew after every run."""

    def __init__(self, path: Path, worlds: Mapping[str, World]) -> None:
        self.path, self.worlds = path, worlds
        self.runs: dict[str, dict[str, Any]] = {name: {} for name in ARMS}
        self.real = {
            name: judged(w.judge, w.train[:SAMPLES], w.test) | grain(w.train, w.black)
            for name, w in worlds.items()
        }

    def add(self, name: str, seed: int, found: Mapping[str, Tensor]) -> None:
        """Enter a run and write the card."""
        self.runs[name][str(seed)] = summary(found, self.worlds[ARMS[name].world])
        seconds = [r["cpu seconds"] for runs in self.runs.values() for r in runs.values()]
        card = {
            "arms": {n: {**asdict(ARMS[n]), "runs": runs} for n, runs in self.runs.items()},
            "real": self.real,
            "samples": SAMPLES,
            "samples of a mark": MARKED,
            "date": datetime.now(UTC).date().isoformat(),
            "cpu seconds": round(sum(seconds)),
            "machine": recipes.machine() | {"cores": os.cpu_count()},
            "versions": runtime.versions(),
        }
        write_atomically(self.path, (json.dumps(card, indent=1) + "\n").encode())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.energies_ablations",
        description="CF-EBM's ablations on digits at 8x8 and glyphs at 16x16.",
    )
    parser.add_argument("out", type=Path, help="folder of ablations.json and of the runs")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of every arm")
    options = parser.parse_args(arguments)
    folder = options.out / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    card = _Card(options.out / "ablations.json", {name: world(name) for name in WORLDS})
    for name, seed in planned(options.seeds):
        found = run(name, seed, card.worlds[ARMS[name].world].train, folder)
        card.add(name, seed, found)
        print(f"{name}, seed {seed}: {float(found['seconds']):.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
