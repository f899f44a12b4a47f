"""The generated pages of the book, and what is added to its chapters, written into the stage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from domain_translation.press import agreement, measured
from domain_translation.press.book import find_book
from domain_translation.press.pages import (
    cards,
    collect,
    figures,
    landing,
    ledger,
    stale,
    statements,
    status,
    symbols,
)
from domain_translation.press.pages.drawn import Drawn
from domain_translation.press.run import Run


def write(stage: Path, runs: Sequence[Run]) -> None:
    """Write ``book/record/*.md``, what the landing page takes in, and dress the chapters.

    Thumbnails are cached beside the stage, in ``drawn/``.

    Args:
        stage: staging folder; holds ``book/<chapter>.ipynb`` for every run.
        runs: one per chapter, in the order of the book.
    """
    known = {run.chapter: statements.read(stage / "book", run.chapter) for run in runs}
    book = find_book(stage)
    stored = {r.chapter: measured.stored(book, r.chapter) if r.measured else None for r in runs}
    found = [collect.collect(run, known[run.chapter], stored[run.chapter]) for run in runs]
    drawn = Drawn(stage.parent / "drawn")
    record = stage / "book" / "record"
    record.mkdir(parents=True, exist_ok=True)
    ledger_page = ledger.page(found, stale.stale_cards(book, found), agreement.recorded(book))
    (record / "ledger.md").write_text(ledger_page, encoding="utf-8")
    (record / "figures.md").write_text(figures.page(found, record, drawn), encoding="utf-8")
    (record / "symbols.md").write_text(symbols.page(), encoding="utf-8")
    (record / "status.md").write_text(status.page(found), encoding="utf-8")
    landing.write(stage / "book", found)
    for chapter in found:
        name = chapter.run.chapter
        cards.dress(book, stage / "book" / f"{name}.ipynb", chapter, known[name])
    drawn.forget_others()
