"""Recipes: the exact training behind every file of `data/weights`.

    python -m domain_translation.recipes                            # what there is
    python -m domain_translation.recipes animals/cyclegan --out data/weights

A recipe is data, settings and a seed; the file's card keeps all three, the first losses digit by
digit, and how long it took on what. A test trains each for a few steps and compares.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from domain_translation import checkpoints, cyclegan, dae, pix2pix, runtime
from domain_translation.data import procedural
from domain_translation.evaluation import image_judges
from domain_translation.evaluation.image_judges import JudgeConfig, train_image_judges
from domain_translation.models import save_model

SIGMA = 0.3  # std of the denoisers' noise for pixels in [-1, 1] (lcool.train.dae_image)
SEED = 0
JUDGED = ("animals", "fruit", "seasons")  # the city has a truth to compare with, pixel by pixel
FIRST = 3  # losses of the first steps that a card keeps and the test compares


class Made(NamedTuple):
    """A trained network and how to build it again, see `models.save_model`."""

    model: nn.Module
    network: str
    arguments: Mapping[str, Any]
    card: Mapping[str, Any]


class Recipe(NamedTuple):
    """Settings, and the function that trains by them: (settings, checkpoint) -> files."""

    config: Any
    train: Callable[[Any, Path], dict[str, Made]]


_task = functools.cache(procedural.load_task)


def translators(task: str, config: cyclegan.CycleGANConfig, checkpoint: Path) -> dict[str, Made]:
    """Both translators of a procedural task."""
    data = _task(task, size=config.size)
    trained = cyclegan.train_cyclegan(data.source, data.target, config, SEED, checkpoint)
    arguments = {"width": config.width, "blocks": config.blocks}
    return {
        f"{task}/forward": Made(trained.forward, "ResnetGenerator", arguments, {}),
        f"{task}/backward": Made(trained.backward, "ResnetGenerator", arguments, {}),
    }


def denoiser(
    task: str, domain: str, config: dae.DenoiserConfig, checkpoint: Path
) -> dict[str, Made]:
    """The light denoiser of one domain of a task; `domain` is "source" or "target"."""
    images = getattr(_task(task), domain)
    trained = dae.train_denoiser(dae.UNetDenoiser, images, SIGMA, config, SEED, checkpoint)
    card = {"sigma": SIGMA, "size": images.shape[-1], "channels": 3, "range": "[-1, 1]"}
    return {f"{task}/{domain}_denoiser": Made(trained, "UNetDenoiser", {}, card)}


def maps_from_pairs(config: pix2pix.Pix2PixConfig, checkpoint: Path) -> dict[str, Made]:
    """pix2pix on aligned pairs of the city: as many scenes as the CycleGAN sees photos."""
    scenes = procedural.TASKS["city"](1000, SEED, size=config.size)
    trained = pix2pix.train_pix2pix(scenes.source, scenes.target, config, SEED, checkpoint)
    arguments = {"width": config.width, "depth": config.depth}
    return {"city/pix2pix": Made(trained, "UnetGenerator", arguments, {})}


def judges(task: str, config: JudgeConfig, checkpoint: Path) -> dict[str, Made]:
    """The five judges of a task, from its real images only."""
    data = _task(task)
    trained = train_image_judges(data.source, data.target, config, SEED, checkpoint)
    return {f"{task}/judges": Made(trained, "make_judges", {"size": data.source.shape[-1]}, {})}


def _recipes() -> dict[str, Recipe]:
    recipes = {"city/pix2pix": Recipe(pix2pix.QUICK, maps_from_pairs)}
    for task in procedural.TASKS:
        recipes[f"{task}/cyclegan"] = Recipe(cyclegan.QUICK, functools.partial(translators, task))
        # Nobody cools a street map: it has no fringe to speak of.
        for domain in ("source", "target") if task in JUDGED else ("source",):
            recipes[f"{task}/{domain}_denoiser"] = Recipe(
                dae.IMAGES, functools.partial(denoiser, task, domain)
            )
    for task in JUDGED:
        recipes[f"{task}/judges"] = Recipe(image_judges.QUICK, functools.partial(judges, task))
    return recipes


RECIPES: Mapping[str, Recipe] = _recipes()


def run(
    name: str, out: Path, steps: int | None = None, checkpoint: Path | None = None
) -> list[Path]:
    """Train by the recipe `name` and write its files under `out`.

    Args:
        name: one of `RECIPES`.
        out: folder of the files, e.g. `data/weights`.
        steps: fewer steps than the recipe's, for a trial; the learning rate follows suit.
        checkpoint: file to resume a stopped training from; None starts anew.

    Raises:
        KeyError: an unknown recipe.
        CheckpointError, TrainingError: see `training.fit`.
    """
    config, train = RECIPES[name]
    if steps is not None:
        config = dataclasses.replace(config, steps=steps)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        kept = checkpoint or Path(scratch) / "run.safetensors"
        files = train(config, kept)
        losses = checkpoints.load(kept).tensors["losses"]
    card = {
        "recipe": name,
        "command": f"python -m domain_translation.recipes {name} --out data/weights",
        "seed": SEED,
        "config": dataclasses.asdict(config),
        "first_losses": losses[:FIRST].tolist(),
        "last_losses": losses[-100:].mean(0).tolist(),
        "seconds": round(time.perf_counter() - began, 1),
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


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module; exit status 2 for an unknown recipe."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.recipes", description="Train the shipped weights."
    )
    parser.add_argument("name", nargs="?", help="recipe; without it, all are listed")
    parser.add_argument("--out", type=Path, default=Path("data/weights"), help="folder to write to")
    parser.add_argument("--steps", type=int, help="fewer steps, for a trial")
    parser.add_argument("--checkpoint", type=Path, help="file that makes the training resumable")
    options = parser.parse_args(arguments)
    if options.name is None:
        for name, recipe in RECIPES.items():
            print(f"{name:24} {recipe.config}")
        return 0
    if options.name not in RECIPES:
        print(f"unknown recipe {options.name!r}; known are {', '.join(RECIPES)}", file=sys.stderr)
        return 2
    for path in run(options.name, options.out, options.steps, options.checkpoint):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
