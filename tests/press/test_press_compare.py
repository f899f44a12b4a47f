"""The comparison of a run with its committed pair: what is compared, and what it says."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import toybook

from domain_translation.press.book import Book
from domain_translation.press.compare import claims, differences
from domain_translation.press.notebooks import paired, refresh
from domain_translation.press.run import Run

CLAIM = "# NBVAL_CHECK_OUTPUT\nclaim()"


def claim(text: str) -> dict[str, Any]:
    """A displayed claim as ipykernel leaves it."""
    data = {"text/plain": text, "image/png": "aGk="}
    return {"output_type": "display_data", "metadata": {}, "data": data}


FIRST, SECOND = "CONFIRMED  a.one\nIt is so.", "UNDECIDED  a.two, a.three (toy)\nIt is not."


@pytest.fixture
def book(tmp_path) -> Book:
    made = toybook.make(tmp_path)
    toybook.write(tmp_path / "book/part/one.md", toybook.chapter("One", "print(1)", CLAIM))
    refresh(made, [executed(made, FIRST, SECOND)])
    return made


def executed(book: Book, *texts: str, printed: str = "1\n") -> Run:
    """A run of part/one whose claim cell shows `texts`."""
    (chapter,) = Book(book.root).select(["part/one"])
    notebook = json.loads(json.dumps(copy.deepcopy(chapter.notebook)))
    code = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    stream = {"output_type": "stream", "name": "stdout", "text": printed}
    code[-2]["outputs"], code[-1]["outputs"] = [stream], [claim(c) for c in texts]
    injected = {**code[0], "id": "injected", "source": "seed = 1"}
    injected["metadata"] = {"tags": ["injected-parameters"]}
    notebook["cells"].insert(1, injected)
    path = book.root / "executed.ipynb"
    path.write_text(json.dumps(notebook))
    return Run("part/one", "One", "ran", notebook=path)


def found(book: Book, run: Run) -> list[str]:
    return differences(book, Book(book.root).select(["part/one"])[0], run)


def test_equal_claims_are_equal_whatever_else_is_printed(book):
    assert found(book, executed(book, FIRST, SECOND, printed="another machine\n")) == []


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ((FIRST.replace("so", "not so"), SECOND), "was\nCONFIRMED  a.one\nIt is so.\nand is now\n"),
        ((FIRST, SECOND.replace("UNDECIDED", "CONFIRMED")), "UNDECIDED  a.two"),
        ((FIRST,), "dissimilar number of outputs"),
        ((FIRST, SECOND, FIRST), "dissimilar number of outputs"),
        ((), "Missing output fields"),
    ],
)
def test_another_text_is_told_with_its_cell(book, texts, said):
    (sentence,) = found(book, executed(book, *texts))
    assert sentence.startswith("part/one, the claim cell that begins with 'claim()': ")
    assert said in sentence


def test_where_a_print_ends_is_chance(book):
    toybook.write(book.root / "book/part/one.md", toybook.chapter("One", "print(1)", CLAIM))
    run = executed(book)
    notebook = json.loads(run.notebook.read_text())
    pieces = [{"output_type": "stream", "name": "stdout", "text": t} for t in ("a\n", "b\n")]
    notebook["cells"][-1]["outputs"] = pieces
    run.notebook.write_text(json.dumps(notebook))
    refresh(book, [run])
    assert found(book, run) == []


def test_what_cannot_be_compared_is_said(book):
    run = executed(book, FIRST, SECOND)
    toybook.write(book.root / "book/part/one.md", toybook.chapter("One", CLAIM + "\nclaim()"))
    assert "other claim cells" in found(book, executed(book, FIRST, SECOND))[0]
    paired(book, book.select(["part/one"])[0]).unlink()
    assert found(book, run) == ["book/part/one.ipynb is missing: run `make notebooks`"]


def test_claims_are_known_by_rows_and_aspect(book):
    told = claims(executed(book, FIRST, SECOND, "Confirmed, says the text.").notebook)
    assert told == {"a.one": FIRST, "a.two, a.three (toy)": SECOND}
