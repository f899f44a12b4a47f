"""Meanings to sentences and back."""

from __future__ import annotations

import re
from types import ModuleType

from domain_translation.synthetic.grammar.lexicon import LANGUAGES
from domain_translation.synthetic.grammar.meaning import Meaning, sound
from domain_translation.synthetic.grammar.parser import MODULES, meanings

_TOKEN = re.compile(r"\b(?:[ldjns]|(?:puis)?qu)'|[\w'-]+|[^\w\s]", re.IGNORECASE)


def _module(language: str) -> ModuleType:
    if language not in MODULES:
        raise ValueError(f"unknown language {language!r}; choose one of {', '.join(LANGUAGES)}")
    return MODULES[language]


def tokens(sentence: str) -> list[str]:
    """Words and punctuation marks; an elided word keeps its apostrophe, "l'" and "hôtel"."""
    return _TOKEN.findall(sentence)


def realise(meaning: Meaning, language: str) -> str:
    """The sentence that says `meaning`, in normal orthography.

    Raises:
        ValueError: an unknown language.
    """
    module = _module(language)
    text = " ".join(module.surface(module.words(meaning)))
    text = text.replace("' ", "'").replace(" ,", ",").replace(" .", ".")
    text = text.replace(" ?", module.BEFORE_QUESTION_MARK + "?")
    return text[0].upper() + text[1:]


def parse(sentence: str, language: str) -> Meaning:
    """The meaning of a sentence of this grammar: the inverse of `realise`.

    Raises:
        ValueError: an unknown language, or a sentence that the grammar does not write.
    """
    _module(language)
    found = [m for m in meanings(tokens(sentence), language) if sound(m)]
    if len(found) != 1 or realise(found[0], language) != sentence:
        raise ValueError(
            f"{sentence!r} is not a sentence of this grammar in language {language!r}; "
            "give one that realise writes"
        )
    return found[0]
