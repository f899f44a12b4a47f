"""Networks that come with the package, trained by `recipes`, for the quick profile.

Translators of text are read by `text`: whoever loads a picture's network needs nothing of language.
"""

from __future__ import annotations

import functools
from importlib.resources import as_file
from importlib.resources.abc import Traversable
from typing import Any

from torch import nn

from domain_translation.files import data_file
from domain_translation.training import checkpoints
from domain_translation.training.model_files import Model, load_model

TRAININGS = 5  # of one recipe, with the seeds 0 to 4
# What stands in the commands of older cards, and what it is called now.
RENAMED = {
    "python -m domain_translation.recipes": "domain-translation recipe",
    "data/weights": "data/pretrained",
}


def shipped(name: str) -> Traversable:
    """The file of a network; FileNotFoundError if there is none."""
    try:
        return data_file(f"pretrained/{name}.safetensors")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no weights named {name!r} come with this installation; "
            f"`domain-translation recipe` lists the recipes that make them"
        ) from error


@functools.cache
def _read(name: str) -> Model:
    with as_file(shipped(name)) as path:
        return load_model(path)


def load(name: str, training: int = 0) -> nn.Module:
    """A trained network, frozen, e.g. ``load("animals/forward")``.

    Args:
        name: of the network.
        training: which of `TRAININGS`, counted round, so that every seed of a chapter names one.
            The first has the plain name, the file of another ends in its number. Only networks
            on which claims rest have been trained so often.

    Raises:
        FileNotFoundError: no such weights.
        CheckpointError: the file is damaged.
    """
    which = training % TRAININGS
    return _read(f"{name}-{which}" if which else name).network


def card(name: str) -> dict[str, Any]:
    """How those weights were made: command, seed, settings, losses, duration, versions."""
    with as_file(shipped(name)) as path:
        found = dict(checkpoints.load(path).card)
    for before, now in RENAMED.items():
        found["command"] = found["command"].replace(before, now)
    return found
