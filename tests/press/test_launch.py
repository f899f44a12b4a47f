"""Nothing leads readers to the repository before it is published."""

from __future__ import annotations

from pathlib import Path

import pytest
import toybook

from domain_translation.press import launch
from domain_translation.press.book import Book

BOOK = Book(Path(__file__).resolve().parents[2])
ADDRESS = "https://github.com/someone/toy-book"


@pytest.mark.parametrize("published", [False, True])
def test_buttons_lead_to_the_repository_once_it_is_published(tmp_path, published):
    book = toybook.make(tmp_path)
    stated = f"[tool.domain-translation]\npublished = {str(published).lower()}\n"
    toybook.write(tmp_path / "pyproject.toml", f"{toybook.PYPROJECT}\n{stated}")
    assert launch.published(book) is published
    settings = launch.settings(book)
    repository = {"url": ADDRESS, "branch": "trunk", "path_to_book": ""}
    assert settings["repository"] == repository
    assert bool(settings["launch_buttons"]["colab_url"]) is published
    assert set(settings["html"].values()) == {published}


def test_a_book_that_does_not_say_so_is_not_published(tmp_path):
    assert not launch.published(toybook.make(tmp_path))


def test_addresses_come_from_pyproject_and_the_branch_from_the_settings(tmp_path):
    book = toybook.make(tmp_path)
    assert launch.notebook_address(book, "part/one") == f"{ADDRESS}/blob/trunk/book/part/one.ipynb"
    start = "https://colab.research.google.com/github/someone/toy-book"
    assert launch.colab_address(book, "part/one") == f"{start}/blob/trunk/book/part/one.ipynb"


def test_the_readme_says_whether_the_book_is_published():
    readme = (BOOK.root / "README.md").read_text(encoding="utf-8")
    assert ("not published yet" in readme) is not launch.published(BOOK)
