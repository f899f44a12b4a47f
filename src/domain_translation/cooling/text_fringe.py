"""Which sentences are hard? The score's length beside what is cheaper, or known for longer.

L-Cool eq. 10 calls a sample fringe when its score is long. A translator has an opinion of its own,
the probability of its output; a corpus has one, how rare the words are; and long sentences are
harder than short ones, whatever else is said of them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import pandas as pd
import torch
from torch import Tensor

from domain_translation.cooling.cool import Score
from domain_translation.cooling.text import score_rms, text_points
from domain_translation.language import search
from domain_translation.language.batches import pad
from domain_translation.language.translator import Points, TextTranslator, Translates
from domain_translation.language.vocabulary import BOS, PAD
from domain_translation.sampling.inputs import evaluating

_WORD = re.compile(r"\w+(?:['’]\w+)*")


@runtime_checkable
class Likely(Protocol):
    """A translator that says how probable its output is, such as one of Hugging Face."""

    def nll(self, codes: Points) -> Tensor:
        """-log p of its translation of each sentence, in nats per token (B,)."""


def fringe_measures(
    translator: Translates,
    score: Score,
    sentences: Sequence[str],
    counts: Mapping[str, int],
    *,
    space: str = "feature",
    batch: int = 64,
) -> pd.DataFrame:
    """Four measures of each sentence, a row each, in the order of the text.

    Columns:
        score_rms: of the score in `space`, see `cooling.text.score_rms`.
        nll: -log p of the translator's own output, in nats per token.
        rarity: mean over the words of -log of their frequency, in nats; see `rarity`.
        tokens: length of the sentence as the translator sees it.

    Blank lines have no measures (NaN).

    Args:
        translator, score, sentences, space, batch: see `cool_text`.
        counts: how often words occur in a corpus, see `word_counts`.

    Raises:
        ValueError: what `text_points` refuses, empty counts, or a translator that does not say how
            probable its output is.
    """
    groups = text_points(translator, sentences, space, batch)
    table = pd.DataFrame(
        float("nan"), index=range(len(sentences)), columns=["score_rms", "nll", "rarity", "tokens"]
    )
    lengths = score_rms(score, groups, len(sentences))
    for group in groups:
        codes = group if space == "feature" else translator.code(group)
        table.loc[group.rows, "score_rms"] = lengths[group.rows].numpy()
        table.loc[group.rows, "nll"] = nll(translator, codes).float().cpu().numpy()
        table.loc[group.rows, "rarity"] = [rarity(sentences[row], counts) for row in group.rows]
        table.loc[group.rows, "tokens"] = group.x.shape[1]
    return table


@torch.no_grad()
def nll(translator: Translates, codes: Points) -> Tensor:
    """-log p of the translator's own translation of each sentence, in nats per token (B,).

    Args:
        codes: sentences of one length in the feature space.

    Raises:
        ValueError: a translator that does not say.
    """
    if isinstance(translator, Likely):
        return translator.nll(codes)
    if not isinstance(translator, TextTranslator):
        raise ValueError(
            f"a {type(translator).__name__} does not say how probable its output is; give it a "
            f"method nll(codes) -> (B,)"
        )
    # Its own tokens: a line that is cut into tokens again may be cut in other places.
    model, how = translator.model, (translator.target, translator.allowed)
    if translator.beam == 1:
        found = search.greedy(model, codes.x, None, *how)
    else:
        penalty = translator.length_penalty
        found = search.beam(model, codes.x, None, *how, translator.beam, penalty)
    ids = pad(found, translator.device)
    prefix = torch.cat([ids.new_full((len(ids), 1), BOS), ids[:, :-1]], 1)
    with evaluating(model):
        logits = model.decode(codes.x, None, prefix, translator.target)
    log_p = logits.masked_fill(~translator.allowed, -math.inf).log_softmax(-1)
    chosen = log_p.gather(2, ids[..., None])[..., 0].masked_fill(ids == PAD, 0.0)
    return -chosen.sum(1) / (ids != PAD).sum(1)


def word_counts(corpus: Iterable[str]) -> Counter[str]:
    """How often each word occurs in a corpus; letters and digits, lower case."""
    return Counter(word for line in corpus for word in _words(line))


def rarity(sentence: str, counts: Mapping[str, int]) -> float:
    """Mean of -log (count + 1) / (total + 1) over the words of a sentence, in nats; NaN without.

    Raises:
        ValueError: the counts are empty.
    """
    if not counts:
        raise ValueError("the word counts are empty; count a corpus with word_counts")
    total, words = sum(counts.values()), _words(sentence)
    if not words:
        return math.nan
    return sum(math.log((total + 1) / (counts.get(word, 0) + 1)) for word in words) / len(words)


def _words(line: str) -> list[str]:
    return _WORD.findall(line.lower())
