"""Where the launch buttons lead: ``python -m domain_translation.press.launch`` lists the files."""

from __future__ import annotations

import yaml

from domain_translation.press.book import Book, find_book

COLAB = "https://colab.research.google.com/github"


def branch(book: Book) -> str:
    """The branch that readers' links lead to, from ``_config.yml``."""
    settings = yaml.safe_load((book.root / "_config.yml").read_text(encoding="utf-8"))
    return str(settings.get("repository", {}).get("branch", "main"))


def notebook_address(book: Book, chapter: str) -> str:
    """The paired notebook on the repository's host."""
    return f"{book.repository}/blob/{branch(book)}/book/{chapter}.ipynb"


def colab_address(book: Book, chapter: str) -> str:
    """The link of the chapter's Colab button."""
    return notebook_address(book, chapter).replace("https://github.com", COLAB, 1)


if __name__ == "__main__":
    here = find_book()
    for each in here.chapters:
        print(notebook_address(here, each.name))
