"""Batch weights in another translator, and cooling before a weighted one (beyond JD-BW).

    python -m domain_translation.experiments.weights_elsewhere data/results/full/weights

writes the card `elsewhere.json`. Two questions, on the digits of `weights_digits`:

1. CF-EBM translates by a short chain of the target's energy. Its positive phase shows the energy
   target images as often as they are; under mass shift that is too often or too rarely. Do JD-BW's
   weights help there? They enter as the frequency with which a target image is drawn. Arms: as
   they are, with the weights of the shipped weight nets, and with those of the true class masses;
   beside them, boxes without mass shift.
2. L-Cool cools a damaged image before it is translated. Does it help in front of JD-BW? Settings
   are searched on validation digits, and test digits are used once.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from domain_translation import cooling, dae, recipes, runtime, scores, weights
from domain_translation.batch_weight.masses import class_totals, one_sided, skewed
from domain_translation.batch_weight.weighting import Composite, Pairs
from domain_translation.cf_ebm.config import QUICK_OUTLINE
from domain_translation.cf_ebm.translation import train_translator
from domain_translation.cf_ebm.translation import translate as walk
from domain_translation.checkpoints import digest
from domain_translation.data import salt_and_pepper
from domain_translation.data.mass_shift import shrunk_and_turned
from domain_translation.data.sr_digits import ZEROS, Pair, handwritten, training_pair
from domain_translation.evaluation.class_preservation import agreement, confusion
from domain_translation.evaluation.features import judge_features
from domain_translation.evaluation.frechet import frechet_distance
from domain_translation.experiments import stored_runs
from domain_translation.experiments.kept import kept
from domain_translation.experiments.picture_text import pictures
from domain_translation.experiments.weights_digits import Judges, examples, judges
from domain_translation.experiments.weights_methods import CLASSES
from domain_translation.files import write_atomically
from domain_translation.jd_bw import images
from domain_translation.jd_bw.config import QUICK_DIGITS
from domain_translation.notebook.cards import Card, Row

SEEDS = 3
# The energy of filled and outlined glyphs at half its width, with a shorter training: a minute.
ENERGY = replace(QUICK_OUTLINE, c=4, images=(9_600, 6_400), steps=(12, 15), penalty=0.01)
NO_SHIFT = 0.1  # zeros in the first domain when the classes have the same masses in both
ARMS = {"as they are": ZEROS, "learned weights": ZEROS, "true masses": ZEROS, "no shift": NO_SHIFT}

SIGMA = 0.4  # of the denoiser; images are two units wide
DENOISER_STEPS = 3000
TESTS = 360  # test digits, alike frequent
LEVELS = (0.0, 0.05, 0.1, 0.25)  # share of pixels that are salted or peppered
GRID: dict[str, Any] = {
    "step_sizes": (0.004, 0.02, 0.1),
    "temperatures": (1e-4, 1e-2),
    "steps": (10, 20, 40),
}


def learned(pair: Pair) -> Tensor:
    """One-sided weights (n,) of the target images by the shipped networks; they sum to one."""
    names = ("forward", "backward", "weight_x", "weight_y")
    forward, backward, weight_x, weight_y = (weights.load(f"shift/{name}") for name in names)
    x, y, length = pair.x.x, pair.y.x, QUICK_DIGITS.noise
    with torch.no_grad():
        gx, fy = images.translate(forward, x, length), images.translate(backward, y, length)
        found: Tensor = Composite(weight_x, weight_y)(Pairs(x, gx, fy, y), QUICK_DIGITS.clip_last).y
    return found


def targets(arm: str, pair: Pair, seed: int) -> Tensor:
    """Target images of an arm, drawn again with its weights.

    Raises:
        ValueError: an arm that is not one of `ARMS`.
    """
    if arm in ("as they are", "no shift"):
        return pair.y.x
    if arm == "learned weights":
        share = learned(pair)
    elif arm == "true masses":
        share = one_sided(skewed(0.1), skewed(ZEROS))[pair.y.y]
    else:
        raise ValueError(f"arm is {arm!r}; choose from {', '.join(ARMS)}")
    generator = Generator().manual_seed(seed)
    rows = torch.multinomial(share.double(), len(pair.y.x), replacement=True, generator=generator)
    return pair.y.x[rows]


def translate_by_energy(
    arm: str, pair: Pair, at: Judges, seed: int, folder: Path
) -> dict[str, Tensor]:
    """Test digits y translated by an energy trained on an arm's targets, from `folder` if there.

    Beside them the processor seconds of the training and the number of its parameters.
    """
    data = targets(arm, pair, seed)
    identity = {
        "arm": arm,
        "seed": seed,
        "config": asdict(ENERGY),
        "data": digest({"x": pair.x.x, "y": data}),
    }

    def compute() -> dict[str, Tensor]:
        begun = time.process_time()
        network = train_translator(pair.x.x.clamp(-1, 1), data, ENERGY, seed).network
        spent = time.process_time() - begun
        y = walk(network, at.test.x.x.clamp(-1, 1), ENERGY.run(), seed=seed).x
        parameters = sum(p.numel() for p in network.parameters())
        return {"y": y, "seconds": torch.tensor(spent), "parameters": torch.tensor(parameters)}

    name = f"energy-{arm.replace(' ', '-')}-{seed}.safetensors"
    return kept(folder / name, json.loads(json.dumps(identity)), compute)


def judged(y: Tensor, at: Judges) -> dict[str, float]:
    """What the judge of the second domain says of translations y of the test digits."""
    shown = y.clamp(-1, 1)
    table = confusion(at.y, shown, at.test.x.y, CLASSES)
    features = judge_features(at.y)
    return {
        "zeros kept": round(float(table[0, 0]), 4),
        "kept": round(agreement(table), 4),
        "distance": round(frechet_distance(features(shown), features(at.test.y.x)), 4),
    }


def energies(at: Judges, seeds: int, folder: Path) -> dict[str, Any]:
    """The first question: runs of every arm by seed, and the zeros among each arm's targets."""
    found: dict[str, Any] = {arm: {"runs": []} for arm in ARMS}
    for seed in range(seeds):
        for arm, zeros in ARMS.items():
            run = translate_by_energy(
                arm, training_pair("digits", zeros, seed=seed), at, seed, folder
            )
            entry: dict[str, Any] = {
                "seed": seed,
                **judged(run["y"], at),
                "cpu seconds": round(float(run["seconds"]), 1),
                "parameters": int(run["parameters"]),
            }
            if seed == 0:
                entry["pictures"] = pictures(run["y"][examples(at.test.x.y)])
            found[arm]["runs"].append(entry)
            print(f"{arm}, seed {seed}: {entry['zeros kept']:.2f} of the zeros kept", flush=True)
    pair = training_pair("digits", seed=0)
    found["zeros among learned weights"] = float(class_totals(learned(pair), pair.y.y, CLASSES)[0])
    return found


