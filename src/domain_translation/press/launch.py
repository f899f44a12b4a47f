"""Where the launch buttons lead: ``python -m domain_translation.press.launch`` lists the files.

Nothing on the pages leads to the repository before ``[tool.domain-translation] published = true``
in pyproject.toml says that it can be reached there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import yaml

from domain_translation.notebook.source import anchor
from domain_translation.press.book import Book, find_book

COLAB = "https://colab.research.google.com"


def published(book: Book) -> bool:
    """Whether readers can reach the repository at its address."""
    with (book.root / "pyproject.toml").open("rb") as f:
        tools = tomllib.load(f).get("tool", {})
    return bool(tools.get("domain-translation", {}).get("published", False))


def settings(book: Book) -> dict[str, Any]:
    """The parts of Jupyter Book's settings that lead to the repository; none of them unpublished.

    The theme wants an address even where no button uses it.
    """
    there = published(book)
    return {
        "repository": {"url": book.repository, "branch": branch(book), "path_to_book": ""},
        "launch_buttons": {"colab_url": COLAB if there else ""},
        "html": {"use_repository_button": there, "use_issues_button": there},
    }


def branch(book: Book) -> str:
    """The branch that readers' links lead to, from ``_config.yml``."""
    stated = yaml.safe_load((book.root / "_config.yml").read_text(encoding="utf-8"))
    return str(stated.get("repository", {}).get("branch", "main"))


def notebook_address(book: Book, chapter: str) -> str:
    """The paired notebook on the repository's host."""
    return f"{book.repository}/blob/{branch(book)}/book/{chapter}.ipynb"


def source_address(book: Book, place: Mapping[str, Any]) -> str:
    """The lines of a shown source on the repository's host; "" where they cannot be reached."""
    if not (place["ours"] and published(book)):
        return ""
    return f"{book.repository}/blob/{branch(book)}/{anchor(place)}"


def colab_address(book: Book, chapter: str) -> str:
    """The link of the chapter's Colab button."""
    return notebook_address(book, chapter).replace("https://github.com", f"{COLAB}/github", 1)


if __name__ == "__main__":
    here = find_book()
    for each in here.chapters if published(here) else ():
        print(notebook_address(here, each.name))
