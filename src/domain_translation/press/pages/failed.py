"""Chapters that failed: what their pages say, and the mark in the navigation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from domain_translation.press.pages.html import literal, render
from domain_translation.press.run import Run


def notice(run: Run) -> str:
    """What stands below the title of a failed chapter: MyST boxes, the traceback folded."""
    day = datetime.fromtimestamp(run.finished, tz=UTC)
    date = f"{day.day} {day:%B %Y}"
    return render("failed.md", run=run, date=date, failure=failure(run))


def failure(run: Run) -> str:
    """What went wrong in one line of MyST: the exception's, else the press's own sentence."""
    lines = [line for line in run.error.splitlines() if line.strip()]
    # Left of the margin, neither the cell's number nor its source nor a remark in brackets.
    said = [line for line in lines if not line.startswith((" ", "(", "cell "))] or lines
    cell = re.search(r"^cell (\d+) failed", run.error, re.MULTILINE)
    place = f" in cell {cell[1]}" if cell else ""
    return f"{literal(said[-1].strip()) if said else 'no message'}{place}"


def mark_navigation(toc: dict[str, Any], runs: Sequence[Run]) -> dict[str, Any]:
    """The table of contents with ``(failed)`` after the titles of the chapters that failed."""
    titles = {f"book/{r.chapter}": f"{r.title} (failed)" for r in runs if r.status == "failed"}

    def marked(node: Any) -> Any:
        if isinstance(node, list):
            return [marked(item) for item in node]
        if not isinstance(node, dict):
            return node
        title = titles.get(re.sub(r"\.(md|ipynb)$", "", str(node.get("file", ""))))
        return {k: marked(v) for k, v in node.items()} | ({"title": title} if title else {})

    marked_toc: dict[str, Any] = marked(toc)
    return marked_toc