def cooled(at: Judges, seed: int) -> dict[str, Any]:
    """The second question, with one denoiser and one draw of the damage."""
    pair = training_pair("digits", seed=seed)
    source = pair.x.x.clamp(-1, 1)
    denoiser = dae.train_denoiser(
        lambda: dae.ConvDenoiser(1, 32),
        source,
        SIGMA,
        replace(dae.DIGITS, steps=DENOISER_STEPS),
        seed,
    )
    score = scores.dae_score(denoiser, SIGMA)
    forward = weights.load("shift/forward")

    def translated(x: Tensor) -> Tensor:
        return images.translate(forward, x.clamp(-1, 1), QUICK_DIGITS.noise, seed)

    real = handwritten("validation")
    validation = shrunk_and_turned(real.x, seed)
    hurt = torch.cat([damaged(validation, level, seed) for level in LEVELS])
    classes = real.y.repeat(len(LEVELS))

    def objective(x: Tensor) -> float:
        return agreement(confusion(at.y, translated(x).clamp(-1, 1), classes, CLASSES))

    best = cooling.search(score, hurt, objective, seed=seed, **GRID)[0]
    entries = []
    for level in LEVELS:
        x = damaged(at.test.x.x, level, seed)
        y = cooling.cool(
            score,
            x,
            step_size=best.step_size,
            temperature=best.temperature,
            steps=best.steps,
            seed=seed,
        ).x
        entry = {
            "level": level,
            "plain": judged(translated(x), at),
            "cooled": judged(translated(y), at),
            "denoised": judged(translated(denoised(denoiser, x)), at),
        }
        entries.append(entry)
    chosen = {
        "step size": best.step_size, "temperature": best.temperature, "steps": best.steps,
    }  # fmt: skip
    return {"seed": seed, "chosen on validation digits": chosen, "levels": entries}


