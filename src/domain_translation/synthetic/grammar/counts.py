"""The world in numbers: lemmas, word forms and cognates by category."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import combinations
from typing import NamedTuple

from domain_translation.synthetic.grammar.lexicon import CATEGORIES, LANGUAGES
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


def _citation(lemma: str, category: str, language: str) -> str:
    """The form under which a dictionary lists a lemma, without accents and in lower case."""
    module = MODULES[language]
    entry: list[str] = module.WORDS[lemma]
    if category == "name":
        return lemma.lower()
    if category == "place":
        text = entry[1]
    elif category == "month":
        text = entry[-1]
    else:
        forms: dict[str, str] = module.FORMS[lemma]
        text = forms.get("infinitive") or forms.get("singular") or " ".join(entry)
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in plain if not unicodedata.combining(c))


def cognate(lemma: str, category: str) -> bool:
    """Whether at least two languages spell a lemma alike."""
    words = [_citation(lemma, category, language) for language in LANGUAGES]
    return any(
        a and b and SequenceMatcher(None, a, b, autojunk=False).ratio() >= ALIKE
        for a, b in combinations(words, 2)
    )


def describe() -> Iterator[Row]:
    """A row for every category, in the order of the lexicon."""
    for category, lemmas in CATEGORIES.items():
        forms = {
            language: len({f for m in lemmas for f in MODULES[language].FORMS[m].values()})
            for language in LANGUAGES
        }
        share = sum(cognate(lemma, category) for lemma in lemmas) / len(lemmas)
        yield Row(category, len(lemmas), forms, share)
