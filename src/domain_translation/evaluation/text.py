"""Translations of text against references: BLEU, chrF, a paired interval, the matrix of words.

BLEU is sacreBLEU's (13a tokens, mixed case) and every number carries its signature
(lcool.metric.bleu names neither tokens nor script). It is computed here from the counts of each
sentence, which add up over a corpus: a bootstrap then resamples counts and tokenises nothing twice.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

ORDERS = 4  # n-grams of one to four words

Floats = NDArray[np.float64]


class Score(NamedTuple):
    """A score of a corpus in [0, 100], and sacreBLEU's signature of how it was computed."""

    value: float
    signature: str


class PairedBleu(NamedTuple):
    """BLEU of `cooled` against that of `plain`, on the same sentences.

    Attributes:
        plain, cooled: BLEU of the two.
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
    return Score(value, str(_scored(BLEU(force=True), hypotheses, references).get_signature()))


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """chrF2 of a corpus: F score of character n-grams (Popovic 2015), by sacreBLEU.

    Arguments and errors as for `bleu`.
    """
    _check(hypotheses, references)
    metric = CHRF()
    value = metric.corpus_score(list(hypotheses), [list(references)]).score
    return Score(float(value), str(metric.get_signature()))


def sentence_chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Floats:
    """chrF2 of each sentence, (N,) in [0, 100]; arguments and errors as for `bleu`.

    Unlike BLEU it is defined for one short sentence: it has enough characters where words lack.
    """
    _check(hypotheses, references)
    metric = CHRF()
    pairs = zip(hypotheses, references, strict=True)
    return np.array([metric.sentence_score(h, [r]).score for h, r in pairs])


def bleu_statistics(hypotheses: Sequence[str], references: Sequence[str]) -> Floats:
    """What each sentence adds to BLEU, (N, 10); arguments and errors as for `bleu`.

    Columns, as sacreBLEU keeps them: words of the hypothesis, words of the reference, its matched
    n-grams for n = 1 to 4, its n-grams for n = 1 to 4. A match counts at most as often as the
    reference has it.
    """
    _check(hypotheses, references)
    tokenize = BLEU().tokenizer
    rows = []
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        h = tokenize(hypothesis.rstrip()).split()
        r = tokenize(reference.rstrip()).split()
        matched, total = [], []
        for n in range(1, ORDERS + 1):
            ngrams = _ngrams(h, n)
            matched.append((ngrams & _ngrams(r, n)).total())
            total.append(ngrams.total())
        rows.append([len(h), len(r), *matched, *total])
    return np.array(rows, dtype=np.float64)


def bleu_from_statistics(statistics: Floats) -> Floats:
    """BLEU in [0, 100] of sums (..., 10) of `bleu_statistics`.

    The geometric mean of the four precisions, times a penalty for being short. An order without a
    match counts half a match, a second one a quarter (smooth:exp). 0 where nothing matches or
    where no hypothesis has four words.
    """
    words, wanted, counts = statistics[..., 0], statistics[..., 1], statistics[..., 2:]
    matched, total = counts[..., :ORDERS], counts[..., ORDERS:]
    defined = (total > 0).all(-1) & (matched > 0).any(-1)
    missing = matched == 0
    matched = np.where(missing, 0.5 ** missing.cumsum(-1), matched)
    log_precision = np.log(matched / np.maximum(total, 1)).mean(-1)
    short = np.minimum(0, 1 - wanted / np.maximum(words, 1))
    return np.where(defined, 100 * np.exp(short + log_precision), 0.0)


def bootstrap_differences(
    plain: Floats, cooled: Floats, *, resamples: int = 1000, seed: int = 0
) -> Floats:
    """BLEU differences, cooled - plain, of resampled corpora, (resamples,).

    Both systems are scored on the same sentences of each resample. The draws are those of
    ``sacrebleu --paired-bs`` with the same seed.

    Args:
        plain, cooled: `bleu_statistics` (N, 10) of the two systems.
        resamples: number of corpora, at least 1.
        seed: of the draws.

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
    before, after = bleu_from_statistics(sums)
    difference: Floats = after - before
    return difference


def paired_bleu(
    plain: Sequence[str],
    cooled: Sequence[str],
    references: Sequence[str],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> PairedBleu:
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
    statistics = bleu_statistics(plain, references), bleu_statistics(cooled, references)
    before, after = (float(bleu_from_statistics(s.sum(0))) for s in statistics)
    drawn = bootstrap_differences(*statistics, resamples=resamples, seed=seed)
    low, high = np.percentile(drawn, [2.5, 97.5])
    as_far = np.abs(drawn - drawn.mean()) >= abs(after - before)
    p = (1 + int(as_far.sum())) / (1 + resamples)
    signature = _scored(BLEU(force=True), plain, references).get_signature()
    signature.update("bs", resamples)
    signature.update("seed", seed)
    return PairedBleu(before, after, after - before, float(low), float(high), p, str(signature))


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


def _ngrams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _scored(metric: BLEU, hypotheses: Sequence[str], references: Sequence[str]) -> BLEU:
    """The metric after it has seen one sentence: it knows its signature only then."""
    metric.corpus_score([hypotheses[0]], [[references[0]]])
    return metric


def _check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
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
    tokenised = sum(hypothesis.endswith(" .") for hypothesis in hypotheses)
    if 2 * tokenised > sum(hypothesis.endswith(".") for hypothesis in hypotheses):
        warnings.warn(
            f"{tokenised} of {len(hypotheses)} hypotheses end in ' .', as tokenised text does; "
            f"BLEU and chrF are comparable only of ordinary text, so join the tokens first",
            stacklevel=3,
        )
