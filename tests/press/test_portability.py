"""Portability: what is compared between instruction sets, and what counts as agreement."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import toybook
from nbformat import v4

from domain_translation.notebook import card_files, ledger, machine
from domain_translation.notebook.cards import Card, Row
from domain_translation.press import agreement, measured, portability
from domain_translation.press.book import Book
from domain_translation.press.run import Run

CONFIRMED = "CONFIRMED  lcool.eq8 (toy)\n  scale: 8x8\n  ✓ it is so"
OTHER = CONFIRMED.replace("CONFIRMED", "UNDECIDED")
RECORDED = "RECORDED  lcool.eq9, lcool.eq10"


def notebook(path: Path, *texts: str) -> Path:
    outputs = [
        v4.new_output("display_data", {"text/plain": t}, metadata={ledger.METADATA_KEY: {}})
        for t in texts
    ]
    cell = v4.new_code_cell("# NBVAL_CHECK_OUTPUT\nledger.claim()", outputs=outputs)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=[cell]), path)
    return path


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """The toy book with a committed pair of its first chapter, and that chapter's card."""
    found = toybook.make(tmp_path)
    notebook(found.root / "book/part/one.ipynb", CONFIRMED, RECORDED)
    rows = tuple(Row("a", s, "gain", 1.0 + 0.1 * (s % 3)) for s in range(10))
    card_files.write(measured.card_file(found, "part/one"), Card("part/one", "quick", rows))
    return found


def run(book: Book, tmp_path: Path, *texts: str, values: tuple[float, ...] = ()) -> Run:
    """A run of the chapter that displayed these claims and measured these values."""
    path = notebook(tmp_path / "executed.ipynb", *texts)
    told = tuple(["a", "gain", v, [], 0.0] for v in values)
    return Run("part/one", "One", "ran", notebook=path, measured=told)


def test_a_claim_that_says_the_same_agrees_and_a_live_value_lies_in_its_card(book, tmp_path):
    found = portability.entry(book, run(book, tmp_path, CONFIRMED, RECORDED, values=(1.05,)))
    assert found == {"crash": "", "claims": 2, "other": [], "measured": 1, "outside": []}


def test_claims_that_say_otherwise_and_values_off_their_card_are_named(book, tmp_path):
    found = portability.entry(book, run(book, tmp_path, OTHER, values=(1.1, 9.0)))
    assert found["other"] == ["lcool.eq8 (toy)", "lcool.eq9, lcool.eq10"]  # and one is missing
    assert (found["measured"], found["outside"]) == (2, ["gain of a"])


def test_a_crash_is_told_by_its_last_line(book, tmp_path):
    good = run(book, tmp_path, CONFIRMED)
    lost = replace(good, status="failed", error="cell 3 failed:\n  x\nKeyError: 3")
    assert portability.entry(book, lost)["crash"] == "KeyError: 3"


def test_a_value_without_a_card_is_not_counted(book, tmp_path):
    measured.card_file(book, "part/one").unlink()
    assert portability.entry(book, run(book, tmp_path, CONFIRMED, values=(9.0,)))["measured"] == 0


def test_what_the_card_has_not_measured_is_outside(book):
    card = measured.stored(book, "part/one")
    assert measured.expected(card, "a", "gain", 1.1)
    assert not measured.expected(card, "a", "loss", 1.1)
    assert measured.expected(None, "a", "gain", 99.0)


def test_all_levels_are_run_and_the_variables_are_put_back(book, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(machine.INSTRUCTION_SETS[0], "avx2")
    seen = []

    def run_chapters(book, wish, **options):
        seen.append([os.environ.get(name) for name in machine.INSTRUCTION_SETS])
        return [run(book, tmp_path, OTHER if len(seen) == 1 else CONFIRMED, RECORDED)]

    monkeypatch.setattr(portability, "run_chapters", run_chapters)
    assert portability.make(book, jobs=1, limit=None) == 1
    assert seen == [["default", "SSE41", "SSE4_2"], ["avx2", "AVX2", "AVX2"], [None] * 3]
    assert os.environ[machine.INSTRUCTION_SETS[0]] == "avx2"
    record = json.loads((book.root / agreement.FILE).read_text())
    assert record == agreement.recorded(book)
    assert agreement.agreement(record, "part/one", "lcool.eq8 (toy)") == (2, 3)
    assert agreement.agreement(record, "part/one", "lcool.eq9, lcool.eq10") == (3, 3)
    assert agreement.agreement(record, "part/two", "lcool.eq8") == (0, 0)
    said = capsys.readouterr().out
    assert "default: 0 of 1 chapters crashed, 1 claims came out otherwise" in said


def test_a_crash_is_no_agreement():
    entries = {"crash": "KeyError: 3", "other": []}, {"crash": "", "other": []}
    levels = {str(i): {"part/one": e} for i, e in enumerate(entries)}
    assert agreement.agreement({"levels": levels}, "part/one", "lcool.eq8") == (1, 2)


def test_without_a_record_nothing_is_said(tmp_path):
    assert agreement.recorded(Book(tmp_path)) == {"levels": {}}


def test_the_books_own_proof_holds():
    """At all levels no chapter crashed, all claims agree, and values lie in their cards."""
    book = Book(Path(__file__).resolve().parents[2])
    levels = agreement.recorded(book)["levels"]
    assert set(levels) == set(portability.LEVELS)
    for level, chapters in levels.items():
        assert set(chapters) == {c.name for c in book.chapters}, level
        assert [(level, n) for n, e in chapters.items() if e["crash"] or e["other"]] == []
        values = sum(e["measured"] for e in chapters.values())
        assert sum(len(e["outside"]) for e in chapters.values()) <= 0.05 * values
