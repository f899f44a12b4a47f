"""Run one chapter with papermill, in a kernel that is observed, limited and ended with all it left.

The kernel's folder is empty, its environment fixed, its Python chosen by the caller: the one of
the checkout or one that knows only the built wheel.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import platform
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_translation.notebook.ledger import MEASURING
from domain_translation.press import kernel, observe
from domain_translation.press.book import Book, Chapter
from domain_translation.press.processes import end_marked

INJECTED = "injected-parameters"
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
REPORTED_VERSIONS = ("domain-translation", "torch", "numpy", "scipy", "scikit-learn", "matplotlib")
# A kernel that only sleeps never reaches its limit of processor time: a cell may last this many
# times as long as the whole chapter may compute.
PATIENCE = 10


@dataclass(frozen=True)
class Execution:
    """How one execution ended: `error` is "" for a chapter that ran to its end.

    `modules` and `data` are what it used, by file name below the package and the data folder;
    `measured` are arm, name, value and networks of each measurement, `lost` arm and reason.
    """

    error: str
    notebook: bytes
    wall_seconds: float
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    modules: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    measured: tuple[Any, ...] = ()
    lost: tuple[Any, ...] = ()


class ChapterError(Exception):
    """A chapter that did not run to its end; the text names the cell and shows the traceback."""


def execute(
    book: Book,
    chapter: Chapter,
    parameters: Mapping[str, Any],
    *,
    place: Path,
    python: Path,
    wheel: bool,
    limit: float,
    measuring: bool = False,
) -> Execution:
    """Run `chapter` below the new folder `place` and clean up; never raises for what it does.

    While `measuring`, its claims are not judged.
    """
    started = time.monotonic()
    for folder in ("empty", "reports", "site", "ipython/profile_default"):
        (place / folder).mkdir(parents=True)
    variables = kernel.environment(book, place, wheel, limit)
    variables |= {MEASURING: "1"} if measuring else {}
    output, log = place / "executed.ipynb", place / "log.txt"
    manager = kernel.manager(python, variables, log)
    error = ""
    try:
        _run(chapter, parameters, output, place / "empty", manager, log, limit)
    except ChapterError as problem:
        error = str(problem)
    except OSError as problem:  # the disk of the temporary folder is full
        error = f"cannot write {problem.filename or output}: {problem.strerror or problem}"
    finally:
        end_marked(observe.REPORTS, variables[observe.REPORTS])
    notebook = output.read_bytes() if output.is_file() else b""
    reports = [json.loads(p.read_text("utf-8")) for p in (place / "reports").glob("*.json")]
    roots = {r["root"] for r in reports} - {""}
    if not error and not reports:
        last = "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:])
        said = "its kernel was ended before it could tell what it had used: run it again"
        error = f"{said} (status {manager.status})\n{last}".rstrip()
    if wheel and not error and any(not r.startswith(str(python.parents[1])) for r in roots):
        error = f"it imported the package from {', '.join(roots)}, not from the wheel"
    shutil.rmtree(place, ignore_errors=True)
    return Execution(
        error=error,
        notebook=notebook,
        wall_seconds=time.monotonic() - started,
        # The kernel's report counts the processes that it waited for, too.
        cpu_seconds=max((r["cpu_seconds"] for r in reports), default=0.0),
        peak_mib=max((r["peak_mib"] for r in reports), default=0.0),
        modules=tuple(sorted({m for r in reports for m in r["modules"]})),
        data=tuple(sorted({d for r in reports for d in r["data"]})),
        measured=tuple(m for r in reports for m in r["measured"]),
        lost=tuple(m for r in reports for m in r["lost"]),
    )


@functools.cache
def _engine() -> str:
    """Papermill's engine, except that it keeps what was computed when the kernel dies."""
    import nbformat
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):  # type: ignore[misc]
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            output = options.pop("partial")
            try:
                return super().execute_managed_notebook(nb_man, kernel_name, **options)
            except Exception:
                nbformat.write(nb_man.nb, output)
                raise

    papermill_engines.register("press", Engine)
    return "press"


def _run(
    chapter: Chapter,
    parameters: Mapping[str, Any],
    output: Path,
    workdir: Path,
    manager: Any,
    log: Path,
    limit: float,
) -> None:
    """Execute with papermill and write the tidied notebook to `output`.

    Raises:
        ChapterError: a cell raised, the kernel died, or not all cells were run.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        notebook = papermill.execute_notebook(
            chapter.notebook,
            output,
            dict(parameters),
            engine_name=_engine(),
            kernel_name="python3",
            # Saved at the end, not after every cell: a save costs more than most cells.
            request_save_on_cell_execute=False,
            progress_bar=False,
            start_timeout=300,
            execution_timeout=PATIENCE * limit,
            iopub_timeout=300,
            resources={"metadata": {"path": str(workdir)}},
            kernel_manager_class=manager,
            partial=output,
        )
    except PapermillExecutionError as error:
        trace = ANSI.sub("", "\n".join(error.traceback)) or f"{error.ename}: {error.evalue}"
        raise ChapterError(describe(error.cell_index, error.source, trace)) from error
    except TimeoutError as error:
        said = f"one of its cells was still running after {PATIENCE * limit:.0f} s"
        raise ChapterError(f"{said} (allow more with --limit)\n{_unfinished(output)}") from error
    except Exception as error:
        died = isinstance(error, RuntimeError) and manager.status is not None
        said = kernel.death(manager.status, limit) if died else f"{type(error).__name__}: {error}"
        last = "\n".join(log.read_text("utf-8", "replace").splitlines()[-10:]) if died else ""
        raise ChapterError("\n".join(filter(None, [said, _unfinished(output), last]))) from error
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and cell.source.strip() and cell.execution_count is None:
            said = "the kernel ended before this cell (exit() or a crash)"
            raise ChapterError(describe(index, cell.source, said))
    left = sorted(p.name for p in workdir.iterdir())
    if left:
        raise ChapterError(
            f"it left files behind: {', '.join(left)}; a chapter writes to a temporary folder"
        )
    tidy(notebook)
    output.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")


def describe(index: int, source: str, trace: str) -> str:
    """The failing cell's number, the head of its source, and what went wrong."""
    lines = source.strip().splitlines()
    head = [f"    {line}" for line in lines[:6]] + (["    ..."] if len(lines) > 6 else [])
    return "\n".join([f"cell {index + 1} failed:", *head, trace.rstrip()])


def _unfinished(output: Path) -> str:
    """The cell that was being run, from what the engine kept."""
    if not output.is_file():
        return ""
    for index, cell in enumerate(json.loads(output.read_text(encoding="utf-8"))["cells"]):
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


def is_injected(cell: Any) -> bool:
    """Whether papermill put the cell there, to set the parameters."""
    return INJECTED in cell["metadata"].get("tags", [])


def stable_ids(cells: list[Any]) -> list[str]:
    """Cell ids from the cells' content, so that a rerun or an edit elsewhere changes none."""
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
