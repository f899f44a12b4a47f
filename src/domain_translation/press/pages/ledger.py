"""The ledger page: every row of the sources against what the chapters found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

from domain_translation import ledger
from domain_translation.press.pages.collect import Chapter, Placed
from domain_translation.press.pages.html import (
    VERDICTS,
    badge,
    css,
    link,
    raw,
    rich,
    row_anchor,
    row_verdict,
    slug,
)

HERE = "record/ledger"
ZERO = ' class="zero"'

INTRODUCTION = """(ledger)=
# Ledger

Every equation, theorem, figure, table, data set, setting and claim of the five sources is a row
here, {count} in all. A chapter answers a row by a check that the build runs: *confirmed*,
*confirmed at reduced scale* (less data, smaller networks or fewer steps than the source used, or
a declared substitute), *not confirmed*, or *not run* with what it would need. A row that no
chapter has answered yet is *open*. Where several checks answer one row, the totals count the
least favourable of those that were run. $T$ is the temperature throughout.
"""


def page(chapters: Sequence[Chapter]) -> str:
    """MyST text of the page."""
    answers: dict[str, list[Placed]] = {row: [] for row in ledger.inventory()}
    for chapter in chapters:
        for placed in chapter.claims:
            for row in placed.claim.rows:
                answers[row].append(placed)
    verdicts = {
        row: row_verdict([p.claim.verdict for p in found]) for row, found in answers.items()
    }
    titles = {c.run.chapter: c.run.title for c in chapters}
    parts = [INTRODUCTION.format(count=len(answers)), raw(_totals(verdicts)), raw(_filter())]
    for seed, source in ledger.SOURCES.items():
        rows = [r for r in ledger.inventory().values() if r.seed == seed]
        lines = "".join(_line(r, verdicts[r.id], answers[r.id], titles) for r in rows)
        parts += [f"## {source}\n", raw(_table(source, lines))]
    return "\n".join(parts)


def _totals(verdicts: Mapping[str, str]) -> str:
    head = "".join(f'<th scope="col">{escape(v)}</th>' for v in VERDICTS)
    lines = ""
    for seed, source in ledger.SOURCES.items():
        tally = Counter(v for row, v in verdicts.items() if ledger.inventory()[row].seed == seed)
        name = f'<a href="#{slug(source)}">{source}</a>'
        lines += _total_line(name, tally)
    lines += _total_line("All", Counter(verdicts.values()))
    return (
        '<div class="wide-page"></div><table class="table totals" role="table"><thead><tr>'
        f'<th scope="col">Source</th><th scope="col">rows</th><th scope="col" class="bar-head">'
        f"share</th>{head}</tr></thead><tbody>{lines}</tbody></table>"
    )


def _total_line(name: str, tally: Counter[str]) -> str:
    total = tally.total()
    bar = "".join(
        f'<span class="v-{css(v)}" style="flex-grow:{tally[v]}"></span>'
        for v in VERDICTS
        if tally[v]
    )
    counts = "".join(
        f'<td role="cell" data-label="{escape(v)}"{"" if tally[v] else ZERO}>{tally[v]}</td>'
        for v in VERDICTS
    )
    return (
        f'<tr role="row"><th scope="row">{name}</th>'
        f'<td role="cell" data-label="rows">{total}</td>'
        f'<td role="cell" class="bar"><div aria-hidden="true">{bar}</div></td>{counts}</tr>'
    )


def _filter() -> str:
    """The form that book.js shows and serves; without scripts it stays hidden."""
    kinds = sorted({r.kind for r in ledger.inventory().values()})
    choices = {
        "source": [(slug(s), s) for s in ledger.SOURCES.values()],
        "verdict": [(css(v), v) for v in VERDICTS],
        "kind": [(k, k) for k in kinds],
    }
    fields = "".join(
        f'<label>{name.capitalize()}<select name="{name}"><option value="">any</option>'
        + "".join(f'<option value="{value}">{escape(words)}</option>' for value, words in options)
        + "</select></label>"
        for name, options in choices.items()
    )
    return (
        f'<form class="ledger-filter" id="ledger-filter" hidden>{fields}'
        '<label class="words">Words<input type="search" name="words" '
        'placeholder="score, table 3, temperature" autocomplete="off"></label>'
        '<output aria-live="polite"></output></form>'
    )


def _table(source: str, lines: str) -> str:
    return (
        f'<table class="table ledger" role="table" aria-label="Rows of {source}"><thead>'
        '<tr role="row"><th scope="col">Row</th><th scope="col">What the source has</th>'
        '<th scope="col">Verdict and scale</th><th scope="col">Source’s value, and ours</th></tr>'
        f"</thead><tbody>{lines}</tbody></table>"
    )


def _line(
    row: ledger.Row, verdict: str, answers: Sequence[Placed], titles: Mapping[str, str]
) -> str:
    note = (
        f'<details class="row-note"><summary>Note</summary><p>{rich(row.note)}</p></details>'
        if row.note
        else ""
    )
    needs = f'<p class="needs">Needs: {rich(row.needs)}</p>' if row.needs else ""
    anchor = row_anchor(row.id)
    section = escape(f" · § {row.section}" if row.section[:1].isdigit() else f" · {row.section}")
    return (
        f'<tr role="row" id="{anchor}" data-source="{slug(row.source)}" data-kind="{row.kind}" '
        f'data-verdict="{css(verdict)}"><td role="cell" class="id"><a href="#{anchor}">{row.id}</a>'
        f"<small>{row.kind}{section if row.section else ''}</small></td>"
        f'<td role="cell" class="what"><strong>{rich(row.title)}</strong><p>{rich(row.content)}</p>'
        f"{needs}{note}</td>"
        f'<td role="cell" class="verdicts">{_verdict_cell(verdict, answers, titles)}</td>'
        f'<td role="cell" class="values">{_values_cell(answers)}</td></tr>'
    )


def _verdict_cell(verdict: str, answers: Sequence[Placed], titles: Mapping[str, str]) -> str:
    if not answers:
        return badge(verdict)
    parts = []
    for placed in answers:
        where = link(HERE, placed.chapter, placed.anchor)
        aspect = f" ({rich(placed.claim.aspect)})" if placed.claim.aspect else ""
        parts.append(
            f"<div>{badge(placed.claim.verdict)}<small>{_scale(placed)}{aspect}</small>"
            f'<small>in <a href="{where}">{escape(titles[placed.chapter])}</a></small></div>'
        )
    return "".join(parts)


def _scale(placed: Placed) -> str:
    """The scale of a check: whether it was reduced, and the profile that ran it."""
    if placed.claim.verdict == ledger.NOT_RUN:
        return "not run"
    scale = "reduced scale" if placed.claim.verdict == ledger.REDUCED else "as stated"
    return f"{scale}, profile {escape(placed.profile)}"


def _values_cell(answers: Sequence[Placed]) -> str:
    return "".join(
        f"<dl><dt>source</dt><dd>{rich(p.claim.source)}</dd>"
        f"<dt>ours</dt><dd>{rich(p.claim.ours)}</dd></dl>"
        for p in answers
    )
