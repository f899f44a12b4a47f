"""What each sentence adds to BLEU and chrF, and the scores of sums of it.

Both scores are functions of counts that add up over a corpus: a bootstrap resamples the counts and
tokenises nothing twice. They are sacreBLEU's: 13a tokens, mixed case, one reference.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU

WORD_ORDERS = 4  # n-grams of one to four words
CHARACTER_ORDERS = 6
BETA = 2  # chrF counts recall as so many times more important than precision

Floats = NDArray[np.float64]


def bleu_statistics(hypotheses: Sequence[str], references: Sequence[str]) -> Floats:
    """What each sentence adds to BLEU, (N, 10); arguments and errors as for `text.bleu`.

    Columns, as sacreBLEU keeps them: words of the hypothesis, words of the reference, its matched
    n-grams for n = 1 to 4, its n-grams for n = 1 to 4. A match counts at most as often as the
    reference has it.
    """
    check(hypotheses, references)
    tokenize = BLEU().tokenizer
    rows = []
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        h = tokenize(hypothesis.rstrip()).split()
        r = tokenize(reference.rstrip()).split()
        counts = [_shared(h, r, n) for n in range(1, WORD_ORDERS + 1)]
        total, _, matched = zip(*counts, strict=True)
        rows.append([len(h), len(r), *matched, *total])
    return np.array(rows, dtype=np.float64)


def bleu_from_statistics(statistics: Floats) -> Floats:
    """BLEU in [0, 100] of sums (..., 10) of `bleu_statistics`.

    The geometric mean of the four precisions, times a penalty for being short. An order without a
    match counts half a match, a second one a quarter (smooth:exp). 0 where nothing matches or
    where no hypothesis has four words.
    """
    words, wanted, counts = statistics[..., 0], statistics[..., 1], statistics[..., 2:]
    matched, total = counts[..., :WORD_ORDERS], counts[..., WORD_ORDERS:]
    defined = (total > 0).all(-1) & (matched > 0).any(-1)
    missing = matched == 0
    matched = np.where(missing, 0.5 ** missing.cumsum(-1), matched)
    log_precision = np.log(matched / np.maximum(total, 1)).mean(-1)
    short = np.minimum(0, 1 - wanted / np.maximum(words, 1))
    return np.where(defined, 100 * np.exp(short + log_precision), 0.0)


def chrf_statistics(hypotheses: Sequence[str], references: Sequence[str]) -> Floats:
    """What each sentence adds to chrF, (N, 18); arguments and errors as for `text.bleu`.

    For n = 1 to 6, as sacreBLEU keeps them: n-grams of characters of the hypothesis, of the
    reference, and matched ones. Spaces do not count; orders that the reference is too short for
    have no n-grams of the hypothesis.
    """
    check(hypotheses, references)
    rows = []
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        h, r = ("".join(sentence.split()) for sentence in (hypothesis, reference))
        counts = [_shared(h, r, n) for n in range(1, CHARACTER_ORDERS + 1)]
        rows.append([k for of, wanted, both in counts for k in (of if wanted else 0, wanted, both)])
    return np.array(rows, dtype=np.float64)


def chrf_from_statistics(statistics: Floats) -> Floats:
    """chrF2 in [0, 100] of sums (..., 18) of `chrf_statistics`.

    The F score of precision and recall, each a mean over the orders that both texts have.
    """
    of, wanted, both = np.moveaxis(statistics.reshape(*statistics.shape[:-1], -1, 3), -1, 0)
    defined = (of > 0) & (wanted > 0)
    orders = np.maximum(defined.sum(-1), 1)
    precision = (both / np.maximum(of, 1) * defined).sum(-1) / orders
    recall = (both / np.maximum(wanted, 1) * defined).sum(-1) / orders
    found = BETA**2 * precision + recall
    score: Floats = 100 * (1 + BETA**2) * precision * recall / np.where(found > 0, found, 1)
    return score


def check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Refuse what sacreBLEU would score wrongly or trip over; warn of tokenised text."""
    for name, sentences in (("hypotheses", hypotheses), ("references", references)):
        if isinstance(sentences, str):
            raise ValueError(f"{name} is one string; give a list of sentences")
        for i, sentence in enumerate(sentences):
            if not isinstance(sentence, str):
                raise ValueError(
                    f"{name}[{i}] is a {type(sentence).__name__} and not a string; give one "
                    f"sentence per translation, in one flat list"
                )
    if len(hypotheses) != len(references):
        raise ValueError(
            f"{len(hypotheses)} hypotheses and {len(references)} references; give one reference "
            f"for each hypothesis, in the same order"
        )
    if not hypotheses:
        raise ValueError("there are no hypotheses; give at least one translation")
    empty = [i for i, reference in enumerate(references) if not reference.strip()]
    if empty:
        raise ValueError(
            f"references[{empty[0]}] is empty, as {len(empty)} of {len(references)} are; leave "
            f"out sentences without a reference"
        )
    for name, sentences in (("hypotheses", hypotheses), ("references", references)):
        tokenised = sum(sentence.endswith(" .") for sentence in sentences)
        if 2 * tokenised > sum(sentence.endswith(".") for sentence in sentences):
            warnings.warn(
                f"{tokenised} of {len(sentences)} {name} end in ' .', as tokenised text does; BLEU "
                f"and chrF are comparable only of ordinary text, so join the tokens first",
                stacklevel=4,
            )


def _shared(h: Sequence[str], r: Sequence[str], n: int) -> tuple[int, int, int]:
    """n-grams of the hypothesis, of the reference, and those of the one in the other.

    A match counts at most as often as the reference has it.
    """
    ours, theirs = (
        Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)) for tokens in (h, r)
    )
    return ours.total(), theirs.total(), (ours & theirs).total()
