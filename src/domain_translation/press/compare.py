"""Compare an executed notebook with the committed pair, by nbval's own comparison of outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from domain_translation.press.book import Book, Chapter
from domain_translation.press.execute import is_injected
from domain_translation.press.notebooks import MARK, paired
from domain_translation.press.run import Run

# What nbval leaves out by default, and pictures: their bytes depend on fonts.
SKIPPED = (
    *("metadata", "traceback", "text/latex", "execution_count", "output_type", "name"),
    *("image/png", "image/jpeg", "image/svg+xml", "application/pdf", "text/html"),
)
FIRST_LINE = re.compile(r"^[A-Z ]+  (?P<rows>[\w., ]+?)(?: \(.*\))?$", re.MULTILINE)


def differences(book: Book, chapter: Chapter, run: Run) -> list[str]:
    """One sentence for each claim cell that now prints something else than its pair says."""
    import nbformat

    committed, executed = paired(book, chapter), run.notebook
    if not committed.is_file():
        return [f"{committed.relative_to(book.root)} is missing: run `make notebooks`"]
    if executed is None:
        return [f"{chapter.name} has not run"]
    then, now = (_checked(nbformat.read(path, as_version=4)) for path in (committed, executed))
    if [c.source for c in then] != [c.source for c in now]:
        return [f"{chapter.name} and its pair have other claim cells: run `make notebooks`"]
    said = []
    for old, new in zip(then, now, strict=True):
        if found := _compare(old["outputs"], new["outputs"]):
            head = next((line for line in new.source.splitlines()[1:] if line.strip()), "")
            said.append(f"{chapter.name}, the claim cell that begins with {head!r}: {found}")
    return said


def claims(notebook: Path) -> dict[str, str]:
    """The text of each claim that a notebook displays, by rows and aspect as it prints them."""
    import nbformat

    outputs = (o for c in _checked(nbformat.read(notebook, as_version=4)) for o in c["outputs"])
    texts = ("".join(o.get("data", {}).get("text/plain", "")) for o in outputs)
    found = ((FIRST_LINE.match(text), text) for text in texts)
    return {head[0].partition("  ")[2]: text for head, text in found if head}


def _checked(notebook: Any) -> list[Any]:
    return [c for c in notebook.cells if c.source.startswith(MARK) and not is_injected(c)]


def _compare(then: Sequence[Any], now: Sequence[Any]) -> str:
    """What differs according to nbval, "" for nothing."""
    import nbformat
    from nbval.plugin import IPyNbCell, coalesce_streams, nocolors

    said: list[str] = []
    # A cell of nbval belongs to a session of pytest; its comparison needs these four things of it.
    cell = SimpleNamespace(
        colors=nocolors,
        comparison_traceback=said,
        sanitize=str,
        format_output_compare=lambda key, old, new: said.append(f"was\n{old}\nand is now\n{new}"),
    )
    same = IPyNbCell.compare_outputs(
        cell,
        # Where one print ends and the next begins is chance.
        *(coalesce_streams(nbformat.from_dict(outputs)) for outputs in (now, then)),
        skip_compare=SKIPPED,
    )
    return "" if same else "\n".join([*said, *cell.comparison_traceback])
