"""Multi30k for the studies: what a translator learns from, what it knows before, what it is asked.

Captions of pictures and their translations (Elliott et al. 2016), for non-commercial research: a
study reads them where the reader keeps them, and stores translations, never the text. Without pairs
there is English of the first half of the training sentences and the other language of the second
half (Lample et al. 2018). A dictionary for it comes from one of two places:

* `found`: it is found in the two halves, by the company that words keep (`language.induction`).
  No pair of sentences and no word list takes part.
* `known`: it is counted in so many true sentence pairs (`language.alignment`), of which nothing
  else is used. This is weak supervision, and declared as such.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain_translation.data import texts
from domain_translation.data.sentences import seen_before, unpaired, without
from domain_translation.language.alignment import dictionary_of_pairs
from domain_translation.language.batches import Ids
from domain_translation.language.induction import company, dictionary_of_text
from domain_translation.language.objective import Direction
from domain_translation.language.stages import Lessons, Stage, train_stages
from domain_translation.language.vocabulary import Vocabulary
from domain_translation.language.xlm import XLM, XLMConfig
from domain_translation.runtime import seeded

DATA = "multi30k"
DEVELOPMENT, TEST = "validation", "test"  # splits to choose by, and to judge by
POSITIONS = 128  # pieces; the longest caption has 63


@dataclass(frozen=True)
class Multi30kConfig:
    """Settings of a training; steps count minibatches of either language or direction."""

    languages: tuple[str, str] = ("en", "fr")
    supervised: bool = False  # learn from sentence pairs
    known: int = 0  # or: a dictionary is counted in so many sentence pairs
    found: bool = False  # or: a dictionary is found in the text without pairs
    pieces: int = 4000  # of the vocabulary, both languages together
    dim: int = 128
    heads: int = 4
    layers: int = 2
    dropout: float = 0.0
    masked: int = 1500  # steps of masked language modelling; 0: none
    word_pairs: int = 1500  # steps on sentences translated word by word, if words are known
    steps: int = 1500  # of back-translation, or on sentence pairs
    tokens: int = 600  # in a minibatch
    learning_rate: float = 2.5e-3
    refining_rate: float = 5e-4  # of back-translation after word pairs, which more would undo


def directions(languages: tuple[str, str]) -> tuple[Direction, Direction]:
    """There and back."""
    return languages, languages[::-1]


def translator(
    config: Multi30kConfig, seed: int, folder: Path, looks: int = 1, masked: Path | None = None
) -> Iterator[Stage]:
    """Train on Multi30k, and pause to be looked at; arguments as of `language.stages`.

    Raises DamagedData, MissingData: as `data.texts.multi30k`.
    """
    text, vocabulary = text_of(config)
    with seeded(seed):
        model = XLM(
            XLMConfig(
                len(vocabulary), config.languages, config.dim, config.heads, config.layers,
                POSITIONS, config.dropout,
            )
        )  # fmt: skip
    pairs = true_pairs(config) if config.supervised else {}
    lessons = Lessons(text, vocabulary, directions(config.languages), dictionaries(config), pairs)
    return train_stages(model, lessons, config, seed, folder, looks, masked)


@functools.cache
def held_out(split: str, languages: tuple[str, str]) -> dict[str, list[str]]:
    """Pairs that no training has seen: `split` is DEVELOPMENT or TEST."""
    return texts.multi30k(split, languages)


@functools.cache
def training_pairs(languages: tuple[str, str]) -> dict[str, list[str]]:
    """The training pairs, without those of which either side occurs in the held-out ones."""
    pairs = texts.multi30k("train", languages)
    seen = {
        place
        for split in (DEVELOPMENT, TEST)
        for language, lines in held_out(split, languages).items()
        for place in seen_before(pairs[language], lines)
    }
    return {language: without(lines, seen) for language, lines in pairs.items()}


def text_of(config: Multi30kConfig) -> tuple[dict[str, list[str]], Vocabulary]:
    """Text of either language, without pairs if it is to be learnt so, and its vocabulary."""
    return _text_of(config.languages, config.supervised, config.pieces)


@functools.cache
def _text_of(
    languages: tuple[str, str], paired: bool, pieces: int
) -> tuple[dict[str, list[str]], Vocabulary]:
    pairs = training_pairs(languages)
    text = pairs if paired else unpaired(pairs)
    return text, Vocabulary.train(text, pieces)


def true_pairs(config: Multi30kConfig) -> dict[Direction, tuple[Ids, Ids]]:
    """What the supervised twin learns from, in pieces."""
    text, vocabulary = _text_of(config.languages, True, config.pieces)
    ids = {language: vocabulary.encode(lines) for language, lines in text.items()}
    return {(s, t): (ids[s], ids[t]) for s, t in directions(config.languages)}


def dictionaries(config: Multi30kConfig) -> dict[Direction, dict[str, str]]:
    """The words that are known, by direction: counted in pairs, found in text, or none."""
    return _dictionaries(config.languages, config.known, config.found)


@functools.cache
def _dictionaries(
    languages: tuple[str, str], known: int, found: bool
) -> dict[Direction, dict[str, str]]:
    pairs, ways = training_pairs(languages), directions(languages)
    if found:
        heard = {language: company(lines) for language, lines in unpaired(pairs).items()}
        return {(s, t): dictionary_of_text(heard[s], heard[t]) for s, t in ways}
    if known:
        few = {language: lines[:known] for language, lines in pairs.items()}
        return {(s, t): dictionary_of_pairs(few[s], few[t]) for s, t in ways}
    return {}
