"""Where the numbers behind the claims come from: the cards, when and on what they were made."""

from __future__ import annotations

from collections.abc import Sequence

from domain_translation.notebook.cards import Card
from domain_translation.press.book import Book
from domain_translation.press.files import RequestError
from domain_translation.press.measured import stale, stored
from domain_translation.press.pages.collect import Chapter


def origins(book: Book, chapters: Sequence[Chapter]) -> dict[str, str]:
    """Date and machine of each card that a claim names, and a mark where it is stale."""
    claims = (p.claim for c in chapters for p in c.claims)
    marks = (m for claim in claims for m in (*claim.given, *claim.criteria))
    names = {name for m in marks for e in m.numbers for name in str(e["card"]).split(", ") if name}
    found = {name: stored(book, name) for name in sorted(names)}
    return {name: describe(book, card) for name, card in found.items() if card is not None}


def describe(book: Book, card: Card) -> str:
    """``2026-11-29, AMD EPYC (avx512f)``, and whether its code has changed since."""
    machines = card.origin.get("machine", [])
    words = ", ".join([str(card.origin.get("made", "")), *map(str, machines)])
    try:
        changed = stale(book, card)
    except (RequestError, KeyError):  # a study's
        changed = False
    return f"{words}; its code has changed since" if changed else words
