"""Recipes of the one-sided translators: an energy of the target, chains from the source."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn

from domain_translation.data import folders
from domain_translation.data.labelled_sets import real_images
from domain_translation.energies import config as settings
from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.translation import train_translator
from domain_translation.pretrained.recipes.energies import (
    as_made,
    first_losses,
    first_stage,
    in_bfloat16,
)
from domain_translation.pretrained.recipes.parts import CHECKED, SEED, Made, Recipe
from domain_translation.synthetic import load_task
from domain_translation.synthetic.digits import glyphs

Domains = tuple[Tensor, Tensor]  # source and target images, unpaired


def outlines(n: int = 5000) -> Domains:
    """Filled glyphs and, of other digits, outlined ones: n each of 16x16."""
    return real_images("glyphs").x[:n], glyphs.sample(n, SEED + 1, style="outline").x


def painted(task: str, n: int = 1000) -> Domains:
    """The first n unpaired training pictures of a procedural task at 32x32."""
    data = load_task(task, size=32, train=n, validation=1, test=1)
    return data.source, data.target


def painted_back(task: str, n: int = 1000) -> Domains:
    """The same pictures, the other way about."""
    source, target = painted(task, n)
    return target, source


def photographs(name: str, size: int, n: int | None = None) -> Domains:
    """The first n training pictures of a set in the registry; None takes all."""
    data = folders.unpaired(name, size)
    return data.source[:n], data.target[:n]


def translator(
    name: str, domains: Callable[[], Domains], config: CFEBMConfig, checkpoint: Path, seed: int
) -> dict[str, Made]:
    """An energy whose short chains translate."""
    source, target = domains()
    return as_made(name, train_translator(source, target, config, seed, checkpoint), config)


def gap_of_domains(domains: Callable[..., Domains], _: str, network: nn.Module) -> float:
    """Mean energy of source images above that of target images."""
    source, target = domains(n=CHECKED)
    return float(network(source).mean() - network(target).mean())


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    plan: dict[str, tuple[Callable[..., Domains], CFEBMConfig]] = {
        "outline": (outlines, in_bfloat16(settings.QUICK_OUTLINE)),
        "oranges": (functools.partial(painted, "fruit"), in_bfloat16(settings.QUICK_PAINTED)),
        "winter": (functools.partial(painted, "seasons"), in_bfloat16(settings.QUICK_SEASONS)),
        "summer": (functools.partial(painted_back, "seasons"), settings.QUICK_SEASONS),
        "dogs": (
            functools.partial(photographs, "cat2dog128", 64),
            in_bfloat16(settings.FULL_TRANSLATION),
        ),
    }
    return {
        f"energies/{name}": Recipe(
            config,
            functools.partial(translator, name, domains),
            first_stage,
            functools.partial(gap_of_domains, domains),
            first_losses,
        )
        for name, (domains, config) in plan.items()
    }
