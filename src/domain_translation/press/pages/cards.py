"""What the build adds to a staged chapter: the card under its title, and its claims as cards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from domain_translation import ledger
from domain_translation.errata import entries as errata
from domain_translation.press.pages.collect import Anchors, Chapter, claim_of
from domain_translation.press.pages.html import (
    VERDICTS,
    badge,
    css,
    dot,
    number,
    raw,
    rich,
    row_link,
    row_verdict,
    slug,
)

CHECK_MARK = "# NBVAL_CHECK_OUTPUT"


def dress(notebook: Path, chapter: Chapter) -> None:
    """Add the cards to the staged `notebook`, in place.

    Cells that state claims and cells tagged ``solution`` are folded; the line that tells the
    tests to compare a cell's output is taken out of what the reader sees.
    """
    import nbformat

    nb = nbformat.read(notebook, as_version=4)
    anchors = Anchors()
    for cell in nb.cells:
        if cell.cell_type == "code":
            _dress_code(cell, chapter.run.chapter, anchors)
    _insert_card(nb.cells, chapter_card(chapter))
    nbformat.write(nb, notebook)


def _dress_code(cell: Any, chapter: str, anchors: Anchors) -> None:
    claims = 0
    for output in cell.outputs:
        claim = claim_of(output)
        if claim is not None:
            claims += 1
            output.data["text/html"] = claim_card(claim, chapter, anchors.next(claim))
        shown = output.get("metadata", {}).get(errata.METADATA_KEY)
        if shown:
            output.data["text/markdown"] = erratum_box(errata.entries()[shown], chapter)
    tags = list(cell.metadata.get("tags", ()))
    if "solution" in tags:
        _fold(cell, tags, "hide-cell", "Show the solution's code", "Hide the solution's code")
    elif claims and not {"hide-input", "remove-input"} & set(tags):
        _fold(cell, [*tags, "claim"], "hide-input", "Show the check", "Hide the check")
    lines = cell.source.split("\n")
    cell.source = "\n".join(line for line in lines if line.strip() != CHECK_MARK)


def _fold(cell: Any, tags: list[str], how: str, show: str, hide: str) -> None:
    cell.metadata["tags"] = [*tags, how]
    prompts = {"code_prompt_show": show, "code_prompt_hide": hide}
    cell.metadata["mystnb"] = {**cell.metadata.get("mystnb", {}), **prompts}


def _insert_card(cells: list[Any], card: str) -> None:
    """Put `card` right below the first top-level heading."""
    for cell in cells:
        lines = cell.source.split("\n")
        heading = next((i for i, line in enumerate(lines) if line.startswith("# ")), None)
        if cell.cell_type == "markdown" and heading is not None:
            lines[heading + 1 : heading + 1] = ["", raw(card)]
            cell.source = "\n".join(lines)
            return


def claim_card(claim: ledger.Claim, chapter: str, anchor: str) -> str:
    """A claim as an HTML card with the id `anchor`, for the page of `chapter`."""
    rows = ", ".join(row_link(row, chapter) for row in claim.rows)
    aspect = f" · {rich(claim.aspect)}" if claim.aspect else ""
    ours = "Needs" if claim.verdict == ledger.NOT_RUN else "This book"
    said = claim.ours.removeprefix("needs ") if ours == "Needs" else claim.ours
    facts = [("Source", claim.source), (ours, said)] + [("Note", claim.note)] * bool(claim.note)
    listed = "".join(f"<dt>{name}</dt><dd>{rich(value)}</dd>" for name, value in facts)
    return (
        f'<div class="claim-card v-{css(claim.verdict)}" id="{anchor}">'
        f'<header>{badge(claim.verdict)}<span class="rows">{rows}{aspect}</span></header>'
        f'<p class="statement">{rich(claim.statement)}</p><dl>{listed}</dl>'
        f"{_numbers(claim.measured)}</div>"
    )


def erratum_box(erratum: errata.Erratum, chapter: str) -> str:
    """An erratum as a MyST box with the label ``erratum-<id>``, dots as dashes."""
    rows = ", ".join(row_link(row, chapter) for row in erratum.rows)
    facts = {
        "Printed": erratum.printed,
        "Read as": erratum.reading,
        "Evidence": f"*{erratum.evidence}.* {erratum.why}",
        "Rows": rows,
    }
    listed = "\n\n".join(f"{name}\n: {value}" for name, value in facts.items())
    return (
        f"(erratum-{slug(erratum.id)})=\n:::::{{admonition}} {erratum.title}\n"
        f":class: erratum-entry\n\n{listed}\n:::::\n"
    )


def _numbers(measured: Mapping[str, Any]) -> str:
    if not measured:
        return ""
    flat = _flat(measured)
    lines = "".join(
        f'<tr><th scope="row">{rich(name)}</th><td>{escape(number(value))}</td></tr>'
        for name, value in flat
    )
    state = " open" if len(flat) <= 6 else ""
    return (
        f"<details{state}><summary>Measured in this run</summary>"
        f"<table><tbody>{lines}</tbody></table></details>"
    )


def _flat(measured: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Names and values, nested ones joined; in natural order, since notebooks sort their keys."""
    lines: list[tuple[str, Any]] = []
    for name, value in sorted(measured.items(), key=lambda item: _natural(item[0])):
        full = f"{prefix}{name}"
        lines += _flat(value, f"{full}: ") if isinstance(value, Mapping) else [(full, value)]
    return lines


