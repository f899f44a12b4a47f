"""The world in numbers: lemmas, word forms and cognates by category."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import combinations
from typing import NamedTuple

from domain_translation.synthetic.grammar.lexicon import CATEGORIES, LANGUAGES, TIMES
from domain_translation.synthetic.grammar.parser import MODULES

ALIKE = 0.75  # share of letters in common from which two words count as cognates


class Row(NamedTuple):
    """A category.

    Attributes:
        lemmas: how many.
        forms: language -> distinct word forms in the lexicon.
        cognates: share of the lemmas that at least two of the three languages spell alike.
    """

    category: str
    lemmas: int
    forms: dict[str, int]
    cognates: float


def _forms(lemma: str, category: str, language: str) -> list[str]:
    """The word forms of a lemma that tell it, the one that a dictionary lists first."""
    module = MODULES[language]
    entry: list[str] = module.WORDS[lemma]
    if category == "name":
        return [lemma]
    if category == "place":
        return [entry[1]]
    if category in TIMES:
        return sorted(entry, key=len, reverse=True)
    if category in ("modal", "determiner"):
        return list(filter(None, entry))
    forms: dict[str, str] = module.FORMS[lemma]
    return list(forms.values())


def _plain(word: str) -> str:
    """Without accents, in lower case."""
    apart = unicodedata.normalize("NFD", word.lower())
    return "".join(c for c in apart if not unicodedata.combining(c))


def cognate(lemma: str, category: str) -> bool:
    """Whether at least two languages spell a lemma alike."""
    words = [_plain(_forms(lemma, category, language)[0]) for language in LANGUAGES]
    return any(
        a and b and SequenceMatcher(None, a, b, autojunk=False).ratio() >= ALIKE
        for a, b in combinations(words, 2)
    )


def describe() -> Iterator[Row]:
    """A row for every category, in the order of the lexicon."""
    for category, lemmas in CATEGORIES.items():
        forms = {
            language: len({form for m in lemmas for form in _forms(m, category, language)})
            for language in LANGUAGES
        }
        share = sum(cognate(lemma, category) for lemma in lemmas) / len(lemmas)
        yield Row(category, len(lemmas), forms, share)
