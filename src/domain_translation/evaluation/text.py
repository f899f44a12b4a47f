"""Translations of text against references: BLEU, chrF, a paired interval, the matrix of words.

Scores are sacreBLEU's (13a tokens, mixed case), computed in `evaluation.ngrams`, and every number
carries its signature (lcool.metric.bleu names neither tokens nor script).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from sacrebleu.metrics.base import Signature
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from domain_translation.evaluation.ngrams import (
    Floats,
    bleu_from_statistics,
    bleu_statistics,
    chrf_from_statistics,
    chrf_statistics,
)

__all__ = [
    "Paired",
    "Score",
    "bleu",
    "bleu_from_statistics",
    "bleu_statistics",
    "bootstrap_differences",
    "chrf",
    "chrf_from_statistics",
    "chrf_statistics",
    "paired_bleu",
    "paired_chrf",
    "sentence_chrf",
    "translation_matrix",
]


class Score(NamedTuple):
    """A score of a corpus in [0, 100], and sacreBLEU's signature of how it was computed."""

    value: float
    signature: str


class Paired(NamedTuple):
    """A score of `cooled` against that of `plain`, on the same sentences.

    Attributes:
        plain, cooled: the scores of the two.
        difference: cooled - plain.
        low, high: 95 % interval of the difference, percentiles of the bootstrap.
        p: two-sided p value of "no difference": how often a resampled difference is as far from
            the mean of all as the measured one is from zero. 1 where no sentence differs.
        signature: sacreBLEU's, with the resamples (bs) and their seed.
    """

    plain: float
    cooled: float
    difference: float
    low: float
    high: float
    p: float
    signature: str