def _natural(name: str) -> list[tuple[float, str]]:
    """Sorts 5 before 10: text and numbers in turn."""
    parts = re.split(r"(\d+(?:\.\d+)?)", name)
    return [(float(p), "") if i % 2 else (0.0, p) for i, p in enumerate(parts)]


def chapter_card(chapter: Chapter) -> str:
    """The card under a chapter's title: sources, cost of the run, verdicts and rows."""
    run, by_row = chapter.run, _verdicts(chapter)
    facts = [("Sources", _sections(by_row))] if by_row else []
    facts.append(("Run", _cost(chapter)))
    listed = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts)
    tally = Counter(by_row.values())
    pills = "".join(badge(v, f"× {tally[v]}") for v in VERDICTS if tally[v])
    items = "".join(
        f"<li>{dot(verdict)}{row_link(row, run.chapter)} {rich(ledger.inventory()[row].title)}</li>"
        for row, verdict in by_row.items()
    )
    rows = (
        f'<div class="tally">{pills}</div><details><summary>{_count(len(by_row))} of '
        f"the sources, answered here</summary><ul>{items}</ul></details>"
    )
    body = f"<dl>{listed}</dl>{rows if by_row else ''}"
    return f'<aside class="chapter-card" aria-label="About this chapter">{body}</aside>'


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows} rows"


def _verdicts(chapter: Chapter) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for placed in chapter.claims:
        for row in placed.claim.rows:
            found.setdefault(row, []).append(placed.claim.verdict)
    order = list(ledger.inventory())
    return {row: row_verdict(found[row]) for row in sorted(found, key=order.index)}


def _sections(rows: Mapping[str, str]) -> str:
    sections: dict[str, list[str]] = {}
    for row in rows:
        item = ledger.inventory()[row]
        seen = sections.setdefault(item.source, [])
        for section in item.section.split(", "):
            if section and section not in seen:
                seen.append(section)
    return escape("; ".join(f"{source} ({', '.join(seen)})" for source, seen in sections.items()))


def _cost(chapter: Chapter) -> str:
    run = chapter.run
    if run.notebook is None:
        return "not executed in this build"
    memory = f", {number(round(run.peak_mib))} MiB at most" if run.peak_mib else ""
    stale = ", from an older state of its ingredients" if run.stale else ""
    return f"{run.seconds:.1f} s{memory}, profile <code>{escape(run.profile)}</code>{stale}"
