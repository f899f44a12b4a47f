"""A bilingual dictionary of word forms, made from the lexicon."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from random import Random

from domain_translation.synthetic.grammar.lexicon import (
    ADJECTIVES,
    CATEGORY,
    FUNCTIONS,
    LANGUAGES,
    NOUNS,
    TIMES,
    VERBS,
    of,
)
from domain_translation.synthetic.grammar.parser import MODULES

# Feature -> what stands for it in a language that lacks it.
_INSTEAD = {"last": "present", "future": "infinitive", "present": "infinitive"}


def _form(forms: dict[str, str], feature: str) -> str:
    """The form of a feature, or the nearest one."""
    if feature in forms:
        return forms[feature]
    first, _, rest = feature.partition(" ")
    if f"{_INSTEAD.get(first)} {rest}" in forms:
        return forms[f"{_INSTEAD[first]} {rest}"]
    for candidate in (first, _INSTEAD.get(first, first), "singular"):
        if candidate in forms:
            return forms[candidate]
    return next(iter(forms.values()))


def _lemma_forms(lemma: str, source: str, target: str) -> dict[str, str]:
    """Word form -> word form, of a content lemma."""
    here, there = MODULES[source], MODULES[target]
    if of(lemma, "name"):
        return {lemma: lemma}
    if of(lemma, *NOUNS, *VERBS, *ADJECTIVES):
        theirs = there.FORMS[lemma]
        found: dict[str, str] = {}
        for feature, form in here.FORMS[lemma].items():
            found.setdefault(form, _form(theirs, feature))
        return found
    noun = {"en": 1, "fr": 1, "de": 1} if of(lemma, "place") else dict.fromkeys(LANGUAGES, 0)
    return {here.WORDS[lemma][noun[source]]: there.WORDS[lemma][noun[target]]}


@lru_cache(maxsize=1)
def _glosses() -> list[dict[str, list[str]]]:
    """Function words: rows of the words of each language that translate each other."""
    text = files(__package__).joinpath("glosses.toml").read_text(encoding="utf-8")
    rows: list[dict[str, list[str]]] = tomllib.loads(text)["word"]
    return rows


def dictionary(
    source: str, target: str, *, share: float = 1.0, seed: int = 0, content: bool = False
) -> dict[str, str]:
    """Word form -> word form, in lower case but for names, "I" and German nouns.

    Args:
        source, target: two of `LANGUAGES`.
        share: below 1, a random part of the content lemmas with all their forms and no function
            words, in (0, 1].
        seed: chooses the part; the same lemmas for every pair of languages, and those of a
            smaller share are among those of a larger one.
        content: content words only, even with `share` 1.

    Raises:
        ValueError: unknown or equal languages, a share outside (0, 1].
    """
    if source == target or not {source, target} <= set(LANGUAGES):
        raise ValueError(
            f"languages are {source!r} and {target!r}; give two different ones of "
            f"{', '.join(LANGUAGES)}"
        )
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; give a number above 0 and at most 1")
    lemmas = [lemma for lemma in CATEGORY if not of(lemma, *FUNCTIONS, *TIMES)]
    if share < 1:
        chosen = Random(seed).sample(lemmas, len(lemmas))[: round(share * len(lemmas))]
        lemmas = [lemma for lemma in lemmas if lemma in set(chosen)]
    found: dict[str, str] = {}
    if share == 1 and not content:
        for row in _glosses():
            for word in row[source]:
                found.setdefault(word, row[target][0])
    for lemma in lemmas:
        for word, translation in _lemma_forms(lemma, source, target).items():
            found.setdefault(word, translation)
    return found
