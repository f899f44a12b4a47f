"""How the denoisers of sentences were trained that come with the package.

They know the codes of the supervised translator, English and French, with the noise of L-Cool.
"""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import nn

from domain_translation.cooling.text import by_length, text_points
from domain_translation.denoising.sequences import (
    Points,
    SequenceDenoiser,
    residual_share,
    train_sequence_denoiser,
)
from domain_translation.pretrained.recipes import language
from domain_translation.pretrained.recipes.parts import CHECK, CHECKED, Made, Recipe, fewer_steps
from domain_translation.pretrained.text import text_translator
from domain_translation.synthetic import grammar

DENOISERS = {"language/english_denoiser": ("en", "fr"), "language/french_denoiser": ("fr", "en")}


@dataclass(frozen=True)
class SentenceConfig:
    """Settings of a training; after 200 steps it would be no better than a linear filter."""

    sigma: float = 1.0  # lcool.train.dae_lang: the square root of its variance for codes
    steps: int = 2000
    tokens: int = 1200  # in a minibatch
    learning_rate: float = 2e-3


def codes(file: str, sentences: list[str]) -> Points:
    """What the translator's encoder makes of sentences, by their length."""
    return by_length(
        text_points(text_translator("language/supervised", *DENOISERS[file]), sentences)
    )


def denoiser(file: str, config: SentenceConfig, checkpoint: Path, seed: int) -> dict[str, Made]:
    """The denoiser of one language's codes, learnt from the translator's own text."""
    of = language.SUPERVISED
    text, _ = language.text_of(of.sentences, of.pieces)
    trained = train_sequence_denoiser(
        codes(file, text[DENOISERS[file][0]]),
        longest=96,  # as the translator
        seed=seed,
        checkpoint=checkpoint,
        **asdict(config),
    )
    return {file: Made(trained, {"sigma": config.sigma, "language": DENOISERS[file][0]})}


def left(file: str, network: nn.Module) -> float:
    """The share of the codes' variance that it leaves of its noise."""
    assert isinstance(network, SequenceDenoiser)
    lines = grammar.pairs(CHECKED, CHECK)[DENOISERS[file][0]]
    return residual_share(network, codes(file, lines), network.sigma)


def recipes() -> dict[str, Recipe]:
    """The recipes of this module by name."""
    return {
        file: Recipe(SentenceConfig(), functools.partial(denoiser, file), fewer_steps, left)
        for file in DENOISERS
    }
