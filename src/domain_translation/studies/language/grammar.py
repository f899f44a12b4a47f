"""What heaps of text without pairs teach about translation, and what a dictionary adds.

Arms: masked language modelling and back-translation alone (`pure`); with a quarter of the content
words known; with all words known; with the words that are found in the text itself, known by
their company; and the same network on sentence pairs. They are judged on
sentences of the grammar that no training has seen, and by which word becomes which on the way.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.evaluation.text import bleu, translation_matrix
from domain_translation.language.lexicon import word_by_word
from domain_translation.language.objective import Direction
from domain_translation.language.stages import Stage
from domain_translation.language.translator import TextTranslator
from domain_translation.pretrained.recipes.language import (
    DEVELOPMENT,
    DIRECTIONS,
    HELD_OUT,
    PURE,
    SUPERVISED,
    TEST,
    UNSUPERVISED,
    GrammarConfig,
    dictionaries,
    held_out,
    translator,
)
from domain_translation.studies.study import Measure, Study
from domain_translation.synthetic import grammar

LOOKS = 3  # at the network on its way through the last stage
WATCHED = 60  # development sentences that it then translates in all directions
CATEGORIES = ("person", "animal", "food", "place", "human", "thing_quality", "adverb")
MATRIX = "matrix"  # which French word stands for which English one, (looks, words, words)
LOOK = "looks"  # (looks, 2 + directions): whether in the last stage, its steps, BLEU


@dataclass(frozen=True)
class Arm:
    """What is known beforehand, and for how long is trained."""

    config: GrammarConfig


ARMS: Mapping[str, Arm] = {
    "supervised": Arm(SUPERVISED),
    "full dictionary": Arm(UNSUPERVISED),
    "pure": Arm(PURE),
    "quarter of the dictionary": Arm(replace(UNSUPERVISED, dictionary=0.25)),
    "dictionary found in text": Arm(replace(UNSUPERVISED, found=60_000)),
}


def words() -> dict[str, str]:
    """English and French of the matrix: the commonest of some categories, as dictionaries say."""
    table = grammar.dictionary("en", "fr")
    named = [lemma for category in CATEGORIES for lemma in grammar.lemmas(category)]
    return {lemma: table[lemma] for lemma in named if lemma in table and table[lemma] != lemma}


def translations(stage: Stage, direction: Direction, sentences: Sequence[str]) -> list[str]:
    """What the network says; of what is longer than it can read, to the beginning."""
    most, ids = stage.model.config.positions, stage.vocabulary.encode(sentences)
    cut = stage.vocabulary.decode([line[: most // 2] for line in ids])
    sentences = [
        whole if len(line) <= most else beginning
        for whole, beginning, line in zip(sentences, cut, ids, strict=True)
    ]
    return TextTranslator(stage.model, stage.vocabulary, *direction).translate(sentences)


def run(arm: Arm, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train, look at the network on its way, and let it translate the test sentences.

    All arms of a seed begin with the same masked language model, which is trained once.
    """
    development, known = held_out(HELD_OUT, DEVELOPMENT, arm.config), words()
    looks, matrices = [], []
    masked = folder.parent / f"masked-{seed}.safetensors"
    for stage in translator(arm.config, seed, folder, LOOKS, masked):
        if stage.name == "masked":
            continue
        watched = {name: lines[:WATCHED] for name, lines in development.items()}
        made = {d: translations(stage, d, watched[d[0]]) for d in DIRECTIONS}
        scores = [bleu(made[d], watched[d[1]]).value for d in DIRECTIONS]
        looks.append([float(stage.name == "last"), stage.steps, *scores])
        french = functools.partial(translations, stage, ("en", "fr"))
        shares = translation_matrix(french, known, development["en"])
        matrices.append(torch.from_numpy(shares))
    test = held_out(HELD_OUT, TEST, arm.config)
    found = {d: translations(stage, d, test[d[0]]) for d in DIRECTIONS}
    back = {f"{s}-{t}-{s}": as_bytes(translations(stage, (t, s), found[s, t])) for s, t in found}
    there = {"-".join(d): as_bytes(lines) for d, lines in found.items()}
    return {MATRIX: torch.stack(matrices).half(), LOOK: torch.tensor(looks), **there, **back}


def measure(arm: Arm, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """BLEU on the test pairs, of the network and of its dictionary word by word."""
    test = held_out(HELD_OUT, TEST, arm.config)
    rows = []
    for source, target in DIRECTIONS:
        name, references = f"{source}-{target}", test[target]
        rows.append(Measure(f"BLEU {name}", bleu(as_text(found[name]), references).value))
        there_and_back = bleu(as_text(found[f"{name}-{source}"]), test[source]).value
        rows.append(Measure(f"BLEU {name}, round trip", there_and_back))
        if (tables := dictionaries(arm.config)) and not arm.config.supervised:
            made = [word_by_word(tables[source, target], line) for line in test[source]]
            rows.append(Measure(f"BLEU {name}, word by word", bleu(made, references).value, ()))
    matrix = found[MATRIX][-1].float()
    rows += [
        Measure("diagonal", float(matrix.diagonal().nanmean())),
        Measure("largest of a row", float(matrix.amax(1).nanmean())),
    ]
    return rows


def excerpt(arm: Arm, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """BLEU and the matrix of words on the way."""
    return {name: found[name] for name in (MATRIX, LOOK)}


def as_bytes(lines: Sequence[str]) -> Tensor:
    """Lines of text as a tensor of bytes (n,)."""
    return torch.tensor(list("\n".join(lines).encode()), dtype=torch.uint8)


def as_text(content: Tensor) -> list[str]:
    """The lines again."""
    return bytes(content.tolist()).decode().split("\n")


STUDY = Study("language/grammar", ARMS, range(3), run, measure, trains=True, excerpt=excerpt)