@torch.no_grad()
def denoised(denoiser: nn.Module, x: Tensor) -> Tensor:
    """One pass of the denoiser: the control that needs no chain."""
    out: Tensor = denoiser(x)
    return out


def damaged(x: Tensor, level: float, seed: int) -> Tensor:
    """Images in [-1, 1] with that share of their pixels black or white."""
    unit = (x.clamp(-1, 1) + 1) / 2
    generator = Generator().manual_seed(1000 * seed + round(100 * level))
    return 2 * salt_and_pepper(unit, level, generator) - 1


def card() -> Card:
    """The stored energies by arm, and JD-BW behind every treatment of every level of damage.

    There the denoiser is each seed's own and the translator the shipped one, so that these numbers
    have one training behind them.
    """
    found = stored_runs.read("weights/elsewhere")
    runs = [
        {"method": f"energy, {name}", **run}
        for name in ARMS
        for run in found["energies"][name]["runs"]
    ]
    runs += [
        {"method": f"{way}, {level['level']:.0%}", "seed": c["seed"], "kept": level[way]["kept"]}
        for c in found["cooling"]
        for level in c["levels"]
        for way in ("plain", "cooled", "denoised")
    ]
    tests = {"kept": TESTS, "zeros kept": TESTS // CLASSES}
    made = stored_runs.as_card(
        "weights/elsewhere-full", runs, found, items=lambda n: tests.get(n, 0)
    )
    rows = [_of_the_shipped(row) for row in made.rows]
    return replace(made, rows=(*rows, *_regained(rows)))


def _of_the_shipped(row: Row) -> Row:
    """Learned weights, and translations of damaged digits, are those of one JD-BW."""
    own = row.arm.startswith("energy") and row.arm != "energy, learned weights"
    return row if own else replace(row, networks=(*row.networks, "the shipped JD-BW"))


def _regained(rows: Sequence[Row]) -> list[Row]:
    """Zeros that learned weights bring back, beyond half of what the shift has cost, by seed."""
    names = ("learned weights", "as they are", "no shift")
    of = {
        n: {r.seed: r for r in rows if (r.arm, r.name) == (f"energy, {n}", "zeros kept")}
        for n in names
    }
    found = []
    for seed in sorted(of[names[0]]):
        learned, plain, even = (of[n][seed] for n in names)
        value = (learned.value - plain.value) - (even.value - plain.value) / 2
        error = (learned.error**2 + plain.error**2 / 4 + even.error**2 / 4) ** 0.5
        networks = (*learned.networks, *plain.networks, *even.networks)
        found.append(Row("energy", seed, "zeros regained, beyond half", value, networks, error))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.weights_elsewhere",
        description="Batch weights in an energy's positive phase, and cooling before JD-BW.",
    )
    parser.add_argument("out", type=Path, help="folder of elsewhere.json and of the runs")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    options = parser.parse_args(arguments)
    folder = options.out / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    at = judges()
    card = {
        "cooling": [cooled(at, seed) for seed in range(options.seeds)],
        "energies": energies(at, options.seeds, folder),
        "settings": {"energy": asdict(ENERGY), "sigma": SIGMA, "levels": LEVELS, "grid": GRID},
        "date": datetime.now(UTC).date().isoformat(),
        "machine": recipes.machine() | {"cores": os.cpu_count()},
        "versions": runtime.versions(),
    }
    write_atomically(options.out / "elsewhere.json", (json.dumps(card) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
