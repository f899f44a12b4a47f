"""Networks that come with the package, trained by `recipes`, for the quick profile."""

from __future__ import annotations

import functools
from importlib.resources import as_file
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from torch import nn

from domain_translation.files import data_file
from domain_translation.language import model_file
from domain_translation.language.translator import TextTranslator
from domain_translation.training import checkpoints
from domain_translation.training.model_files import Model, load_model

# What stands in the commands of older cards, and what it is called now.
RENAMED = {
    "python -m domain_translation.recipes": "domain-translation recipe",
    "data/weights": "data/pretrained",
}


def _file(name: str) -> Traversable:
    try:
        return data_file(f"pretrained/{name}.safetensors")
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"no weights named {name!r} come with this installation; "
            f"`domain-translation recipe` lists the recipes that make them"
        ) from error


@functools.cache
def _read(name: str) -> Model:
    with as_file(_file(name)) as path:
        return read(path)


def read(path: Path) -> Model:
    """A file of weights, of a translator of text among them, whose vocabulary `text_model` gives.

    Raises CheckpointError: the file is damaged.
    """
    if checkpoints.load(path).card.get("network") == "XLM":
        model, _, card = model_file.load(path)
        return Model(model, card)
    return load_model(path)


def text_model(name: str) -> model_file.Stored:
    """A shipped translator of text and its vocabulary, e.g. ``text_model("language/grammar")``.

    Raises: as `load`.
    """
    with as_file(_file(name)) as path:
        return model_file.load(path)


def text_translator(name: str, source: str, target: str, beam: int = 1) -> TextTranslator:
    """One direction of it, e.g. ``text_translator("language/grammar", "en", "fr")``.

    Raises: as `load`; ValueError: an unknown language, or one twice.
    """
    model, vocabulary, _ = text_model(name)
    return TextTranslator(model, vocabulary, source, target, beam)


def load(name: str) -> nn.Module:
    """A trained network, frozen, e.g. ``load("animals/forward")``.

    Raises:
        FileNotFoundError: no such weights.
        CheckpointError: the file is damaged.
    """
    return _read(name).network


def card(name: str) -> dict[str, Any]:
    """How those weights were made: command, seed, settings, losses, duration, versions."""
    found = dict(_read(name).card)
    for before, now in RENAMED.items():
        found["command"] = found["command"].replace(before, now)
    return found
