"""The committed notebooks say what the texts say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

from domain_translation.press.book import Book
from domain_translation.press.launch import colab_address
from domain_translation.press.notebooks import drift, paired, render

BOOK = Book(Path(__file__).resolve().parents[2])
PRIVATE = ("/home/", "/root/", "/Users/", "/tmp/", str(BOOK.root))


def test_texts_and_notebooks_have_not_drifted_apart():
    assert drift(BOOK) == [], "run `make notebooks` and commit the result"


def test_notebooks_are_valid_and_free_of_machine_paths():
    named = {}
    for chapter in BOOK.chapters:
        text = paired(BOOK, chapter).read_text(encoding="utf-8")
        nbformat.validate(nbformat.reads(text, as_version=4))
        named[chapter.name] = [private for private in PRIVATE if private in text]
    assert len(named) > 30
    assert not {name: paths for name, paths in named.items() if paths}


def test_launch_links_are_well_formed():
    owner = BOOK.repository.removeprefix("https://github.com/")
    assert owner.count("/") == 1
    start = f"https://colab.research.google.com/github/{owner}/blob/main/book"
    for chapter in BOOK.chapters:
        assert colab_address(BOOK, chapter.name) == f"{start}/{chapter.name}.ipynb"


@pytest.mark.filterwarnings("ignore:To exit")
def test_the_install_cell_asks_for_this_release_and_stops_where_that_fails(monkeypatch):
    """Run as IPython would, in a place where neither the package nor the address exists."""
    shell = InteractiveShell()
    (cell, *_) = nbformat.reads(render(BOOK, BOOK.chapters[0]), as_version=4).cells
    asked = []
    shell.register_magic_function(asked.append, magic_name="pip")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = shell.run_cell(cell.source)
    version = BOOK.project["version"]
    assert asked == [f'install --quiet "domain-translation @ git+{BOOK.repository}@v{version}"']
    assert isinstance(result.error_in_exec, SystemExit)
    assert str(result.error_in_exec).startswith(f"domain-translation {version} could not be")
    monkeypatch.undo()
    assert shell.run_cell(cell.source).success
    assert len(asked) == 1
