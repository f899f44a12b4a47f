"""Recipes: the exact training behind every file of `data/weights`.

    python -m domain_translation.recipes                            # what there is
    python -m domain_translation.recipes animals/cyclegan --out data/weights

A recipe is data, settings and a seed; the file's card keeps all three, the first losses digit by
digit, and how long it took on what. A test trains each for a few steps and compares.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from domain_translation import runtime
from domain_translation.experiments.kept import seconds, timed
from domain_translation.models import save_model
from domain_translation.recipes import (
    energies,
    energy_translators,
    images,
    sample_judges,
    scenes,
    shift,
)
from domain_translation.recipes.images import SIGMA
from domain_translation.recipes.parts import SEED, Made, Recipe

__all__ = ["FIRST", "RECIPES", "SEED", "SIGMA", "Made", "Recipe", "machine", "run"]

FIRST = 3  # losses of the first steps that a card keeps and the test compares

RECIPES: Mapping[str, Recipe] = {
    **images.recipes(),
    **energies.recipes(),
    **energy_translators.recipes(),
    **sample_judges.recipes(),
    **shift.recipes(),
    **scenes.recipes(),
}


def run(
    name: str, out: Path, steps: int | None = None, checkpoint: Path | None = None
) -> list[Path]:
    """Train by the recipe `name` and write its files under `out`.

    Args:
        name: one of `RECIPES`.
        out: folder of the files, e.g. `data/weights`.
        steps: fewer updates than the recipe's, for a trial; the learning rate follows suit.
        checkpoint: file (energies: folder) to resume a stopped training from; None starts anew.

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
            files = recipe.train(config, kept)
        losses, spent = recipe.losses(kept), seconds(clock)[name]
    card = {
        "recipe": name,
        "command": f"python -m domain_translation.recipes {name} --out data/weights",
        "seed": SEED,
        "config": dataclasses.asdict(config),
        "first_losses": losses[:FIRST].tolist(),
        "last_losses": losses[-100:].mean(0).tolist(),
        "seconds": round(spent, 1),
        "machine": machine(),
        "versions": runtime.versions(),
    }
    paths = []
    for file, made in files.items():
        path = out / f"{file}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_model(
            path, made.model, made.network, made.arguments, {**made.card, **card}, torch.float16
        )
        paths.append(path)
    return paths


def machine() -> dict[str, Any]:
    """What the last digits of a loss depend on: instruction set and number of threads."""
    return {
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "device": "cpu",
    }
