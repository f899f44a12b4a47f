"""The ledger page: every row of the sources against what the chapters found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from domain_translation.notebook import criteria, ledger
from domain_translation.notebook.rows import SOURCES, Row, every_row
from domain_translation.press.agreement import agreement
from domain_translation.press.pages.collect import Chapter, Placed
from domain_translation.press.pages.html import VERDICTS, css, render, row_verdict, slug
from domain_translation.press.pages.statements import said

ALL = "All five sources"
DERIVED = "Derived here"
BOOK = SOURCES["book"]
# Of claims: judged at the scale of the source, or below it.
JUDGED = (
    *(criteria.CONFIRMED, criteria.REDUCED),
    *(criteria.UNDECIDED, criteria.CONTRADICTED),
)
SCALES = (ledger.AS_STATED, "reduced scale")


def page(
    chapters: Sequence[Chapter], stale: Collection[str], portability: Mapping[str, Any]
) -> str:
    """MyST text of the page.

    `stale` are the cards whose code has changed since, `portability` says under which instruction
    sets each claim came out the same.
    """
    rows = every_row().values()
    answers = answered(chapters)
    groups = list(dict.fromkeys(group(r) for r in rows))
    return render(
        "ledger.md",
        totals=totals(chapters),
        scales=scales(chapters),
        answers=answers,
        stale=stale,
        agree=lambda p: agreement(portability, p.chapter, said((p.claim.rows, p.claim.aspect))),
        verdicts=verdicts(answers),
        titles={c.run.chapter: c.run.title for c in chapters},
        sources={g: [r for r in rows if group(r) == g] for g in groups},
        choices={
            "source": [(slug(g), g) for g in groups],
            "verdict": [(css(v), v) for v in VERDICTS],
            "kind": [(k, k) for k in sorted({r.kind for r in rows})],
        },
    )


def group(row: Row) -> str:
    """The source that a row is counted under; what no source states is counted apart."""
    return DERIVED if row.ours and row.seed != "book" else row.source


def totals(chapters: Sequence[Chapter]) -> dict[str, Counter[str]]:
    """How many rows got which verdict: by source, under `ALL`, and apart what is the book's own."""
    found = verdicts(answered(chapters))
    tally: dict[str, Counter[str]] = {s: Counter() for s in SOURCES.values() if s != BOOK}
    tally |= {ALL: Counter(), DERIVED: Counter(), BOOK: Counter()}
    for row, verdict in found.items():
        item = every_row()[row]
        tally[group(item)][verdict] += 1
        if not item.ours:
            tally[ALL][verdict] += 1
    return tally


def scales(chapters: Sequence[Chapter]) -> dict[str, Counter[str]]:
    """How many claims got which verdict, by the scale at which they were judged."""
    tally: dict[str, Counter[str]] = {scale: Counter() for scale in SCALES}
    for claim in (p.claim for c in chapters for p in c.claims):
        if claim.verdict in JUDGED:
            tally[SCALES[claim.scale != ledger.AS_STATED]][claim.verdict] += 1
    return tally


def answered(chapters: Sequence[Chapter]) -> dict[str, list[Placed]]:
    """The claims that answer each row, rows without any included."""
    answers: dict[str, list[Placed]] = {row: [] for row in every_row()}
    for chapter in chapters:
        for placed in chapter.claims:
            for row in placed.claim.rows:
                answers[row].append(placed)
    return answers


def verdicts(answers: Mapping[str, Sequence[Placed]]) -> dict[str, str]:
    """One word for the pattern of each row."""
    return {row: row_verdict([p.claim.verdict for p in found]) for row, found in answers.items()}
