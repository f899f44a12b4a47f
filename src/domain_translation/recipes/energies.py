"""Recipes of the energies: CF-EBM's Algorithm 1 on digits, glyphs and photographs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from domain_translation.cf_ebm import config as settings
from domain_translation.cf_ebm.config import CFEBMConfig
from domain_translation.cf_ebm.training import Trained, train
from domain_translation.data import arrays, load_digits
from domain_translation.data.procedural import glyphs
from domain_translation.recipes.parts import SEED, Made, Recipe, losses_of_file


def as_made(name: str, trained: Trained, config: CFEBMConfig) -> dict[str, Made]:
    """The file of an energy: its weights, and the chain it is to be sampled with."""
    network = trained.network
    card = {"run": dataclasses.asdict(config.run()), "range": "[-1, 1]"}
    return {f"energies/{name}": Made(network, "EnergyNetwork", network.arguments(), card)}


def handwritten() -> Tensor:
    """scikit-learn's training digits, (n, 1, 8, 8) in [-1, 1]."""
    return 2 * load_digits(seed=0).train.x - 1


def typographic() -> Tensor:
    """5,000 procedural glyphs (5000, 1, 16, 16)."""
    return glyphs.sample(5000, SEED, size=16).x


def energy(
    name: str, images: Callable[[], Tensor], config: CFEBMConfig, checkpoint: Path
) -> dict[str, Made]:
    """An energy of images, by Algorithm 1."""
    return as_made(name, train(images(), config, SEED, checkpoint), config)


def first_stage(config: CFEBMConfig, updates: int) -> CFEBMConfig:
    """A trial of so many updates at the coarsest resolution, whose images the rest is cut from."""
    return replace(
        config,
        images=(updates * config.batch, *(config.batch for _ in config.sizes[1:])),
    )


def first_losses(checkpoint: Path) -> Tensor:
    """Losses of the coarsest stage: its file has the smallest number as its name."""
    return losses_of_file(min(checkpoint.rglob("*.safetensors"), key=lambda p: int(p.stem)))


def _real(name: str) -> Tensor:
    return arrays.load(name, "train").x


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    plan: dict[str, tuple[Callable[[], Tensor], CFEBMConfig]] = {
        "digits": (handwritten, settings.QUICK_DIGITS),
        "glyphs": (typographic, settings.QUICK_GLYPHS),
        "mnist": (functools.partial(_real, "mnist"), settings.FULL_GREY),
        "cifar": (functools.partial(_real, "cifar10"), settings.FULL_COLOUR),
    }
    return {
        f"energies/{name}": Recipe(
            config, functools.partial(energy, name, images), first_stage, first_losses
        )
        for name, (images, config) in plan.items()
    }
