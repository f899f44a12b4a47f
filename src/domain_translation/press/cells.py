"""Cells are code: ``python -m domain_translation.press.cells`` lints those of every chapter.

Ruff sees a chapter's cells as one notebook, with the settings of ``book/ruff.toml``; `cell_names`
says what it cannot.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from domain_translation.press import cell_names
from domain_translation.press.book import Book, Chapter, find_book
from domain_translation.press.files import PressError

Fault = tuple[int, str]  # line of the chapter's text, and what is wrong there


def cells(chapter: Chapter) -> list[tuple[int, str]]:
    """The code cells of a chapter, each with the line of its text where the code begins."""
    found, at = [], 0
    for cell in chapter.notebook.cells:
        if cell.cell_type == "code" and cell.source:
            at = chapter.text.index(f"\n{cell.source}\n```", at) + 1
            found.append((chapter.text.count("\n", 0, at) + 1, cell.source))
    return found


def faults(book: Book, chapter: Chapter) -> list[Fault]:
    """All that is wrong with a chapter's cells, in order.

    Raises:
        PressError: a cell is no Python, ruff is missing or refuses its settings.
    """
    code = cells(chapter)
    try:
        return sorted([*_ruff(book, chapter.name, code), *cell_names.faults(code)])
    except SyntaxError as error:
        raise PressError(f"chapter {chapter.name} has a cell that is no Python: {error}") from error


def _ruff(book: Book, name: str, code: list[tuple[int, str]]) -> list[Fault]:
    """What ruff finds in the cells of the chapter `name`."""
    blank: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": []}
    notebook = {
        "cells": [{**blank, "execution_count": None, "source": source} for _, source in code],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    path = book.root / "book" / f"{name}.ipynb"  # decides which settings hold
    command = [sys.executable, "-m", "ruff", "check", "--exit-zero", "--output-format", "json"]
    ran = subprocess.run(
        [*command, "--stdin-filename", str(path), "-"],
        input=json.dumps(notebook),
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise PressError(f"ruff could not lint {name}: {ran.stderr.strip()}")
    return [
        (code[f["cell"] - 1][0] + f["location"]["row"] - 1, f"{f['code']} {f['message']}")
        for f in json.loads(ran.stdout)
    ]


def report(book: Book) -> list[str]:
    """A line a fault, ``book/part/chapter.md:LINE what``; PressError as `faults`."""
    return [
        f"book/{chapter.name}.md:{line} {what}"
        for chapter in book.chapters
        for line, what in faults(book, chapter)
    ]


def main() -> int:
    """Print the report; 1 if it has a line."""
    try:
        said = report(find_book())
    except PressError as error:
        said = [str(error)]
    print("\n".join(said), end="\n" if said else "")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
