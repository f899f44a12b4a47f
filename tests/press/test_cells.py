"""The lint of code cells: each rule catches its fault, at its line of the chapter's text."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import toybook

from domain_translation.press import cell_names, cells
from domain_translation.press.book import Book
from domain_translation.press.files import PressError

ROOT = Path(__file__).resolve().parents[2]
BOOK = Book(ROOT)


@pytest.fixture
def book(tmp_path):
    """A toy book with this book's settings of ruff, its second chapter in order."""
    made = toybook.make(tmp_path)
    shutil.copy(ROOT / "book" / "ruff.toml", tmp_path / "book")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    settings = project[project.index("[tool.ruff]") : project.index("[tool.mypy]")]
    toybook.write(tmp_path / "pyproject.toml", f"{toybook.PYPROJECT}\n{settings}")
    return made


def said(book, *sources):
    """What the lint says of a chapter with these cells, by the text of the line that it names."""
    text = toybook.chapter("One", *sources)
    toybook.write(book.root / "book/part/one.md", text)
    lines = text.split("\n")
    found = []
    for entry in cells.report(Book(book.root)):
        place, _, what = entry.partition(" ")
        path, _, number = place.partition(":")
        assert path == "book/part/one.md"
        found.append((lines[int(number) - 1].strip(), what))
    return found


def test_good_cells_pass(book):
    code = "import math\n\nfigure, (left, right) = math.panels(1, 2)\nfor k in (1, 2):\n    left(k)"
    again = "fig, left = math.subplots()\n\n\ndef double(x):\n    k = 2\n    return k * x"
    last = 'for k, _ in double([]):\n    print(k, [double(left) for left in k], seed)\n"shown"'
    assert said(book, code, again, last) == []


@pytest.mark.parametrize(
    ("cell", "line", "code"),
    [
        ("x = 0\nprint(x" + ", 1" * 30 + ")", "print(x" + ", 1" * 30 + ")", "E501"),
        ("import os", "import os", "F401"),
        ("print(unknown)", "print(unknown)", "F821"),
        ("fs = []\nfor k in (1, 2):\n    fs += [lambda: k]", "fs += [lambda: k]", "B023"),
        ("print([1, 2] + [seed])", "print([1, 2] + [seed])", "RUF005"),
        ("f = lambda x: x", "f = lambda x: x", "E731"),
        ("print(1); print(2)", "print(1); print(2)", "E702"),
        ("1 == seed\nprint(1)", "1 == seed", "B015"),
    ],
)
def test_ruff_sees_the_cells_of_a_chapter_as_one(book, cell, line, code):
    """Names of earlier cells are known."""
    found = said(book, "first = seed", "\n".join([cell, "print(first)"]))
    assert [(where, what.split()[0]) for where, what in found] == [(line, code)]


def test_an_import_that_a_later_cell_uses_is_used(book):
    assert said(book, "import os", "print(os.name)") == []


@pytest.mark.parametrize(
    ("first", "second", "line", "words"),
    [
        ("x = 1", "y = 2\nx = y", "x = y", "`x`, value of line"),
        ("x = 1", "x += 1", "x += 1", "comes again here"),
        ("x = 1", "if x:\n    x = 2", "x = 2", "comes again here"),
        ("x = 1", "print(x := 2)", "print(x := 2)", "comes again here"),
        ("x = 1", "with open(x) as x:\n    print()", "with open(x) as x:", "comes again here"),
        ("x = 1", "a, (b, *x) = x", "a, (b, *x) = x", "comes again here"),
        ("def f():\n    pass", "def f():\n    pass", "def f():", "`f`, definition of line"),
        ("def f():\n    pass", "for f in []:\n    f()", "for f in []:", "bound as loop variable"),
        ("class F:\n    pass", "F = 1", "F = 1", "`F`, definition of line"),
        ("import os", "print(os)\nos = 1", "os = 1", "`os`, import of line"),
        ("for k in []:\n    print(k)", "k = 1", "k = 1", "`k`, loop variable of line"),
        ("k = 1", "for k in []:\n    print(k)", "for k in []:", "`k`, value of line"),
        ("for k in []:\n    print(k)\nk = 1", "print(k)", "k = 1", "`k`, loop variable of line"),
        ("xs = []", "xs.append(1)", "xs.append(1)", "grows each time"),
    ],
)
def test_a_name_means_one_thing(book, first, second, line, words):
    ((where, what),) = (f for f in said(book, first, second) if f[1].startswith("`"))
    assert where == line
    assert words in what


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x = 1\nx = 2", "print(x)"),
        ("fig, ax = 1, 2", "fig, ax, axes, figure, _ = 1, 2, 3, 4, 5"),
        ("for k in []:\n    print(k)", "for k in []:\n    print(k)"),
        ("def f(x):\n    return x", "print([x for x in f(1)])\nx = 1"),
        ("xs = []\nxs.append(1)", "ys = list(xs)\nys.append(2)"),
        ("x = {}", "x['a'] = 1\nx.y = 2"),
    ],
)
def test_what_may_come_again(first, second):
    assert cell_names.faults([(1, first), (10, second)]) == []


def test_each_name_is_named_once_a_cell():
    assert len(cell_names.faults([(1, "x = 1"), (5, "x = 2\nx = 3"), (9, "x = 4")])) == 2


def test_what_is_no_python_is_one_sentence(book):
    with pytest.raises(PressError, match="part/one has a cell that is no Python"):
        said(book, "x = = 1")


def test_the_command_prints_and_fails(book, monkeypatch, capsys):
    monkeypatch.setattr(cells, "find_book", lambda: Book(book.root))
    assert cells.main() == 0
    assert capsys.readouterr().out == ""
    said(book, "import os")
    assert cells.main() == 1
    assert "F401 `os` imported but unused" in capsys.readouterr().out


def test_lines_are_those_of_the_text():
    """Over the whole book: every code cell begins where `cells` says."""
    for chapter in BOOK.chapters:
        lines, found = chapter.text.split("\n"), cells.cells(chapter)
        sources = [c.source for c in chapter.notebook.cells if c.cell_type == "code" and c.source]
        assert [source for _, source in found] == sources
        for line, source in found:
            own = source.split("\n")
            assert lines[line - 1 : line - 1 + len(own)] == own
