"""Cool a text, then translate it: L-Cool-Feature and L-Cool-Input (L-Cool section 5.1).

Feature cools the encoder's output, Input the word embeddings before it (lcool.arch.lcool_variants).
Sentences of one exact length are cooled together, for a padded sentence would see other noise: its
translation depends neither on its neighbours nor on their order.

A *move* changes points: cooling is one, and `cooling.text_moves` has those it is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from domain_translation.cooling.cool import Score, cool, sample_ids
from domain_translation.cooling.fringe import fringe_mask, score_norms
from domain_translation.denoising.sequences import SPACES
from domain_translation.language.translator import Points, Translates
from domain_translation.sampling.langevin import DivergenceError

# Sentences of one length (B, n, d) and the numbers of their noise -> where they end.
Move = Callable[[Tensor, Sequence[int]], Tensor]


class CooledText(NamedTuple):
    """A text's translations, and what cooling did to its sentences; all in the order of the text.

    Attributes:
        plain: translations of the sentences as they are.
        cooled: translations after cooling.
        score_rms: root mean square of the score before cooling (N,); 0 for blank lines, NaN if no
            score was given.
        moved: how far the points moved, in units of their length |x' - x| / |x| (N,).
        changed: whether the two translations differ, boolean (N,).
    """

    plain: list[str]
    cooled: list[str]
    score_rms: Tensor
    moved: Tensor
    changed: Tensor

    def table(self) -> pd.DataFrame:
        """A row per sentence, a column per attribute."""
        columns = self._asdict()
        return pd.DataFrame(
            {k: v.numpy() if isinstance(v, Tensor) else v for k, v in columns.items()}
        )


def cool_text(
    translator: Translates,
    score: Score,
    sentences: Sequence[str],
    *,
    space: str = "feature",
    step_size: float,
    temperature: float,
    steps: int,
    seed: int = 0,
    ids: Sequence[int] | None = None,
    share: float | None = None,
    threshold: float | None = None,
    plain: Sequence[str] | None = None,
    batch: int = 64,
) -> CooledText:
    """Cool sentences along a score (L-Cool eq. 1, lcool.alg.lcool), then translate them.

    Args:
        translator: ours or one of Hugging Face's.
        score: estimate of grad log p of the points of the source language, (B, n, d) -> the like,
            e.g. `denoising.sequences.sequence_score(denoiser)`.
        sentences: one a line; a blank one stays blank.
        space: "feature" cools the encoder's output, "input" the word embeddings.
        step_size: alpha of eq. 1; alpha N / sigma^2 is the total pull.
        temperature: 1/beta, in [0, 1).
        steps: N.
        seed: of the noise.
        ids: one number >= 0 per sentence, which with `seed` decides its noise; by default its place
            in the text.
        share: cool only this share of the sentences, in (0, 1], those with the longest scores.
        threshold: cool only sentences whose `score_rms` is larger than this (eq. 10).
        plain: translations of the sentences as they are, where they are known already.
        batch: sentences in the networks at a time.

    Raises:
        ValueError: no sentences, another space, a score that was trained in the other space or on
            points of another width, ids or `plain` of another length, and what `cool` and
            `fringe_mask` refuse.
        DivergenceError: the points of a sentence, named by its place, are no longer finite.
    """
    move = langevin(score, step_size=step_size, temperature=temperature, steps=steps, seed=seed)
    groups = text_points(translator, sentences, space, batch)
    known = getattr(score, "space", space)
    if known != space:
        raise ValueError(
            f"the score is one of the {known} space, but the {space} space is to be cooled; give "
            f"space={known!r}, or a denoiser that was trained on {space} points"
        )
    lengths = score_rms(score, groups, len(sentences))
    chosen = torch.ones(len(sentences), dtype=torch.bool)
    if share is not None or threshold is not None:
        chosen = fringe_mask(lengths, share=share, threshold=threshold)
    result = _moved_text(translator, move, sentences, groups, chosen, space, ids, plain)
    return result._replace(score_rms=lengths)


def move_text(
    translator: Translates,
    move: Move,
    sentences: Sequence[str],
    *,
    space: str = "feature",
    ids: Sequence[int] | None = None,
    plain: Sequence[str] | None = None,
    batch: int = 64,
) -> CooledText:
    """`cool_text` with any move in the place of the chain: for controls (`cooling.text_moves`)."""
    groups = text_points(translator, sentences, space, batch)
    chosen = torch.ones(len(sentences), dtype=torch.bool)
    return _moved_text(translator, move, sentences, groups, chosen, space, ids, plain)


def langevin(
    score: Score, *, step_size: float, temperature: float, steps: int, seed: int = 0
) -> Move:
    """The move of L-Cool: `cool` with each sentence's own noise."""

    def move(x: Tensor, ids: Sequence[int]) -> Tensor:
        return cool(
            score,
            x,
            step_size=step_size,
            temperature=temperature,
            steps=steps,
            seed=seed,
            ids=ids,
        ).x

    return move


