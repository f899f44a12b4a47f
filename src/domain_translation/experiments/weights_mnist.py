"""MNIST out of balance at 32x32: JD-BW's Fig. 2 and 3 at the size of the paper (JD-BW 5.1).

    python -m domain_translation.experiments.weights_mnist data/results/full/weights

trains the paper's four arms on SR-MNIST against MNIST and writes the card `mnist.json`. It needs
the files of the full profile. Finished runs and the judge of the first domain are kept in
OUT/runs, so that a stopped run takes up where it was.

Networks are a quarter as wide as the paper's and see about a hundredth of its images; a GPU would
take `jd_bw.config.PAPER` and `munit.config.PAPER` instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain_translation import recipes, runtime, weights
from domain_translation.checkpoints import digest
from domain_translation.data import arrays
from domain_translation.data.mass_shift import shrunk_and_turned
from domain_translation.data.sr_digits import ZEROS, held_out_pair, training_pair
from domain_translation.evaluation import sample_judges
from domain_translation.evaluation.sample_judges import SampleJudge, train_sample_judge
from domain_translation.experiments import stored_runs
from domain_translation.experiments import weights_digits as digits
from domain_translation.experiments.weights_digits import Judges
from domain_translation.experiments.weights_methods import FULL, file_name, finished
from domain_translation.files import write_atomically
from domain_translation.notebook.cards import Card

IMAGES = 12_000  # of each domain
SEED = 0


def judges(folder: Path) -> Judges:
    """The shipped judge of MNIST, one of SR-MNIST trained on another draw of poses, test digits."""
    y = weights.load("energies/judge_mnist")
    real = arrays.load("mnist", "train")
    x = train_sample_judge(
        shrunk_and_turned(real.x, SEED + 1),
        real.y,
        sample_judges.MNIST,
        SEED,
        checkpoint=folder / "judge_turned.checkpoint",
    )
    assert isinstance(y, SampleJudge)
    return Judges(x, y, held_out_pair("mnist"))


def run(name: str, at: Judges, folder: Path) -> dict[str, Any]:
    """What the card says of one of `FULL`, trained or taken from `folder`."""
    method = FULL[name]
    pair = training_pair("mnist", n=IMAGES, seed=SEED)
    identity = {
        "method": name,
        "settings": asdict(method.config),
        "seed": SEED,
        "data": digest({"x": pair.x.x, "y": pair.y.x, "test": at.test.x.x}),
    }
    found = finished(
        folder / file_name("mnist", name),
        identity,
        lambda: method.train(pair, method.config, SEED),
        at.test,
        digits.SHOWN,
        digits.NOISES,
    )
    shown = digits.shown(found, at.test.x.y)
    return {
        "method": name,
        "zeros": ZEROS,
        "seed": SEED,
        **digits.summary(found, at, ZEROS),
        "totals": digits.record(found),
        "pictures": {row: shown[row] for row in ("there", "back")},
    }


def card() -> Card:
    """The stored runs, one training of each arm; a tenth of the test digits are zeros."""
    found = stored_runs.read("weights/mnist")
    return stored_runs.as_card(
        "weights/mnist-full",
        found["runs"],
        found,
        items=lambda name: digits.items(name, found["tests"]),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.weights_mnist",
        description="Translators between SR-MNIST and MNIST at 32x32.",
    )
    parser.add_argument("out", type=Path, help="folder of mnist.json and of the runs")
    folder = parser.parse_args(arguments).out / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    at = judges(folder)
    entries = []
    for name in FULL:
        entries.append(run(name, at, folder))
        told = entries[-1]
        print(f"{name}: zeros kept {told['zeros kept, x to y']:.2f}", flush=True)
        card = {
            "runs": entries,
            "doing nothing": {k: round(v, 4) for k, v in digits.doing_nothing(at).items()},
            "settings": {name: asdict(method.config) for name, method in FULL.items()},
            "images": IMAGES,
            "tests": len(at.test.x.x),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": recipes.machine(),
            "versions": runtime.versions(),
        }
        write_atomically(folder.parent / "mnist.json", (json.dumps(card) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