def bleu(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """BLEU of a corpus (Papineni et al. 2002), as ``sacrebleu`` without options prints it.

    Args:
        hypotheses: translations, as ordinary text; one may be empty.
        references: one for each of them, none empty.

    Raises:
        ValueError: no sentences, unequal numbers, a list in the place of a sentence, a reference
            without text.
    """
    value = float(bleu_from_statistics(bleu_statistics(hypotheses, references).sum(0)))
    return Score(value, str(_signature(BLEU(force=True))))


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """chrF2 of a corpus (Popovic 2015): F score of n-grams of characters, as sacreBLEU's.

    Arguments and errors as for `bleu`.
    """
    value = float(chrf_from_statistics(chrf_statistics(hypotheses, references).sum(0)))
    return Score(value, str(_signature(CHRF())))


def sentence_chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Floats:
    """chrF2 of each sentence, (N,) in [0, 100]; arguments and errors as for `bleu`.

    Unlike BLEU it is defined for one short sentence: it has enough characters where words lack.
    """
    return chrf_from_statistics(chrf_statistics(hypotheses, references))


def paired_bleu(
    plain: Sequence[str],
    cooled: Sequence[str],
    references: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Paired:
    """Does cooling change BLEU? Paired bootstrap over sentences (Koehn 2004).

    sacreBLEU's own test finds two identical systems different (p = 0.001) and counts one side
    only; this one has two sides and calls equal what is equal.

    Args:
        plain, cooled: translations of the same sentences by two systems.
        references: one for each sentence.
        resamples, seed: see `bootstrap_differences`.

    Raises:
        ValueError: as `bleu` and `bootstrap_differences`.
    """
    counts = bleu_statistics(plain, references), bleu_statistics(cooled, references)
    return _paired(*counts, bleu_from_statistics, _signature(BLEU(force=True)), resamples, seed)


def paired_chrf(
    plain: Sequence[str],
    cooled: Sequence[str],
    references: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Paired:
    """`paired_bleu` for chrF2."""
    counts = chrf_statistics(plain, references), chrf_statistics(cooled, references)
    return _paired(*counts, chrf_from_statistics, _signature(CHRF()), resamples, seed)


def bootstrap_differences(
    plain: Floats,
    cooled: Floats,
    *,
    resamples: int = 1000,
    seed: int = 0,
    score: Callable[[Floats], Floats] = bleu_from_statistics,
) -> Floats:
    """Differences in score, cooled - plain, of resampled corpora, (resamples,).

    Both systems are scored on the same sentences of each resample. The draws are those of
    ``sacrebleu --paired-bs`` with the same seed.

    Args:
        plain, cooled: statistics of the two systems, e.g. `bleu_statistics`, of equal shapes.
        resamples: number of corpora, at least 1.
        seed: of the draws.
        score: of sums of these statistics.

    Raises:
        ValueError: statistics of unequal shapes, or no resamples.
    """
    if plain.shape != cooled.shape or resamples < 1:
        raise ValueError(
            f"statistics have shapes {plain.shape} and {cooled.shape} and resamples is "
            f"{resamples}; give statistics of the same sentences and at least one resample"
        )
    rng = np.random.default_rng(seed)
    n = len(plain)
    sums = np.empty((2, resamples, plain.shape[1]))
    for k in range(resamples):
        times = np.bincount(rng.choice(n, size=n), minlength=n)
        sums[:, k] = times @ plain, times @ cooled
    before, after = score(sums)
    difference: Floats = after - before
    return difference


def _paired(
    plain: Floats,
    cooled: Floats,
    score: Callable[[Floats], Floats],
    signature: Signature,
    resamples: int,
    seed: int,
) -> Paired:
    before, after = (float(score(counts.sum(0))) for counts in (plain, cooled))
    drawn = bootstrap_differences(plain, cooled, resamples=resamples, seed=seed, score=score)
    low, high = np.percentile(drawn, [2.5, 97.5])
    as_far = np.abs(drawn - drawn.mean()) >= abs(after - before)
    p = (1 + int(as_far.sum())) / (1 + resamples)
    signature.update("bs", resamples)
    signature.update("seed", seed)
    return Paired(before, after, after - before, float(low), float(high), p, str(signature))


def _signature(metric: BLEU | CHRF) -> Signature:
    """How the metric scores: it knows the number of references once it has seen one."""
    metric.corpus_score(["a"], [["a"]])
    return metric.get_signature()


def translation_matrix(
    translate: Callable[[list[str]], list[str]],
    words: Mapping[str, str],
    sentences: Iterable[str] | None = None,
) -> Floats:
    """Which word does a translator put for which? Shares (W, W), rows the source words.

    Entry (i, j): of the source sentences with the i-th source word, the share whose translation
    has the j-th target word. The diagonal is what a dictionary would do; a translator that
    exchanges words consistently has its large entries elsewhere. Case is ignored.

    Args:
        translate: sentences to as many translations.
        words: source word to its translation, both as they stand in a text.
        sentences: to translate; None translates each source word alone.

    Returns:
        (W, W) in [0, 1]; a row is NaN where no sentence has the word.

    Raises:
        ValueError: no words, or not as many translations as sentences.
    """
    if not words:
        raise ValueError("there are no words; give at least one source word and its translation")
    given = list(words if sentences is None else sentences)
    made = translate(given)
    if len(made) != len(given):
        raise ValueError(f"{len(given)} sentences gave {len(made)} translations; give one for each")
    source = _occurrences(given, list(words))
    target = _occurrences(made, list(words.values()))
    often = source.sum(0)[:, None]
    shares: Floats = source.T @ target / np.where(often > 0, often, np.nan)
    return shares


def _occurrences(sentences: Sequence[str], words: Sequence[str]) -> Floats:
    """Whether sentence i has word j, (N, W)."""
    held = [set(re.findall(r"\w+", sentence.casefold())) for sentence in sentences]
    asked = [set(re.findall(r"\w+", word.casefold())) for word in words]
    table = [[bool(word) and word <= sentence for word in asked] for sentence in held]
    return np.array(table, dtype=np.float64).reshape(len(sentences), len(words))
