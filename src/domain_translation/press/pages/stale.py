"""Which cards behind the claims were made by code that has changed since."""

from __future__ import annotations

from collections.abc import Sequence

from domain_translation.press import measured
from domain_translation.press.book import Book
from domain_translation.press.pages.collect import Chapter


def stale_cards(book: Book, chapters: Sequence[Chapter]) -> set[str]:
    """Names of chapters whose card a claim rests on and whose measuring code has changed since."""
    claims = (p.claim for c in chapters for p in c.claims)
    marks = (m for claim in claims for m in (*claim.given, *claim.criteria))
    named = {name for m in marks for e in m.numbers for name in str(e["card"]).split(", ")}
    found = {c.name: measured.stored(book, c.name) for c in book.chapters if c.name in named}
    return {name for name, card in found.items() if card is not None and measured.stale(book, card)}
