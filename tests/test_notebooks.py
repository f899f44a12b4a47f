"""The committed notebooks say what the texts say."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from domain_translation.press.book import Book
from domain_translation.press.launch import colab_address
from domain_translation.press.notebooks import drift, paired

BOOK = Book(Path(__file__).resolve().parents[1])


def test_texts_and_notebooks_have_not_drifted_apart():
    assert drift(BOOK) == [], "run `make notebooks` and commit the result"


@pytest.mark.parametrize("chapter", BOOK.chapters, ids=lambda c: c.name)
def test_notebooks_are_valid_and_free_of_machine_paths(chapter):
    path = paired(BOOK, chapter)
    nbformat.validate(nbformat.read(path, as_version=4))
    text = path.read_text(encoding="utf-8")
    for private in ("/home/", "/root/", "/Users/", "/tmp/", str(BOOK.root)):
        assert private not in text


@pytest.mark.parametrize("chapter", BOOK.chapters, ids=lambda c: c.name)
def test_launch_links_are_well_formed(chapter):
    owner = BOOK.repository.removeprefix("https://github.com/")
    assert owner.count("/") == 1
    assert colab_address(BOOK, chapter.name) == (
        f"https://colab.research.google.com/github/{owner}/blob/main/book/{chapter.name}.ipynb"
    )
