"""Cats into dogs by an energy of dogs: one column of CF-EBM's Table 5 in the full profile.

    python -m domain_translation.recipes energies/dogs --out data/weights --checkpoint FOLDER
    python -m domain_translation.experiments.energies_translation --out data/results/full/energies

translates the test cats of the registry's cat2dog128 at 64 pixels by the trained energy, and
writes the card `translation.json`. DOMAIN_TRANSLATION_DATA names the folder of the registry's
files. Five judges are trained on real cats and dogs first; the kernel distance is taken on the last
hidden layer of one of them, and is no KID. Nobody knows the true dog of a cat, so that content can
only be measured as the distance from the input.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from domain_translation import recipes, runtime, weights
from domain_translation.cf_ebm.sampling import ShortRun
from domain_translation.cf_ebm.translation import translate
from domain_translation.data import folders
from domain_translation.evaluation.features import Features, in_parts
from domain_translation.evaluation.image_judges import (
    QUICK,
    JudgeConfig,
    target_likeness,
    train_image_judges,
)
from domain_translation.evaluation.kernel_distance import kernel_distance
from domain_translation.files import write_atomically

SET, SIZE = "cat2dog128", 64
ENERGY = "energies/dogs"
SEED = 0
LENGTHS = (0.5, 1.0, 2.0, 4.0)  # of the chain, in units of training's


def judge_layer(judges: nn.ModuleDict) -> Features:
    """64 numbers per image (B, 3, S, S): the plain judge without its last layer."""
    judge = judges["plain"]
    assert isinstance(judge, nn.Sequential)
    return lambda x: in_parts(judge[:-1], x)


def measured(y: Tensor, x: Tensor, target: Tensor, judges: nn.ModuleDict) -> dict[str, float]:
    """How near translations y of images x (n, 3, S, S) are to real targets (m, 3, S, S)."""
    features = judge_layer(judges)
    size = min(len(y), len(target)) // 2
    distance = kernel_distance(features(y), features(target), size=size, seed=SEED)
    return {
        "kernel distance": distance.mean,
        "its standard deviation": distance.std,
        "likeness": float(target_likeness(judges, y).mean()),
        "root mean square change": float((y - x).square().mean().sqrt()),
    }


def study(
    network: nn.Module, run: ShortRun, x: Tensor, target: Tensor, judges: nn.ModuleDict
) -> dict[str, Any]:
    """Translations of test images x by chains of several lengths, beside doing nothing.

    Args:
        network: the energy of the target domain.
        run: the chain of its training.
        x: source test images (n, 3, S, S).
        target: real target test images (m, 3, S, S).
        judges: of the two domains, see `train_image_judges`.
    """
    found = {"doing nothing": measured(x, x, target, judges)}
    for length in LENGTHS:
        chain = replace(run, steps=max(1, round(length * run.steps)))
        y = translate(network, x, chain, seed=SEED).x.clamp(-1, 1)
        found[f"{chain.steps} steps"] = measured(y, x, target, judges)
    # What the numbers of a perfect translator would look like: other real targets.
    half = len(target) // 2
    real, rest = target[:half], target[half:]
    found["real targets"] = measured(real, real, rest, judges)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.energies_translation",
        description="Cats into dogs by the shipped energy of dogs.",
    )
    parser.add_argument("--out", type=Path, default=Path("data/results/full/energies"))
    parser.add_argument("--judges", type=int, default=QUICK.steps, help="steps of their training")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    train, test = (folders.unpaired(SET, SIZE, split) for split in ("train", "test"))
    judges = train_image_judges(train.source, train.target, JudgeConfig(steps=options.judges), SEED)
    card = weights.card(ENERGY)
    run = ShortRun(**card["run"])
    network = weights.load(ENERGY)
    result = {
        "set": SET,
        "size": SIZE,
        "weights": ENERGY,
        "run": card["run"],
        "training seconds": card["seconds"],
        "parameters": sum(p.numel() for p in network.parameters()),
        "images": {"source": len(test.source), "target": len(test.target)},
        "arms": study(network, run, test.source, test.target, judges),
        "seconds": round(time.perf_counter() - began),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": recipes.machine(),
        "versions": runtime.versions(),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "translation.json"
    write_atomically(path, (json.dumps(result, indent=1) + "\n").encode())
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
