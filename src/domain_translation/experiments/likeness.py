"""Zebra and orange likeness under ImageNet classifiers: L-Cool's Table 2 (lcool.tab2).

    python -m domain_translation.experiments.likeness full --out data/results/full/likeness
    python -m domain_translation.experiments.likeness paper --translator latest_net_G.pth --out DIR

`full` shows the procedural animals and fruit to the two ImageNet classifiers of the registry
(DOMAIN_TRANSLATION_DATA names their folder), which were trained on photographs by others.
`paper` is the source's experiment: horse2zebra, the authors' generator, a Tiramisu-67 trained
here on the horses, five classifiers of torchvision, settings from the validation horses.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation import cooling, cyclegan, dae, directions, recipes, runtime, scores
from domain_translation.cooling import PAPER, PAPER_GRID, Cooling, Study
from domain_translation.dae import DenoiserConfig
from domain_translation.data import fetch, folders
from domain_translation.evaluation import Judge, imagenet
from domain_translation.evaluation.significance import compare
from domain_translation.experiments import stored_runs
from domain_translation.files import write_atomically
from domain_translation.notebook import evidence
from domain_translation.notebook.evidence import Estimate

SEEDS = range(5)
SCENES = 120  # test scenes of each seed
TARGETS = {"horse2zebra": imagenet.ZEBRA, "apple2orange": imagenet.ORANGE}


def likeness(judges: Mapping[str, Judge], x: Tensor, index: int) -> Tensor:
    """Probability that each judge gives to class `index`: (judges, B)."""
    return torch.stack([imagenet.class_likeness(judge, x, index) for judge in judges.values()])


def table(studies: Sequence[Study], judges: Mapping[str, Judge], index: int) -> dict[str, Any]:
    """L-Cool's Table 2 over all test images of some studies, with the blur control.

    Returns:
        "shares": for each fringe share the comparison of plain and cooled, and of plain and
        blurred, mean likeness over judges; "by judge": mean likeness and accuracy of each arm;
        "inputs": mean likeness of the untranslated images.
    """
    arms = {
        arm: torch.cat([likeness(judges, getattr(s, arm), index) for s in studies], 1).double()
        for arm in ("plain", "after_cooling", "after_blur", "inputs")
    }
    norms = torch.cat([s.norms for s in studies])
    plain = arms["plain"].mean(0)
    return {
        "shares": [
            {
                "share": share,
                "cooled": compare(
                    plain[fringe].numpy(), arms["after_cooling"].mean(0)[fringe].numpy()
                )._asdict(),
                "blurred": compare(
                    plain[fringe].numpy(), arms["after_blur"].mean(0)[fringe].numpy()
                )._asdict(),
            }
            for share in cooling.SHARES
            for fringe in [cooling.fringe_mask(norms, share=share)]
        ],
        "by judge": {
            name: {arm: float(values[i].mean()) for arm, values in arms.items()}
            for i, name in enumerate(judges)
        },
        "images": len(norms),
    }


def full(setting: Cooling = PAPER, scenes: int = SCENES) -> dict[str, Any]:
    """Procedural pictures before ImageNet classifiers; errors as in `fetch.fetch`."""
    folder = fetch.fetch("mobilenet")[0].parent
    fetch.fetch("squeezenet")
    judges = imagenet.full_judges(folder)
    found: dict[str, Any] = {"setting": dataclasses.asdict(setting)}
    for name, index in TARGETS.items():
        studies, truths = [], []
        for seed in SEEDS:
            d = directions.load(name, seed=seed, validation=1, test=scenes)
            studies.append(cooling.study(d.translator, d.score, d.test.source, setting, seed))
            truths.append(d.test.target)
        found[name] = table(studies, judges, index)
        truth = likeness(judges, torch.cat(truths), index)
        found[name]["truth"] = dict(zip(judges, truth.mean(1).tolist(), strict=True))
    return found


def paper(
    translator: Path,
    work: Path,
    *,
    size: int = 256,
    config: DenoiserConfig = dae.PAPER,
    dataset: str = "horse2zebra",
    names: Sequence[str] = imagenet.LCOOL,
) -> dict[str, Any]:
    """The source's experiment; a stopped training goes on from `work`.

    Args:
        translator: the authors' checkpoint of the generator.
        work: folder for the denoiser's checkpoint.
        size: side of the pictures in pixels, 256 in the source.
        config: of the Tiramisu's training.
        dataset: a set of the registry with an ImageNet class as its target.
        names: torchvision classifiers.

    Raises:
        CheckpointError, MissingData, DamagedData, ValueError, ConnectionError: what the parts
            raise, see `load_published`, `folders.unpaired`, `train_denoiser`, `paper_judges`.
    """
    generator = cyclegan.load_published(translator)
    horses = folders.unpaired(dataset, size, "train").source
    denoiser = dae.train_denoiser(
        dae.Tiramisu, horses, PAPER.sigma, config, 0, work / "tiramisu.ckpt"
    )
    score = scores.dae_score(denoiser, PAPER.sigma)
    judges = imagenet.paper_judges(names)
    index = TARGETS[dataset]
    validation = folders.unpaired(dataset, size, "validation").source

    def objective(z: Tensor) -> float:
        with torch.no_grad():
            return float(likeness(judges, generator(z), index).mean())

    best = cooling.search(score, validation, objective, **PAPER_GRID)[0]
    setting = Cooling(PAPER.sigma, best.step_size, best.temperature, best.steps)
    test = folders.unpaired(dataset, size, "test").source
    study = cooling.study(generator, score, test, setting, 0)
    return {"setting": dataclasses.asdict(setting), dataset: table([study], judges, index)}


def stored() -> Mapping[str, Any]:
    """What the profile `full` has found, of the one training whose weights are shipped."""
    return stored_runs.read("likeness/card")


def gains(name: str, arm: str = "cooled") -> dict[float, Estimate]:
    """Stored gains in likeness over the plain translation, by fringe share.

    The file holds no values by seed: the interval is that of the bootstrap over pictures, and
    translator, denoiser and judges are of one training each.

    Args:
        name: of a direction in `TARGETS`.
        arm: `cooled` or `blurred`.
    """
    found = {}
    for row in stored()[name]["shares"]:
        c = row[arm]
        gain = evidence.stated(c["gain"], c["low"], c["high"], n=c["n"], seeds=1)
        found[row["share"]] = replace(gain, card="likeness-full")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.likeness",
        description="Likeness tables under ImageNet classifiers.",
    )
    parser.add_argument("profile", choices=("full", "paper"))
    parser.add_argument("--out", type=Path, required=True, help="folder of card.json")
    parser.add_argument("--translator", type=Path, help="paper: the authors' checkpoint")
    options = parser.parse_args(arguments)
    if options.profile == "paper" and options.translator is None:
        parser.error("the paper profile needs --translator, the authors' latest_net_G.pth")
    options.out.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    found = full() if options.profile == "full" else paper(options.translator, options.out)
    found |= {
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.perf_counter() - began),
        "machine": recipes.machine(),
        "versions": runtime.versions(),
    }
    write_atomically(options.out / "card.json", (json.dumps(found, indent=1) + "\n").encode())
    print(options.out / "card.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
