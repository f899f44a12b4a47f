"""The ledger page: every row of the sources against what the chapters found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from domain_translation import ledger
from domain_translation.press.pages.collect import Chapter, Placed
from domain_translation.press.pages.html import VERDICTS, css, render, row_verdict, slug

ALL = "All"


def page(chapters: Sequence[Chapter]) -> str:
    """MyST text of the page."""
    rows = ledger.inventory().values()
    answers = answered(chapters)
    kinds = sorted({r.kind for r in rows})
    return render(
        "ledger.md",
        totals=totals(chapters),
        answers=answers,
        verdicts=verdicts(answers),
        titles={c.run.chapter: c.run.title for c in chapters},
        sources={s: [r for r in rows if r.source == s] for s in ledger.SOURCES.values()},
        choices={
            "source": [(slug(s), s) for s in ledger.SOURCES.values()],
            "verdict": [(css(v), v) for v in VERDICTS],
            "kind": [(k, k) for k in kinds],
        },
    )


def totals(chapters: Sequence[Chapter]) -> dict[str, Counter[str]]:
    """How many rows got which verdict: by source, and under `ALL`."""
    tally: dict[str, Counter[str]] = {s: Counter() for s in (*ledger.SOURCES.values(), ALL)}
    for row, verdict in verdicts(answered(chapters)).items():
        tally[ledger.inventory()[row].source][verdict] += 1
        tally[ALL][verdict] += 1
    return tally


def answered(chapters: Sequence[Chapter]) -> dict[str, list[Placed]]:
    """The claims that answer each row, rows without any included."""
    answers: dict[str, list[Placed]] = {row: [] for row in ledger.inventory()}
    for chapter in chapters:
        for placed in chapter.claims:
            for row in placed.claim.rows:
                answers[row].append(placed)
    return answers


def verdicts(answers: Mapping[str, Sequence[Placed]]) -> dict[str, str]:
    """One verdict for each row."""
    return {row: row_verdict([p.claim.verdict for p in found]) for row, found in answers.items()}
