"""How a translator is trained, from masked words on: the stages of XLM, and a look after each.

Masked words first; then, where words are known, sentences that were translated word by word; then
back-translation, with denoising where no words were known, or true pairs in their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from torch import Tensor

from domain_translation.files import write_atomically
from domain_translation.language.batches import Ids
from domain_translation.language.lexicon import Dictionary, dictionary_sentences
from domain_translation.language.objective import Direction
from domain_translation.language.pretraining import train_mlm
from domain_translation.language.supervised import train_supervised
from domain_translation.language.unsupervised import train_unsupervised
from domain_translation.language.vocabulary import Vocabulary
from domain_translation.language.xlm import XLM, decoder_from_encoder

MASKED, WORDS = (f"{stage}.safetensors" for stage in ("masked", "word_pairs"))


class Pace(Protocol):
    """How long is trained; steps count minibatches of every language or direction."""

    @property
    def masked(self) -> int:
        """Steps of masked language modelling; with none, this stage is left out."""

    @property
    def word_pairs(self) -> int:
        """Steps on sentences translated word by word, if words are known."""

    @property
    def steps(self) -> int:
        """Steps of denoising and back-translation, or on sentence pairs."""

    @property
    def tokens(self) -> int:
        """Tokens in a minibatch."""

    @property
    def learning_rate(self) -> float:
        """Adam's, at its highest."""

    @property
    def refining_rate(self) -> float:
        """The same of back-translation after word pairs, which more would undo."""


@dataclass(frozen=True)
class Lessons:
    """What a translator learns from.

    Attributes:
        text: monolingual, by language.
        vocabulary: of its pieces.
        directions: to be learnt.
        dictionaries: words that are known, for each direction; or none.
        pairs: sources and targets of each direction, in pieces, in the place of back-translation;
            the dictionaries are then not looked into.
    """

    text: Mapping[str, Sequence[str]]
    vocabulary: Vocabulary
    directions: Sequence[Direction]
    dictionaries: Mapping[Direction, Dictionary] = field(default_factory=dict)
    pairs: Mapping[Direction, tuple[Ids, Ids]] = field(default_factory=dict)


class Stage(NamedTuple):
    """A network on its way, which goes on changing."""

    name: str  # "masked", "word pairs" or "last"
    steps: int  # of this stage so far
    model: XLM
    vocabulary: Vocabulary
    losses: Tensor  # of this stage so far


def train_stages(
    model: XLM,
    lessons: Lessons,
    pace: Pace,
    seed: int,
    folder: Path,
    looks: int = 1,
    masked: Path | None = None,
) -> Iterator[Stage]:
    """Train `model`, and pause to be looked at.

    Args:
        model: is changed.
        lessons: what it learns from.
        pace: for how long.
        seed: of minibatches and noise.
        folder: of the checkpoints; a training that was stopped goes on from them.
        looks: pauses in the last stage, the end included, at equal distances.
        masked: checkpoint of the masked language model, where several trainings have it in common.
    """
    vocabulary, directions = lessons.vocabulary, lessons.directions
    ids = {language: vocabulary.encode(lines) for language, lines in lessons.text.items()}
    how: dict[str, Any] = {"tokens": pace.tokens, "learning_rate": pace.learning_rate, "seed": seed}
    if pace.masked:
        losses = train_mlm(
            model, vocabulary, ids, steps=pace.masked, **how, checkpoint=masked or folder / MASKED
        )
        decoder_from_encoder(model)  # lcool.train.xlm
        yield Stage("masked", pace.masked, model, vocabulary, losses)

    if lessons.dictionaries and not lessons.pairs:
        made = dictionary_sentences(lessons.dictionaries, lessons.text, directions)
        pairs = {d: (vocabulary.encode(x), ids[d[1]]) for d, (x, _) in made.items()}
        losses = train_supervised(
            model, vocabulary, pairs, steps=pace.word_pairs, noise=True, **how,
            checkpoint=folder / WORDS,
        )  # fmt: skip
        yield Stage("word pairs", pace.word_pairs, model, vocabulary, losses)

    how["steps"] = pace.steps
    # A file for each look, since a training that goes on must show again what it was on its way.
    ways = [folder / f"last-{look}.safetensors" for look in range(1, looks + 1)]
    for look, way in enumerate(ways, 1):
        how |= {"checkpoint": way, "stop": pace.steps * look // looks}
        if look > 1 and not way.exists():
            write_atomically(way, ways[look - 2].read_bytes())
        if lessons.pairs:
            losses = train_supervised(model, vocabulary, lessons.pairs, **how)
        elif lessons.dictionaries:  # the network can translate already: see `train_unsupervised`
            how |= {"denoised": (), "learning_rate": pace.refining_rate}
            losses = train_unsupervised(model, vocabulary, ids, directions=directions, **how)
        else:
            losses = train_unsupervised(model, vocabulary, ids, directions=directions, **how)
        yield Stage("last", how["stop"], model, vocabulary, losses)
