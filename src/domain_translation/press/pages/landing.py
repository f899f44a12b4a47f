"""What the landing page takes in: the counts of the ledger, the chapters' questions, a picture."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from domain_translation.press.pages import ledger
from domain_translation.press.pages.collect import Chapter
from domain_translation.press.pages.html import render

# The figure of a chapter that `intro.md` shows.
PICTURE = "fig-temperature-falling"


def write(book: Path, chapters: Sequence[Chapter]) -> None:
    """Write ``landing/`` below the staged `book`, for ``intro.md`` to include.

    ``questions.toml`` has an entry for each chapter; where it is missing, as in a book without
    that file, the chapter is left out of the table.
    """
    folder = book / "landing"
    folder.mkdir(parents=True, exist_ok=True)
    counts = render("counts.html", tally=ledger.totals(chapters)[ledger.ALL])
    (folder / "counts.html").write_text(counts, encoding="utf-8")
    answers = questions(book / "questions.toml")
    entries = [(c.run, answers[c.run.chapter]) for c in chapters if c.run.chapter in answers]
    table = render("questions.html", entries=entries)
    (folder / "questions.html").write_text(table, encoding="utf-8")
    for picture in (p for c in chapters for p in c.pictures if p.name == PICTURE):
        (folder / "cooling.png").write_bytes(picture.png)


def questions(path: Path) -> dict[str, dict[str, str]]:
    """Question and answer of each chapter, by its name."""
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
