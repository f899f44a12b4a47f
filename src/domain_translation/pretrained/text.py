"""Translators of text that come with the package: network and vocabulary from one file."""

from __future__ import annotations

from importlib.resources import as_file

from domain_translation.language import model_file
from domain_translation.language.translator import TextTranslator
from domain_translation.pretrained.load import shipped


def text_model(name: str) -> model_file.Stored:
    """A shipped translator of text and its vocabulary, e.g. ``text_model("language/grammar")``.

    Raises: as `load`.
    """
    with as_file(shipped(name)) as path:
        return model_file.load(path)


def text_translator(name: str, source: str, target: str, beam: int = 1) -> TextTranslator:
    """One direction of it, e.g. ``text_translator("language/grammar", "en", "fr")``.

    Raises: as `load`; ValueError: an unknown language, or one twice.
    """
    model, vocabulary, _ = text_model(name)
    return TextTranslator(model, vocabulary, source, target, beam)
