"""Run one chapter: ``python -m domain_translation.press.execute JOB.json``, a process of its own.

The job names the text, the parameters, the output and the folder to run in. The process ends
with 0 and a result file, or with 1 and a result file that names the failing cell. It ends
early when its standard input closes, so that no kernel outlives the press.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

INJECTED = "injected-parameters"
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
REPORTED_VERSIONS = ("domain-translation", "torch", "numpy", "scipy", "scikit-learn", "matplotlib")


class ChapterError(Exception):
    """A chapter that did not run to its end; the text names the cell and shows the traceback."""


def run(text: str, parameters: Mapping[str, Any], output: Path, workdir: Path) -> None:
    """Execute a MyST text notebook with papermill and write the cleaned notebook to `output`.

    Raises:
        ChapterError: a cell raised, the kernel died, or not all cells were run.
    """
    import jupytext
    import papermill
    from papermill.exceptions import PapermillExecutionError

    source = output.with_name("source.ipynb")
    jupytext.write(jupytext.reads(text, fmt="md:myst"), source)
    # Papermill saves after every cell, so that a failed run can be looked at.
    try:
        notebook = papermill.execute_notebook(
            source,
            output,
            dict(parameters),
            kernel_name="python3",
            cwd=workdir,
            progress_bar=False,
            start_timeout=120,
        )
    except PapermillExecutionError as error:
        trace = ANSI.sub("", "\n".join(error.traceback)) or f"{error.ename}: {error.evalue}"
        raise ChapterError(describe(error.cell_index, error.source, trace)) from error
    except RuntimeError as error:
        raise ChapterError(f"{error}\n{unfinished(output)}") from error
    skipped = [
        (i, c)
        for i, c in enumerate(notebook.cells)
        if c.cell_type == "code" and c.source.strip() and c.execution_count is None
    ]
    if skipped:
        index, cell = skipped[0]
        raise ChapterError(
            describe(index, cell.source, "the kernel ended before this cell (exit() or a crash)")
        )
    tidy(notebook)
    output.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")


def describe(index: int, source: str, trace: str) -> str:
    """The failing cell's number, the head of its source, and what went wrong."""
    lines = source.strip().splitlines()
    head = [f"    {line}" for line in lines[:6]] + (["    ..."] if len(lines) > 6 else [])
    return "\n".join([f"cell {index + 1} failed:", *head, trace.rstrip()])


def unfinished(output: Path) -> str:
    """The cell that was being run, from the notebook that papermill saves after every cell."""
    try:
        cells = json.loads(output.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return ""
    for index, cell in enumerate(cells):
        source = "".join(cell["source"])
        answered = "shell.execute_reply" in cell["metadata"].get("execution", {})
        if cell["cell_type"] == "code" and source.strip() and not answered:
            return describe(index, source, "(not finished)")
    return ""


def tidy(notebook: Any) -> None:
    """Take out what differs from run to run and what belongs to papermill, in place."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.pop("jupytext", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        tags = cell.metadata.pop("tags", [])
        if INJECTED in tags:
            tags = [INJECTED, "remove-cell"]
        if tags:
            cell.metadata["tags"] = tags
    for cell, stable in zip(notebook.cells, stable_ids(notebook.cells), strict=True):
        cell["id"] = stable


def stable_ids(cells: list[Any]) -> list[str]:
    """Cell ids from the cells' content, so that a rerun or an edit elsewhere changes none."""
    import hashlib

    seen: dict[str, int] = {}
    ids = []
    for cell in cells:
        content = f"{cell.cell_type}\n{cell.source}"
        seen[content] = seen.get(content, 0) + 1
        ids.append(hashlib.sha256(f"{content}\n{seen[content]}".encode()).hexdigest()[:12])
    return ids


def versions() -> dict[str, str]:
    """Python, platform and the versions of the packages that decide a result."""
    found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    for name in REPORTED_VERSIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _end_with_the_press() -> None:
    """Leave as soon as standard input closes; the kernel watches its parent and follows."""
    sys.stdin.read()
    os._exit(1)


def main() -> int:
    """Do the job named on the command line; the exit status."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    threading.Thread(target=_end_with_the_press, daemon=True).start()
    try:
        run(job["text"], job["parameters"], Path(job["output"]), Path(job["workdir"]))
        result: dict[str, Any] = {"versions": versions()}
    except Exception as error:
        known = isinstance(error, ChapterError)
        result = {"error": str(error) if known else f"{type(error).__name__}: {error}"}
    Path(job["result"]).write_text(json.dumps(result), encoding="utf-8")
    return 1 if "error" in result else 0


if __name__ == "__main__":
    sys.exit(main())
