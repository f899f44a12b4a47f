"""The claims of the committed chapters: stated, judged; what is only recorded is frozen."""

from __future__ import annotations

import functools
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from domain_translation.notebook import ledger
from domain_translation.notebook.criteria import RECORDED
from domain_translation.notebook.rows import every_row
from domain_translation.press.book import Book, Chapter
from domain_translation.press.compare import claims
from domain_translation.press.notebooks import paired
from domain_translation.press.pages import statements

BOOK = Book(Path(__file__).resolve().parents[2])
FROZEN = BOOK.root / "book" / "recorded.toml"
WORDS = (
    *("CONFIRMED", "CONFIRMED AT REDUCED SCALE", "CONTRADICTED", "UNDECIDED"),
    *("NOT RUN", "RECORDED"),
)

each_chapter = pytest.mark.parametrize("chapter", BOOK.chapters, ids=lambda c: c.name)


@functools.cache
def told(chapter: Chapter) -> dict[str, str]:
    """Text of each claim in the committed pair, by rows and aspect."""
    return claims(paired(BOOK, chapter))


def rows(head: str) -> tuple[str, ...]:
    return tuple(head.partition(" (")[0].split(", "))


@each_chapter
def test_every_claim_is_stated_beside_its_chapter_and_nothing_else_is(chapter):
    known = statements.read(BOOK.root / "book", chapter.name)
    assert sorted(told(chapter)) == sorted(statements.said(key) for key in known)
    assert all(s.statement for s in known.values())


@each_chapter
def test_every_claim_has_one_of_six_words_a_row_and_its_card(chapter):
    for head, text in told(chapter).items():
        word = text.partition("  ")[0]
        assert word in WORDS, head
        assert set(rows(head)) <= set(every_row()), head
        assert "needs: the card" not in text, f"{head}: run `domain-translation seeds`"
        if word not in ("RECORDED", "NOT RUN"):
            assert "\n  scale: " in text, head
        if word in ("UNDECIDED", "NOT RUN"):
            assert "\n  needs: " in text, head


def test_what_is_only_recorded_is_frozen():
    """A row that nothing can decide is named here first, before a chapter may say so."""
    words: dict[str, set[str]] = {}
    for chapter in BOOK.chapters:
        for head, text in told(chapter).items():
            for row in rows(head):
                words.setdefault(row, set()).add(text.partition("  ")[0].lower())
    only = sorted(row for row, said in words.items() if said == {RECORDED})
    assert only == tomllib.loads(FROZEN.read_text(encoding="utf-8"))["rows"]


def test_every_finding_of_the_book_is_claimed_somewhere():
    claimed = Counter(row for c in BOOK.chapters for head in told(c) for row in rows(head))
    assert [row for row in ledger.findings() if not claimed[row]] == []
