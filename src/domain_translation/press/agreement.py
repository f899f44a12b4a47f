"""What the stored proof of portability says of a claim."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from domain_translation.press.book import Book

FILE = "data/results/portability.json"


def agreement(record: Mapping[str, Any], chapter: str, claim: str) -> tuple[int, int]:
    """In how many of how many runs of the record a chapter's claim came out as committed."""
    entries = [chapters[chapter] for chapters in record["levels"].values() if chapter in chapters]
    return sum(not e["crash"] and claim not in e["other"] for e in entries), len(entries)


def recorded(book: Book) -> dict[str, Any]:
    """The stored record; one without levels where there is none."""
    path = book.root / FILE
    if not path.is_file():
        return {"levels": {}}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
