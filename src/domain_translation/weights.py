"""Weights that come with the package: small networks trained by `recipes`, for the quick book."""

from __future__ import annotations

import functools
from importlib.resources import as_file
from typing import Any

from torch import nn

from domain_translation.files import data_file
from domain_translation.models import Model, load_model


@functools.cache
def _read(name: str) -> Model:
    try:
        file = data_file(f"weights/{name}.safetensors")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no weights named {name!r} come with this installation; "
            f"`python -m domain_translation.recipes` lists the recipes that make them"
        ) from error
    with as_file(file) as path:
        return load_model(path)


def load(name: str) -> nn.Module:
    """A trained network, frozen, e.g. ``load("animals/forward")``.

    Raises:
        FileNotFoundError: no such weights.
        CheckpointError: the file is damaged.
    """
    return _read(name).network


def card(name: str) -> dict[str, Any]:
    """How those weights were made: command, seed, settings, losses, duration, versions."""
    return _read(name).card
