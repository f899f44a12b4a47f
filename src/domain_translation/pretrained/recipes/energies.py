"""Recipes of the energies: CF-EBM's Algorithm 1 on digits, glyphs and photographs."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import replace
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from domain_translation.data.labelled_sets import real_images
from domain_translation.energies import config as settings
from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.training import TrainedEnergy, train
from domain_translation.pretrained.recipes.parts import (
    CHECK,
    CHECKED,
    Made,
    Recipe,
    losses_of_file,
)


def as_made(name: str, trained: TrainedEnergy, config: CFEBMConfig) -> dict[str, Made]:
    """The file of an energy: its weights, and the chain it is to be sampled with."""
    network = trained.network
    card = {"run": dataclasses.asdict(config.run()), "range": "[-1, 1]"}
    return {f"energies/{name}": Made(network, card)}


def energy(name: str, config: CFEBMConfig, checkpoint: Path, seed: int) -> dict[str, Made]:
    """An energy of the training images of a set of `evaluation.sample_sets`, by Algorithm 1."""
    return as_made(name, train(real_images(name).x, config, seed, checkpoint), config)


def in_bfloat16(config: CFEBMConfig) -> CFEBMConfig:
    """The settings of the energies that were trained on a processor which multiplies bfloat16.

    Their files stay; whatever is trained anew takes the float32 of the settings themselves.
    """
    return replace(config, precision="bfloat16")


def first_stage(config: CFEBMConfig, updates: int) -> CFEBMConfig:
    """A trial of so many updates at the coarsest resolution, whose images the rest is cut from."""
    return replace(
        config,
        images=(updates * config.batch, *(config.batch for _ in config.sizes[1:])),
    )


def first_losses(checkpoint: Path) -> Tensor:
    """Losses of the coarsest stage: its file has the smallest number as its name."""
    return losses_of_file(min(checkpoint.rglob("*.safetensors"), key=lambda p: int(p.stem)))


def gap_to_noise(name: str, _: str, network: nn.Module) -> float:
    """Mean energy of uniform noise above that of training images."""
    x = real_images(name).x[:CHECKED]
    noise = 2 * torch.rand(x.shape, generator=Generator().manual_seed(CHECK)) - 1
    return float(network(noise).mean() - network(x).mean())


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    plan = {
        "digits": settings.QUICK_DIGITS,
        "glyphs": in_bfloat16(settings.QUICK_GLYPHS),
        "mnist": in_bfloat16(settings.FULL_GREY),
        "fashion": in_bfloat16(settings.FULL_FASHION),
        "cifar": in_bfloat16(settings.FULL_COLOUR),
    }
    return {
        f"energies/{name}": Recipe(
            config,
            functools.partial(energy, name),
            first_stage,
            functools.partial(gap_to_noise, name),
            first_losses,
        )
        for name, config in plan.items()
    }
