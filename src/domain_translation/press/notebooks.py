"""The paired notebooks: what a reader opens in Colab, and what a changed verdict shows up in.

``book/<chapter>.ipynb`` is derived from ``book/<chapter>.md``: an install cell, the text's
cells, and the text outputs of the claim cells of a quick run. Everything else that a run
leaves (pictures, counters, times, paths, versions) is left out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain_translation.press.book import Book, Chapter
from domain_translation.press.execute import INJECTED, stable_ids
from domain_translation.press.files import PressError, atomic_write, tree
from domain_translation.press.run import Run

MARK = "# NBVAL_CHECK_OUTPUT"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# nbval takes outputs seriously only in a cell that has been counted.
COUNT = 1
PICTURES = ("image/png", "image/jpeg", "image/svg+xml", "application/pdf")


def paired(book: Book, chapter: Chapter) -> Path:
    """Where a chapter's notebook is committed."""
    return book.root / "book" / f"{chapter.name}.ipynb"


def refresh(book: Book, runs: Sequence[Run]) -> list[str]:
    """Rewrite the paired notebooks of freshly run chapters; names of those that changed.

    Raises:
        PressError: a claim cell's output cannot be compared by text.
    """
    changed = []
    for run in runs:
        if run.notebook is None or run.status == "failed" or run.stale:
            continue
        (chapter,) = book.select([run.chapter])
        text = render(book, chapter, json.loads(run.notebook.read_text(encoding="utf-8")))
        path = paired(book, chapter)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            atomic_write(path, text)
            changed.append(run.chapter)
    return changed


def render(book: Book, chapter: Chapter, executed: Any = None) -> str:
    """The paired notebook's text; without `executed` its claim cells have no output."""
    import nbformat

    cells: list[Any] = [_install_cell(book)]
    outputs = iter(_outputs(executed) if executed else [])
    for source in chapter.notebook.cells:
        cell: Any = {
            "cell_type": source.cell_type,
            "metadata": json.loads(json.dumps(source.metadata)),
            "source": source.source,
        }
        if source.cell_type == "code":
            found = next(outputs) if executed else []
            checked = source.source.startswith(MARK)
            cell["outputs"] = _comparable(chapter, source.source, found) if checked else []
            cell["execution_count"] = COUNT if cell["outputs"] else None
        cells.append(nbformat.from_dict(cell))
    for cell, stable in zip(cells, stable_ids(cells), strict=True):
        cell["id"] = stable
    notebook = nbformat.from_dict(
        {"cells": cells, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    )
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


def drift(book: Book) -> list[str]:
    """What is wrong with the committed notebooks, one sentence each; nothing is executed."""
    wrong = []
    for chapter in book.chapters:
        path = paired(book, chapter)
        name = path.relative_to(book.root)
        if not path.is_file():
            wrong.append(f"{name} is missing")
            continue
        try:
            notebook = json.loads(path.read_text(encoding="utf-8"))
            stray = _strip(notebook)
        except (ValueError, KeyError, TypeError, AttributeError):
            wrong.append(f"{name} is not a notebook")
            continue
        if notebook != json.loads(render(book, chapter)):
            wrong.append(f"{name} differs from {name.with_suffix('.md').name}")
        if stray:
            wrong.append(f"{name} holds outputs that are not a claim's text: {', '.join(stray)}")
    known = {paired(book, c) for c in book.chapters}
    for path in tree(book.root / "book"):
        if path.suffix == ".ipynb" and path not in known:
            wrong.append(f"{path.relative_to(book.root)} belongs to no chapter of _toc.yml")
    return wrong


def _strip(notebook: Any) -> list[str]:
    """Remove all outputs in place; names of those that should not have been there."""
    stray = []
    for number, cell in enumerate(notebook["cells"], start=1):
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        for output in cell["outputs"]:
            kinds = set(output.get("data", {})) or {output["output_type"]}
            if not source.startswith(MARK) or not kinds <= {"text/plain", "stream"}:
                stray.append(f"cell {number} ({', '.join(sorted(kinds))})")
        if cell["outputs"] and cell["execution_count"] == COUNT:
            cell["execution_count"] = None
        cell["outputs"] = []
    return stray


def _outputs(executed: Any) -> list[Any]:
    """Outputs of the code cells in order, papermill's injected cell left out."""
    return [
        cell["outputs"]
        for cell in executed["cells"]
        if cell["cell_type"] == "code" and INJECTED not in cell["metadata"].get("tags", [])
    ]


def _comparable(chapter: Chapter, source: str, outputs: Sequence[Any]) -> list[Any]:
    """A claim cell's outputs reduced to their text.

    Raises:
        PressError: an output has no text, or a form that a comparison by text would miss.
    """
    kept: list[Any] = []
    for output in outputs:
        kind, data = output["output_type"], output.get("data", {})
        other = sorted(set(data) - {"text/plain", *PICTURES})
        if (kind == "stream" and output["name"] != "stdout") or other or kind == "error":
            what = ", ".join(other) or output.get("name", kind)
            raise PressError(
                f"chapter {chapter.name}: the claim cell {source.splitlines()[1:2]} gives {what}; "
                "a cell marked NBVAL_CHECK_OUTPUT may print and show plain text only"
            )
        if kind == "stream" and kept and kept[-1]["output_type"] == "stream":
            kept[-1]["text"] += output["text"]  # where one print ends and the next begins is chance
        elif kind == "stream":
            kept.append({"name": "stdout", "output_type": kind, "text": output["text"]})
        else:
            plain = {"text/plain": data["text/plain"]}
            kept.append({"data": plain, "metadata": {}, "output_type": kind})
            if kind == "execute_result":
                kept[-1]["execution_count"] = COUNT
    return kept


def _install_cell(book: Book) -> Any:
    """The first cell: installs this release of the package when, and only when, it is missing."""
    import nbformat

    name, package, version = book.project["name"], book.package.name, book.project["version"]
    source = (
        "# Installs the book's package where it is missing, e.g. in Colab.\n"
        "import importlib.util\n\n"
        f'if importlib.util.find_spec("{package}") is None:\n'
        f'    %pip install --quiet "{name} @ git+{book.repository}@v{version}"\n'
        "    importlib.invalidate_caches()\n"
        f'    if importlib.util.find_spec("{package}") is None:\n'
        f"        raise SystemExit(\"{name} {version} could not be installed: see pip's message "
        'above.")'
    )
    return nbformat.v4.new_code_cell(source, metadata={"tags": ["remove-cell"]})
