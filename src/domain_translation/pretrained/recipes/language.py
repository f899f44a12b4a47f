"""Recipes of the grammar's translators: one network for three languages and four directions.

`translator` yields the network after each stage of its training, and on the way through the last
one: the shipped files are two of these states, the study `language/grammar` measures them all.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from domain_translation.language.batches import Ids, pad
from domain_translation.language.induction import company, dictionary_of_text
from domain_translation.language.objective import Direction
from domain_translation.language.stages import MASKED, Lessons, Stage, train_stages
from domain_translation.language.vocabulary import PAD, Vocabulary
from domain_translation.language.xlm import QUICK, XLM, translation_loss
from domain_translation.pretrained.recipes.parts import (
    CHECK,
    CHECKED,
    Made,
    Recipe,
    losses_of_file,
)
from domain_translation.pretrained.text import text_model
from domain_translation.runtime import seeded
from domain_translation.synthetic import grammar

DIRECTIONS: tuple[Direction, ...] = (("en", "fr"), ("fr", "en"), ("en", "de"), ("de", "en"))
# Seeds of the monolingual text, of the supervised twin's pairs, of those to choose and judge by.
TEXT, PAIRS, DEVELOPMENT, TEST = range(4)
# Stage, and whether it is the supervised twin's -> the file of the network that has passed it.
FILES = {
    ("word pairs", False): "words",
    ("last", False): "grammar",
    ("last", True): "supervised",
}
HELD_OUT = 300  # pairs to choose by, and as many to judge by


@dataclass(frozen=True)
class GrammarConfig:
    """Settings of a training; steps count minibatches of every language or direction.

    The sources give none for this world; chosen on development sentences.
    """

    dictionary: float = 1.0  # share of the content words that are known; 1: all words
    found: int = 0  # or: sentences of each language in which a dictionary is found
    supervised: bool = False  # learn from sentence pairs instead
    sentences: int = 10_000  # of each language
    pieces: int = 1100  # of the vocabulary, all languages together
    masked: int = 400  # steps of masked language modelling
    word_pairs: int = 1800  # steps on sentences translated word by word, if words are known
    steps: int = 250  # of back-translation, or on sentence pairs
    tokens: int = 600  # in a minibatch
    learning_rate: float = 2.5e-3
    refining_rate: float = 5e-4  # of back-translation after word pairs, which more would undo


UNSUPERVISED = GrammarConfig()
PURE = GrammarConfig(dictionary=0.0, steps=600)  # also learns to write: by denoising
SUPERVISED = GrammarConfig(supervised=True, steps=2000)


def translator(
    config: GrammarConfig, seed: int, folder: Path, looks: int = 1, masked: Path | None = None
) -> Iterator[Stage]:
    """Train on the grammar's text, and pause to be looked at.

    Args:
        config: what is known, and for how long.
        seed: of the weights, minibatches and noise.
        folder: of the checkpoints; a training that was stopped goes on from them.
        looks: pauses in the last stage, the end included, at equal distances.
        masked: checkpoint of the masked language model, which all arms have in common.
    """
    text, vocabulary = text_of(config.sentences, config.pieces)
    with seeded(seed):
        model = XLM(replace(QUICK, vocabulary=len(vocabulary), positions=96))
    tables = {} if config.supervised else dictionaries(config)
    pairs = true_pairs(config) if config.supervised else {}
    lessons = Lessons(text, vocabulary, DIRECTIONS, tables, pairs)
    return train_stages(model, lessons, config, seed, folder, looks, masked)


@functools.cache
def text_of(sentences: int, pieces: int) -> tuple[dict[str, list[str]], Vocabulary]:
    """Monolingual text of every language, and the vocabulary learnt from it."""
    text = grammar.corpora(sentences, TEXT)
    return text, Vocabulary.train(text, pieces)


@functools.cache
def dictionaries(config: GrammarConfig) -> dict[Direction, dict[str, str]]:
    """The words that are known, by direction: given, found in text without pairs, or none."""
    if config.found:
        text = grammar.corpora(config.found, TEXT)
        known = {language: company(lines) for language, lines in text.items()}
        return {(s, t): dictionary_of_text(known[s], known[t]) for s, t in DIRECTIONS}
    if not config.dictionary:
        return {}
    return {d: grammar.dictionary(*d, share=config.dictionary) for d in DIRECTIONS}


@functools.cache
def held_out(
    sentences: int, seed: int, config: GrammarConfig = UNSUPERVISED
) -> dict[str, list[str]]:
    """Pairs that no training has seen: `seed` is DEVELOPMENT or TEST."""
    return grammar.pairs(sentences, seed, without=(config.sentences, TEXT))


@functools.cache
def true_pairs(config: GrammarConfig) -> dict[Direction, tuple[Ids, Ids]]:
    """What the supervised twin learns from, in pieces: nothing that it will be asked."""
    known = {
        line for seed in (DEVELOPMENT, TEST) for line in held_out(HELD_OUT, seed, config)["en"]
    }
    drawn = grammar.pairs(config.sentences, PAIRS)
    new = [i for i, line in enumerate(drawn["en"]) if line not in known]
    vocabulary = text_of(config.sentences, config.pieces)[1]
    ids = {name: vocabulary.encode([lines[i] for i in new]) for name, lines in drawn.items()}
    return {(source, target): (ids[source], ids[target]) for source, target in DIRECTIONS}


def train(config: GrammarConfig, folder: Path, seed: int) -> dict[str, Made]:
    """The files of a training: the translator, and as it was when it knew its dictionary only."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for name, _, model, vocabulary, _ in translator(config, seed, folder):
        if name != "masked":
            file = f"language/{FILES[name, config.supervised]}"
            made[file] = Made(
                copy.deepcopy(model).requires_grad_(False).eval(), vocabulary=vocabulary
            )
    return made


def shorter(config: GrammarConfig, steps: int) -> GrammarConfig:
    """A trial of so many steps of masked language modelling, and one of what follows."""
    return replace(config, masked=steps, word_pairs=1, steps=1)


def first_losses(folder: Path) -> Tensor:
    """Losses (steps, languages) of the masked language model, which comes first."""
    return losses_of_file(folder / MASKED)


def missed(file: str, network: nn.Module) -> float:
    """Mean -log p of the pieces of true translations, over all directions, in nats."""
    assert isinstance(network, XLM)
    vocabulary = text_model(file).vocabulary
    ids = {k: vocabulary.encode(v) for k, v in grammar.pairs(CHECKED, CHECK).items()}
    losses = []
    for source, target in DIRECTIONS:
        x, y = pad(ids[source]), pad(ids[target])
        code, allowed = network.encode(x, source), vocabulary.allowed(target)
        losses.append(translation_loss(network, code, x != PAD, y, target, allowed))
    return float(torch.stack(losses).mean())


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    plan = {"language/grammar": UNSUPERVISED, "language/supervised": SUPERVISED}
    return {
        name: Recipe(config, train, shorter, missed, first_losses) for name, config in plan.items()
    }
