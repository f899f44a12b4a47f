"""The law of the world: how often a lemma is said, and of what.

Every category has a Zipf law with distinct frequencies, and every pair that meets in a sentence (a
verb and its object, a noun and its adjective ...) has an affinity. The table of a pair is the one
with these affinities and with *exactly* the Zipf laws as margins (Sinkhorn and Knopp 1967), so
that frequencies are known without drawing.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, lru_cache
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain_translation.synthetic.grammar.lexicon import (
    CATEGORY,
    NOUNS,
    TIMES,
    VERBS,
    lemmas,
)

Array = NDArray[np.float64]

RATIO = 1.05  # at least, between the frequencies of successive lemmas
SHARPNESS = 12.0  # the largest affinity over the smallest

_PEOPLE = {"person": 0.5, "name": 0.3, "pronoun": 0.2}
_ANYBODY = {"person": 0.7, "name": 0.3}


class Frame(NamedTuple):
    """How often verbs of a category are said; the nouns they take, by category."""

    weight: float
    subject: dict[str, float]
    object: dict[str, float]
    recipient: dict[str, float]


FRAMES: dict[str, Frame] = {
    "act": Frame(0.14, _PEOPLE, {}, {}),
    "live": Frame(0.08, {"animal": 0.6, **{c: 0.4 * p for c, p in _PEOPLE.items()}}, {}, {}),
    "move": Frame(0.04, {"vehicle": 1.0}, {}, {}),
    "meet": Frame(0.13, _PEOPLE, _ANYBODY, {}),
    "feed": Frame(0.07, _PEOPLE, {"animal": 1.0}, {}),
    "eat": Frame(0.11, _PEOPLE, {"food": 1.0}, {}),
    "sip": Frame(0.05, _PEOPLE, {"drink": 1.0}, {}),
    "write": Frame(0.08, _PEOPLE, {"text": 1.0}, {}),
    "hear": Frame(0.04, _PEOPLE, {"music": 1.0}, {}),
    "drive": Frame(0.05, _PEOPLE, {"vehicle": 1.0}, {}),
    "wear": Frame(0.05, _PEOPLE, {"clothing": 1.0}, {}),
    "handle": Frame(0.08, _PEOPLE, {"object": 1.0}, {}),
    "give": Frame(
        0.08, _PEOPLE, {"object": 0.4, "text": 0.3, "music": 0.1, "clothing": 0.2}, _ANYBODY
    ),
}
SAYING = Frame(0.0, _PEOPLE, {}, {})

# Noun -> the adjectives that go with it, by category.
ADJECTIVES_OF: dict[str, dict[str, float]] = {
    "person": {"human": 1.0},
    "animal": {"animal_quality": 1.0},
    "food": {"taste_quality": 1.0},
    "drink": {"taste_quality": 1.0},
    "text": {"style": 1.0},
    "music": {"thing_quality": 1.0},
    "vehicle": {"thing_quality": 0.6, "colour": 0.4},
    "clothing": {"thing_quality": 0.4, "colour": 0.6},
    "object": {"thing_quality": 0.6, "colour": 0.4},
}
# Role -> (categories of the head, categories of the dependent).
_OF_VERBS = ("modal", "adverb", "place", "conjunction", "question")


def pairs() -> list[tuple[str, str, str]]:
    """All (role, category of the head, category of the dependent) that a sentence can have."""
    found = []
    for verb, frame in {**FRAMES, "say": SAYING}.items():
        for role in ("subject", "object", "recipient"):
            found += [(role, verb, noun) for noun in getattr(frame, role)]
        found += [(role, verb, role) for role in _OF_VERBS if verb != "say"]
        found += [("time", verb, time) for time in TIMES]
    found += [("adjective", noun, a) for noun in NOUNS for a in ADJECTIVES_OF[noun]]
    found += [("determiner", noun, c) for noun in NOUNS for c in ("determiner", "number")]
    return [*found, ("relative", "person", "act"), ("relation", "place", "relation")]


@lru_cache(maxsize=64)
def zipf(category: str) -> Array:
    """Probabilities of a category's lemmas (n,): 1 / rank, and never flatter than `RATIO`."""
    p = [1.0]
    for rank in range(1, len(lemmas(category))):
        p.append(p[-1] * min(rank / (rank + 1), 1 / RATIO))
    return np.array(p) / sum(p)


def affinity(role: str, head: str, category: str) -> list[float]:
    """How well each lemma of a category goes with `head`, from 1 to `SHARPNESS`."""
    rng = Random(f"{role} {head} {category}")
    return [SHARPNESS ** rng.random() for _ in lemmas(category)]


@lru_cache(maxsize=512)
def table(role: str, head: str, dependent: str) -> Array:
    """P(dependent | head), (heads, dependents), of two categories; its margin is the Zipf law."""
    joint = np.array([affinity(role, lemma, dependent) for lemma in lemmas(head)])
    rows, columns = zipf(head), zipf(dependent)
    for _ in range(200):
        joint *= (rows / joint.sum(1))[:, None]
        joint *= columns / joint.sum(0)
    return np.asarray(joint / joint.sum(1, keepdims=True))


@cache
def _cumulated(role: str, head: str, dependent: str) -> tuple[tuple[str, ...], list[float]]:
    row = lemmas(CATEGORY[head]).index(head)
    return lemmas(dependent), np.cumsum(table(role, CATEGORY[head], dependent)[row]).tolist()


def draw_lemma(rng: Random, role: str, head: str, category: str) -> str:
    """A lemma of a category that goes with `head`."""
    choices, cumulated = _cumulated(role, head, category)
    return choices[min(bisect_right(cumulated, rng.random()), len(choices) - 1)]


@lru_cache(maxsize=64)
def _cumulated_zipf(category: str) -> list[float]:
    return [float(p) for p in np.cumsum(zipf(category))]


def draw_verb(rng: Random, category: str) -> str:
    """A verb of a category by its frequency."""
    choices = lemmas(category)
    return choices[min(bisect_right(_cumulated_zipf(category), rng.random()), len(choices) - 1)]


class Law(NamedTuple):
    """What is known of a lemma without drawing.

    Attributes:
        category: its category.
        probability: its share of the category.
        preferences: (role, head) -> P(this lemma | head, category), and for verbs and nouns
            (role + " of", dependent) -> P(dependent | this lemma, category of the dependent).
    """

    category: str
    probability: float
    preferences: dict[tuple[str, str], float]


def law(lemma: str) -> Law:
    """The law of a lemma: frequency and selectional preferences.

    Raises:
        ValueError: an unknown lemma.
    """
    if lemma not in CATEGORY:
        raise ValueError(f"unknown lemma {lemma!r}; lemmas() lists those that there are")
    category = CATEGORY[lemma]
    i = lemmas(category).index(lemma)
    preferences: dict[tuple[str, str], float] = {}
    for role, head, dependent in pairs():
        if dependent == category:
            column = table(role, head, dependent)[:, i].tolist()
            preferences |= {(role, h): p for h, p in zip(lemmas(head), column, strict=True)}
        if head == category:
            row = table(role, head, dependent)[i].tolist()
            said = zip(lemmas(dependent), row, strict=True)
            preferences |= {(f"{role} of", d): p for d, p in said}
    return Law(category, float(zipf(category)[i]), preferences)


assert set(FRAMES) | {"say"} == set(VERBS)
