"""The lexicon: lemmas by category, and what the three languages write for them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

LANGUAGES = ("en", "fr", "de")

NOUNS = (
    *("person", "animal", "food", "drink", "text"),
    *("music", "vehicle", "clothing", "object"),
)
VERBS = (
    *("act", "live", "move", "meet", "feed", "eat", "sip"),
    *("write", "hear", "drive", "wear", "handle", "give", "say"),
)
INTRANSITIVE = ("act", "live", "move", "say")
ADJECTIVES = ("human", "animal_quality", "taste_quality", "thing_quality", "colour", "style")
TIMES = ("time_past", "time_present", "time_future", "month")
# What is not a content word: a translator's dictionary of content words leaves it out.
FUNCTIONS = (
    *("pronoun", "relation", "modal", "conjunction", "complementizer"),
    *("question", "determiner", "number"),
)


@lru_cache(maxsize=1)
def _tables() -> Mapping[str, Mapping[str, list[str]]]:
    text = files(__package__).joinpath("lexicon.toml").read_text(encoding="utf-8")
    tables: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(text)
    return tables


CATEGORIES: Mapping[str, tuple[str, ...]] = {c: tuple(words) for c, words in _tables().items()}
CATEGORY: Mapping[str, str] = {lemma: c for c, lemmas in CATEGORIES.items() for lemma in lemmas}


def lemmas(category: str | None = None) -> tuple[str, ...]:
    """Lemmas of a category, the commonest first; of all categories without one.

    Raises:
        ValueError: an unknown category.
    """
    if category is None:
        return tuple(CATEGORY)
    if category not in CATEGORIES:
        raise ValueError(f"unknown category {category!r}; choose one of {', '.join(CATEGORIES)}")
    return CATEGORIES[category]


def entries(language: str) -> Mapping[str, list[str]]:
    """Lemma -> its entry in a language, split at blanks."""
    column = LANGUAGES.index(language)
    return {
        lemma: words[column].split(" ")
        for table in _tables().values()
        for lemma, words in table.items()
    }


def of(lemma: str | None, *categories: str) -> bool:
    """Whether a lemma belongs to one of these categories."""
    return lemma is not None and CATEGORY[lemma] in categories
