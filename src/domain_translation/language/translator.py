"""Translators of sentences as cooling needs them: open between embedding, code and words.

Sentences travel in groups of one exact length: whatever moves a sentence's points then needs no
mask, and its result does not depend on how far its neighbours would have had it padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from domain_translation.language import search
from domain_translation.language.batches import by_length, pad
from domain_translation.language.vocabulary import Vocabulary
from domain_translation.language.xlm import XLM
from domain_translation.sampling.inputs import evaluating


class Points(NamedTuple):
    """Sentences of one length, as points."""

    x: Tensor  # (B, n, d): a vector for each of the n tokens
    rows: list[int]  # which sentences of the text they are


class Translates(Protocol):
    """Any translator whose insides can be cooled."""

    def embed(self, sentences: Sequence[str]) -> list[Points]:
        """Word embeddings of every sentence, grouped by length: the space of L-Cool-Input."""

    def code(self, points: Points) -> Points:
        """From word embeddings to the encoder's output: the space of L-Cool-Feature."""

    def decode(self, codes: Sequence[Points]) -> list[str]:
        """The translations, in the order of their rows, which are 0, 1, ... without a gap."""

    def translate(self, sentences: Sequence[str]) -> list[str]:
        """A translation of every sentence."""


class TextTranslator:
    """A translator of ours, from one language to another one. An empty line stays empty.

    Args:
        model: with the languages of `vocabulary`.
        vocabulary: the one that `model` was trained with.
        source, target: two of the model's languages.
        beam: prefixes kept in the search; 1 is the greedy one.
        length_penalty: of `search.beam`.
        batch: sentences that are decoded together, of similar lengths.

    Raises:
        ValueError: an unknown language, one language twice, or a vocabulary of another model.
    """

    def __init__(
        self,
        model: XLM,
        vocabulary: Vocabulary,
        source: str,
        target: str,
        beam: int = 1,
        length_penalty: float = 1.0,
        batch: int = 64,
    ) -> None:
        known = model.config.languages
        if unknown := [language for language in (source, target) if language not in known]:
            raise ValueError(f"unknown language {unknown[0]!r}; this model has {', '.join(known)}")
        if source == target:
            raise ValueError(f"source and target are both {source!r}; choose two of {known}")
        check_vocabulary(model, vocabulary)
        self.model, self.vocabulary, self.source, self.target = model, vocabulary, source, target
        self.beam, self.length_penalty, self.batch = beam, length_penalty, batch
        self.device = next(model.parameters()).device
        self.allowed = vocabulary.allowed(target).to(self.device)

    @torch.no_grad()
    def embed(self, sentences: Sequence[str]) -> list[Points]:
        """Word embeddings (B, n, d) of sentences of n tokens, EOS counted, n increasing.

        Raises ValueError for a sentence that is too long or no Unicode text, by its number.
        """
        ids, most = self.vocabulary.encode(sentences), self.model.config.positions
        for i, row in enumerate(ids):
            if len(row) > most:
                raise ValueError(
                    f"sentence {i + 1} has {len(row)} tokens; this model takes at most {most}: "
                    f"split it"
                )
        return [
            Points(self.model.embed(pad([ids[i] for i in rows], self.device)), rows)
            for _, rows in sorted(by_length(ids).items())
        ]

    @torch.no_grad()
    def code(self, points: Points) -> Points:
        """The encoder's output (B, n, d) for word embeddings (B, n, d)."""
        with evaluating(self.model):
            return points._replace(x=self.model.encode_embeddings(points.x, self.source))

    @torch.no_grad()
    def decode(self, codes: Sequence[Points]) -> list[str]:
        """The translations of all sentences, in the order of the text."""
        lines = [""] * sum(len(group.rows) for group in codes)
        # Sentences of a single token are empty lines.
        full = [group for group in codes if group.x.shape[1] > 1]
        single = [(x, row) for group in full for x, row in zip(*group, strict=True)]
        for start in range(0, len(single), self.batch):
            xs, rows = zip(*single[start : start + self.batch], strict=True)
            for row, line in zip(rows, self._write(xs), strict=True):
                lines[row] = line
        return lines

    def translate(self, sentences: Sequence[str]) -> list[str]:
        """A translation of every sentence; see `embed` for what is refused."""
        return self.decode([self.code(points) for points in self.embed(sentences)])

    def _write(self, codes: Sequence[Tensor]) -> list[str]:
        """Translations of codes (n_i, d)."""
        lengths = torch.tensor([len(code) for code in codes], device=self.device)
        x = torch.nn.utils.rnn.pad_sequence(list(codes), batch_first=True)
        mask = torch.arange(x.shape[1], device=self.device) < lengths[:, None]
        if self.beam == 1:
            ids = search.greedy(self.model, x, mask, self.target, self.allowed)
        else:
            ids = search.beam(
                self.model, x, mask, self.target, self.allowed, self.beam, self.length_penalty
            )
        return self.vocabulary.decode(ids)


def check_vocabulary(model: XLM, vocabulary: Vocabulary) -> None:
    """Raise ValueError if `model` was built for other tokens or languages than these."""
    config = model.config
    if len(vocabulary) != config.vocabulary or set(config.languages) - set(vocabulary.languages):
        raise ValueError(
            f"the model has {config.vocabulary} tokens of {', '.join(config.languages)}, the "
            f"vocabulary {len(vocabulary)} of {', '.join(vocabulary.languages)}; "
            f"use the vocabulary that the model was trained with"
        )
    if model.vocabulary_sha256 not in (None, vocabulary.digest()):
        raise ValueError(
            "this vocabulary has as many tokens as the model, but others; "
            "use the vocabulary that the model was trained with"
        )
