"""Recipes: the exact training behind every file of `data/pretrained`.

    domain-translation recipe                            # what there is
    domain-translation recipe animals/cyclegan --out data/pretrained
    domain-translation recipe animals/cyclegan --seed 1  # files end in -1
    domain-translation recipe --checks --out data/pretrained

A recipe is data, settings and a seed; the file's card keeps all three, the first losses, and how
long it took on what. `CHECKS`, beside the files, holds one number for each: what its network does
on a small batch that is drawn anew from a seed. Tests train by the recipes and compare both: the
losses tie the recipe to the card, the number ties the tensors to both.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from domain_translation import runtime
from domain_translation.data.fetch import MissingData
from domain_translation.files import write_atomically
from domain_translation.language import model_file
from domain_translation.language.xlm import XLM
from domain_translation.pretrained.recipes import (
    energies,
    energy_translators,
    images,
    language,
    sample_judges,
    scenes,
    sentences,
    shift,
)
from domain_translation.pretrained.recipes.parts import SEED, Made, Recipe
from domain_translation.training import checkpoints
from domain_translation.training.cached import seconds, timed
from domain_translation.training.model_files import Model, load_model, save_model

__all__ = [
    "CHECKS",
    "FIRST",
    "RECIPES",
    "SEED",
    "Made",
    "Recipe",
    "check",
    "run",
    "write_checks",
]

FIRST = 3  # losses of the first steps that a card keeps and the test compares
CHECKS = "checks.json"  # file name -> number

RECIPES: Mapping[str, Recipe] = {
    **images.recipes(),
    **energies.recipes(),
    **energy_translators.recipes(),
    **sample_judges.recipes(),
    **shift.recipes(),
    **scenes.recipes(),
    **language.recipes(),
    **sentences.recipes(),
}


def run(
    name: str,
    out: Path,
    steps: int | None = None,
    checkpoint: Path | None = None,
    seed: int = SEED,
) -> list[Path]:
    """Train by the recipe `name` and write its files under `out`.

    Args:
        name: one of `RECIPES`.
        out: folder of the files, e.g. `data/pretrained`.
        steps: fewer updates than the recipe's, for a trial; the learning rate follows suit.
        checkpoint: file (energies: folder) to resume a stopped training from; None starts anew.
        seed: of the weights, minibatches and noise; another one than `SEED` ends the files' names.

    Raises:
        KeyError: an unknown recipe.
        CheckpointError, TrainingError: see `training.fit`.
    """
    recipe = RECIPES[name]
    config = recipe.config if steps is None else recipe.shorten(recipe.config, steps)
    with tempfile.TemporaryDirectory() as scratch:
        kept = checkpoint or Path(scratch) / "run.safetensors"
        clock = kept.with_suffix(".seconds.json")
        with timed(clock, name):
            files = recipe.train(config, kept, seed)
        losses, spent = recipe.losses(kept), seconds(clock)[name]
    again, ending = ("", "") if seed == SEED else (f" --seed {seed}", f"-{seed}")
    card = {
        "recipe": name,
        "command": f"domain-translation recipe {name}{again} --out data/pretrained",
        "seed": seed,
        "config": dataclasses.asdict(config),
        "first_losses": losses[:FIRST].tolist(),
        "last_losses": losses[-100:].mean(0).tolist(),
        "seconds": round(spent, 1),
        "machine": runtime.machine(),
        "versions": runtime.versions(),
    }
    paths = []
    for file, made in files.items():
        path = out / f"{file}{ending}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, made, {**made.card, **card})
        paths.append(path)
    return paths


def read(path: Path) -> Model:
    """A file that a recipe wrote; CheckpointError if it is damaged."""
    if checkpoints.load(path).card.get("network") == "XLM":
        network, _, card = model_file.load(path)
        return Model(network, card)
    return load_model(path)


def save(path: Path, made: Made, card: Mapping[str, Any]) -> None:
    """Write a file in half precision."""
    if isinstance(made.network, XLM):
        assert made.vocabulary is not None
        model_file.save(path, made.network, made.vocabulary, card, torch.float16)
    else:
        save_model(path, made.network, card, torch.float16)


@torch.no_grad()
def check(file: str, model: Model) -> float:
    """What the network of a file does on the small fixed batch of its recipe.

    The batch is drawn anew from its seed; sums of float32 numbers leave a relative error of about
    1e-6 between processors.

    Args:
        file: name below the folder of the weights, without suffix, e.g. "animals/forward".
        model: from that file, or another network to be put to the same test.

    Raises:
        MissingData: the recipe needs a real data set that is not at hand.
    """
    if (seed := model.card.get("seed", SEED)) != SEED:
        file = file.removesuffix(f"-{seed}")
    return RECIPES[model.card["recipe"]].check(file, model.network)


def write_checks(out: Path) -> list[str]:
    """Check every file below `out`, write the numbers to its `CHECKS`.

    Returns:
        The files that could not be checked for want of their data; they keep their old number.

    Raises:
        CheckpointError: a damaged file.
        OSError: the numbers cannot be written.
    """
    path, left = out / CHECKS, []
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    numbers = {}
    for weights in sorted(out.rglob("*.safetensors")):
        file = weights.relative_to(out).with_suffix("").as_posix()
        try:
            numbers[file] = check(file, read(weights))
        except MissingData:
            left.append(file)
            if file in known:
                numbers[file] = known[file]
    write_atomically(path, (json.dumps(numbers, indent=2) + "\n").encode())
    return left
