"""What happens to a chunk of lines: they are read, measured, cooled, translated.

Where a network gives up on a chunk its lines go through it one by one, so that the others are done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch

from domain_translation import cooling, runtime
from domain_translation.cooling.text import cool_text, score_rms, text_points
from domain_translation.cooling.text_files import table
from domain_translation.cooling.text_files.models import Loaded, LoadedDenoiser
from domain_translation.cooling.text_files.table import Row
from domain_translation.denoising.sequences import sequence_score

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Run:
    """Networks and settings of a run.

    Attributes:
        chain: arguments of `cool_text` for the chain.
        threshold: score above which a sentence is cooled; None cools all.
    """

    loaded: Loaded
    denoiser: LoadedDenoiser
    chain: dict[str, Any]
    threshold: float | None

    def scores(self, sentences: Sequence[str]) -> list[float]:
        """Root mean square of the score of each sentence."""
        network = self.denoiser.network
        groups = text_points(self.loaded.translator, sentences, network.space)
        found = score_rms(sequence_score(network), groups, len(sentences))
        if not found.isfinite().all():
            raise ValueError("the denoiser returned NaN or infinite values; train it again")
        return [float(length) for length in found]

    def rows(self, items: Sequence[tuple[str, bool]]) -> list[Row]:
        """Rows, still without their numbers, of sentences and whether they are to be cooled."""
        sentences, chosen = ([*column] for column in zip(*items, strict=True))
        if self.threshold is not None:
            chosen = [score > self.threshold for score in self.scores(sentences)]
        parts = [
            [s for s, inside in zip(sentences, chosen, strict=True) if inside == kind]
            for kind in (True, False)
        ]
        cooled, spared = iter(self._cooled(parts[0])), iter(self._spared(parts[1]))
        return [next(cooled if inside else spared) for inside in chosen]

    def _spared(self, sentences: Sequence[str]) -> list[Row]:
        if not sentences:
            return []
        plain, lengths = self.loaded.translator.translate(sentences), self.scores(sentences)
        return [
            Row(0, line, line, f"{length:.6g}", "0", "no")
            for line, length in zip(plain, lengths, strict=True)
        ]

    def _cooled(self, sentences: Sequence[str]) -> list[Row]:
        if not sentences:
            return []
        found = cool_text(
            self.loaded.translator,
            sequence_score(self.denoiser.network),
            sentences,
            space=self.denoiser.network.space,
            ids=[noise_id(sentence) for sentence in sentences],
            **self.chain,
        )
        return [
            Row(0, plain, cooled, f"{score:.6g}", f"{moved:.6g}", "yes" if changed else "no")
            for plain, cooled, score, moved, changed in zip(
                found.plain,
                found.cooled,
                found.score_rms.tolist(),
                found.moved.tolist(),
                found.changed.tolist(),
                strict=True,
            )
        ]


def refused(run: Run, texts: Sequence[str], reasons: Collection[int]) -> dict[int, str]:
    """Why the networks cannot take a line, by its number from 1."""
    found: dict[int, str] = {}
    longest = run.denoiser.network.longest
    for places in _chunks(texts, reasons):
        for which, why in run.loaded.refused([texts[i] for i in places], longest).items():
            found[places[which] + 1] = why
    return found


def fringe(
    run: Run, texts: Sequence[str], reasons: Collection[int], share: float
) -> frozenset[int]:
    """Places of the share of the sentences with the longest scores: L-Cool eq. 10 (lcool.eq10)."""
    lengths: dict[int, float] = {}
    for places in runtime.progress(list(_chunks(texts, reasons)), desc="scores"):
        found, _ = _each(run.scores, [texts[i] for i in places])
        lengths |= {places[k]: length for k, length in found.items()}
    if not lengths:
        return frozenset()
    inside = cooling.fringe_mask(torch.tensor(list(lengths.values())), share=share)
    return frozenset(i for i, chosen in zip(lengths, inside.tolist(), strict=True) if chosen)


def finished(
    run: Run,
    texts: Sequence[str],
    reasons: Mapping[int, str],
    chosen: Collection[int] | None,
    places: Sequence[int],
) -> list[Row]:
    """Rows of the lines at these places; of `chosen` places if not of all, they are cooled."""
    good = [i for i in places if texts[i].strip() and i + 1 not in reasons]
    items = [(texts[i], chosen is None or i in chosen) for i in good]
    found, failed = _each(run.rows, items)
    rows = {good[k]: row for k, row in found.items()}
    whys = {good[k]: why for k, why in failed.items()}
    return [
        replace(rows.get(i, Row(0, reason=reasons.get(i + 1) or whys.get(i, ""))), line=i + 1)
        for i in places
    ]


def noise_id(sentence: str) -> int:
    """The number that, with the seed, decides a sentence's noise: it is made from its letters."""
    return int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:4], "big") >> 1


def _chunks(texts: Sequence[str], reasons: Collection[int]) -> Iterator[list[int]]:
    """Places of the lines that are to be translated, chunk by chunk."""
    for start in range(0, len(texts), table.CHUNK):
        inside = range(start, min(start + table.CHUNK, len(texts)))
        yield [i for i in inside if texts[i].strip() and i + 1 not in reasons]


def _each(
    action: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]
) -> tuple[dict[int, Result], dict[int, str]]:
    """Results of an action on items, and why it has none for some, by place."""
    if not items:
        return {}, {}
    try:
        return dict(enumerate(action(items))), {}
    except (ValueError, RuntimeError, MemoryError) as error:
        if len(items) == 1:
            return {}, {0: next(iter(str(error).strip().splitlines()), type(error).__name__)}
    found: dict[int, Result] = {}
    failed: dict[int, str] = {}
    for i, item in enumerate(items):
        results, reasons = _each(action, [item])
        found.update(zip([i], results.values(), strict=False))
        failed.update(zip([i], reasons.values(), strict=False))
    return found, failed
