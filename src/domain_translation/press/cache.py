"""Executed notebooks kept under ``_build/cache/<profile>/<chapter>/``, one pair of files a run.

``<key>.ipynb`` is the executed notebook, ``<key>.json`` its card. The card is written last,
so a notebook without a card was interrupted and does not count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from domain_translation.press.book import Book
from domain_translation.press.files import atomic_write, canonical

# Older runs make it free to undo an edit or to go back to another parameter.
KEPT_RUNS = 6


@dataclass(frozen=True)
class Card:
    """What is known about one kept run; `wheel` says that only the built wheel was at hand.

    `measured` are its measurements: arm, name, value and networks.
    """

    chapter: str
    profile: str
    key: str
    reason: str
    cpu_seconds: float
    wall_seconds: float
    peak_mib: float
    finished: float
    wheel: bool
    ingredients: Mapping[str, Any]
    versions: dict[str, str]
    measured: list[Any] = field(default_factory=list)


def folder(book: Book, profile: str, chapter: str) -> Path:
    """Where the runs of a chapter are kept."""
    return book.build / "cache" / profile / chapter


def notebook_path(book: Book, card: Card) -> Path:
    """The executed notebook that belongs to a card."""
    return folder(book, card.profile, card.chapter) / f"{card.key[:16]}.ipynb"


def cards(book: Book, profile: str, chapter: str) -> list[Card]:
    """Cards of the kept runs, newest first; damaged or lone files are passed over."""
    found = []
    for path in folder(book, profile, chapter).glob("*.json"):
        try:
            card = Card(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            continue
        if notebook_path(book, card).is_file():
            found.append(card)
    return sorted(found, key=lambda c: c.finished, reverse=True)


def keep(book: Book, card: Card, notebook: bytes) -> None:
    """Store an executed notebook with its card and drop the oldest runs of its chapter."""
    path = notebook_path(book, card)
    atomic_write(path, notebook)
    atomic_write(path.with_suffix(".json"), canonical(asdict(card)))
    for old in cards(book, card.profile, card.chapter)[KEPT_RUNS:]:
        old_notebook = notebook_path(book, old)
        old_notebook.with_suffix(".json").unlink(missing_ok=True)
        old_notebook.unlink(missing_ok=True)
