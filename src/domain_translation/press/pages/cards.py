"""What the build adds to a staged chapter: the card under its title, and its claims as cards."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain_translation.notebook import ledger, source
from domain_translation.notebook.errata import entries as errata
from domain_translation.notebook.rows import every_row
from domain_translation.press import launch
from domain_translation.press.book import Book
from domain_translation.press.notebooks import MARK
from domain_translation.press.pages import failed
from domain_translation.press.pages.collect import Anchors, Chapter, claim_of
from domain_translation.press.pages.html import render, row_verdict
from domain_translation.press.pages.statements import Key, Statement

# Of the cells that papermill puts in front of a failed run to say where it failed.
PAPERMILL = "papermill-error-cell-tag"


def dress(book: Book, notebook: Path, chapter: Chapter, known: Mapping[Key, Statement]) -> None:
    """Add the cards to the staged `notebook`, in place; `known` are its claims' statements.

    Cells that state claims and cells tagged ``solution`` are folded; the line that tells the
    tests to compare a cell's output is taken out of what the reader sees. A chapter that failed
    says so below its title.
    """
    nb = json.loads(notebook.read_text(encoding="utf-8"))
    anchors = Anchors()
    nb["cells"] = [c for c in nb["cells"] if PAPERMILL not in c["metadata"].get("tags", ())]
    for cell in nb["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            _dress_code(cell, chapter.run.chapter, anchors, known)
            for output in cell["outputs"]:
                _link_source(book, output)
    card = f"``````{{raw}} html\n{chapter_card(chapter)}``````\n"
    if chapter.run.status == "failed":
        card = f"{failed.notice(chapter.run)}\n{card}"
    _insert(nb["cells"], card)
    notebook.write_text(json.dumps(nb, ensure_ascii=False, indent=1), encoding="utf-8")


def _dress_code(cell: Any, chapter: str, anchors: Anchors, known: Mapping[Key, Statement]) -> None:
    claims = 0
    # The notice of a failed chapter holds the traceback, folded.
    cell["outputs"] = [o for o in cell["outputs"] if o["output_type"] != "error"]
    for output in cell["outputs"]:
        claim = claim_of(output, known)
        if claim is not None:
            claims += 1
            output["data"]["text/html"] = claim_card(claim, chapter, anchors.next(claim))
        shown = output.get("metadata", {}).get(errata.METADATA_KEY)
        if shown:
            output["data"]["text/markdown"] = erratum_box(errata.entries()[shown], chapter)
    tags = list(cell["metadata"].get("tags", ()))
    if "solution" in tags:
        _fold(cell, tags, "hide-cell", "Show the solution's code", "Hide the solution's code")
    elif claims and not {"hide-input", "remove-input"} & set(tags):
        _fold(cell, [*tags, "claim"], "hide-input", "Show the check", "Hide the check")
    lines = cell["source"].split("\n")
    cell["source"] = "\n".join(line for line in lines if line.strip() != MARK)


def _link_source(book: Book, output: Any) -> None:
    """Above the source of an algorithm, where it stands: a link, once the repository is there."""
    place = output.get("metadata", {}).get(source.METADATA_KEY)
    if place:
        _, _, code = "".join(output["data"]["text/markdown"]).partition("\n\n")
        address = launch.source_address(book, place)
        head = f"[{source.caption(place)}]({address})" if address else source.caption(place)
        output["data"]["text/markdown"] = f"{{.source}}\n{head}\n\n{code}"


def _fold(cell: Any, tags: list[str], how: str, show: str, hide: str) -> None:
    cell["metadata"]["tags"] = [*tags, how]
    prompts = {"code_prompt_show": show, "code_prompt_hide": hide}
    cell["metadata"]["mystnb"] = {**cell["metadata"].get("mystnb", {}), **prompts}


def _insert(cells: list[Any], text: str) -> None:
    """Put `text` right below the first top-level heading."""
    for cell in cells:
        lines = cell["source"].split("\n")
        heading = next((i for i, line in enumerate(lines) if line.startswith("# ")), None)
        if cell["cell_type"] == "markdown" and heading is not None:
            lines[heading + 1 : heading + 1] = ["", text]
            cell["source"] = "\n".join(lines)
            return


def claim_card(claim: ledger.Claim, chapter: str, anchor: str) -> str:
    """A claim as an HTML card with the id `anchor`, for the page of `chapter`."""
    measured = _flat(claim.measured)
    return render("claim.html", claim=claim, chapter=chapter, anchor=anchor, measured=measured)


def erratum_box(erratum: errata.Erratum, chapter: str) -> str:
    """An erratum as a MyST box with the label ``erratum-<id>``, dots as dashes."""
    return render("erratum.md", erratum=erratum, chapter=chapter)


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
    rows = _verdicts(chapter)
    tally = Counter(rows.values())
    return render(
        "chapter.html",
        run=chapter.run,
        expected=chapter.expected,
        rows=rows,
        tally=tally,
        sections=_sections(rows),
    )


def _verdicts(chapter: Chapter) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for placed in chapter.claims:
        for row in placed.claim.rows:
            found.setdefault(row, []).append(placed.claim.verdict)
    order = list(every_row())
    return {row: row_verdict(found[row]) for row in sorted(found, key=order.index)}


def _sections(rows: Mapping[str, str]) -> dict[str, list[str]]:
    """Sections of each source that the rows stand in, in their order; our findings have none."""
    sections: dict[str, list[str]] = {}
    for item in (every_row()[row] for row in rows):
        if not item.section:
            continue
        seen = sections.setdefault(item.source, [])
        seen += [s for s in item.section.split(", ") if s and s not in seen]
    return sections