def text_points(
    translator: Translates, sentences: Sequence[str], space: str = "feature", batch: int = 64
) -> list[Points]:
    """Points of all sentences that are not blank, grouped by exact length.

    Args:
        space: "feature" or "input".
        batch: sentences in a group at most.

    Raises:
        ValueError: no sentences, another space, batch < 1.
    """
    if space not in SPACES:
        raise ValueError(f"the space is {space!r}; choose one of {', '.join(SPACES)}")
    if isinstance(sentences, str) or len(sentences) == 0 or batch < 1:
        raise ValueError(
            f"{sentences!r:.40} in batches of {batch}; give a list of at least one sentence and "
            f"batches of at least one"
        )
    full = [i for i, sentence in enumerate(sentences) if sentence.strip()]
    embedded = translator.embed([sentences[i] for i in full]) if full else []
    parts = [
        Points(x, [full[row] for row in group.rows[start : start + len(x)]])
        for group in embedded
        for start, x in zip(
            range(0, len(group.rows), batch), torch.split(group.x, batch), strict=True
        )
    ]
    return [translator.code(part) for part in parts] if space == "feature" else parts


def by_length(groups: Iterable[Points]) -> dict[int, Tensor]:
    """Points as a denoiser's training takes them: length n -> (B_n, n, d)."""
    found: dict[int, list[Tensor]] = {}
    for group in groups:
        found.setdefault(group.x.shape[1], []).append(group.x)
    return {n: torch.cat(xs) for n, xs in sorted(found.items())}


@torch.no_grad()
def score_rms(score: Score, groups: Sequence[Points], count: int) -> Tensor:
    """Root mean square of the score over the values of each sentence, (count,); 0 for blank ones.

    The norm of L-Cool eq. 10 divided by the square root of the number of values: it compares
    sentences of different lengths.
    """
    found = torch.zeros(count)
    for group in groups:
        norms = score_norms(score, group.x) / math.sqrt(group.x[0].numel())
        found[group.rows] = norms.float().cpu()
    return found


def _moved_text(
    translator: Translates,
    move: Move,
    sentences: Sequence[str],
    groups: Sequence[Points],
    chosen: Tensor,
    space: str,
    ids: Sequence[int] | None,
    plain: Sequence[str] | None,
) -> CooledText:
    """Translations of a text before and after `move` moved its `chosen` sentences."""
    numbers = sample_ids(chosen, ids)
    if plain is not None and len(plain) != len(sentences):
        raise ValueError(f"{len(plain)} translations for {len(sentences)} sentences")
    if plain is None:
        plain = _lines(translator, groups, space, [""] * len(sentences))
    fringe = [_rows(group, chosen) for group in groups]
    fringe = [group for group in fringe if group.rows]
    after = [group._replace(x=_apply(move, group, numbers)) for group in fringe]
    cooled, moved = _lines(translator, after, space, plain), torch.zeros(len(sentences))
    for x, y in zip(fringe, after, strict=True):
        far = (y.x - x.x).flatten(1).norm(dim=1) / x.x.flatten(1).norm(dim=1)
        moved[x.rows] = far.float().cpu()
    changed = torch.tensor([a != b for a, b in zip(plain, cooled, strict=True)])
    return CooledText(list(plain), cooled, torch.full_like(moved, math.nan), moved, changed)


def _rows(group: Points, chosen: Tensor) -> Points:
    """The sentences of a group that are chosen."""
    places = [i for i, row in enumerate(group.rows) if chosen[row]]
    x = group.x[torch.tensor(places, dtype=torch.long, device=group.x.device)]
    return Points(x, [group.rows[i] for i in places])


@torch.no_grad()
def _apply(move: Move, group: Points, ids: Sequence[int]) -> Tensor:
    try:
        return move(group.x, [ids[row] for row in group.rows])
    except DivergenceError as error:  # it counts chains in the group
        places = [group.rows[i] for i in error.chains]
        raise DivergenceError(error.step, places, error.norms) from error


def _lines(
    translator: Translates, groups: Sequence[Points], space: str, others: Sequence[str]
) -> list[str]:
    """Translations of the groups, among the lines `others` of the sentences that they lack."""
    codes = groups if space == "feature" else [translator.code(group) for group in groups]
    rows = sorted(row for group in codes for row in group.rows)
    place = {row: i for i, row in enumerate(rows)}
    found = translator.decode(
        [Points(group.x, [place[row] for row in group.rows]) for group in codes]
    )
    lines = list(others)
    for row, line in zip(rows, found, strict=True):
        lines[row] = line
    return lines
