"""Execute chapters, several at a time, each in a process that can be ended from outside."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_translation.press.book import Chapter
from domain_translation.press.execute import unfinished
from domain_translation.press.key import Ingredients
from domain_translation.press.processes import Child, kernel_environment, python

POLL = 0.1  # seconds between two looks at the running chapters


@dataclass(frozen=True)
class Job:
    """A chapter to execute, and why; `expected` is an earlier run's seconds, NaN if none."""

    chapter: Chapter
    parameters: Mapping[str, Any]
    ingredients: Ingredients
    reason: str
    expected: float


@dataclass(frozen=True)
class Outcome:
    """How an execution ended: `error` is "" for a chapter that ran to its end."""

    job: Job
    seconds: float
    peak_mib: float
    error: str
    notebook: bytes
    versions: dict[str, str]


def execute(
    jobs: Sequence[Job],
    *,
    parallel: int,
    limit: float,
    folder: Path,
    finished: Callable[[Outcome], None],
    watch: Callable[[Mapping[str, float], Sequence[Job]], None],
) -> None:
    """Run `jobs`, at most `parallel` at once, each for at most `limit` seconds of wall time.

    The longest start first, unknown ones before all, so that the last to end is a short one.
    `finished` is called with each outcome as it comes; `watch` regularly, with the seconds of
    the running chapters and the waiting jobs. Whatever ends this function ends all children.
    """
    waiting = sorted(jobs, key=lambda j: -math.inf if math.isnan(j.expected) else -j.expected)
    running: list[tuple[Job, Child, Path]] = []
    try:
        while waiting or running:
            while waiting and len(running) < parallel:
                job = waiting.pop(0)
                place = folder / job.chapter.name.replace("/", "-")
                running.append((job, _start(job, place), place))
            for entry in list(running):
                job, child, place = entry
                status = child.poll()
                if status is not None:
                    running.remove(entry)
                    child.end()
                    finished(_outcome(job, child, place, status))
                elif child.seconds > limit:
                    child.end()
                    running.remove(entry)
                    finished(_outcome(job, child, place, None))
            watch({job.chapter.name: child.seconds for job, child, _ in running}, waiting)
            time.sleep(POLL)
    finally:
        for _, child, _ in running:
            child.end()


def _start(job: Job, place: Path) -> Child:
    """Start a chapter in `place`: the kernel's own folder inside it is empty."""
    workdir = place / "empty"
    workdir.mkdir(parents=True)
    order = {
        "text": job.chapter.text,
        "parameters": dict(job.parameters),
        "output": str(place / "executed.ipynb"),
        "result": str(place / "result.json"),
        "workdir": str(workdir),
    }
    (place / "job.json").write_text(json.dumps(order), encoding="utf-8")
    return Child(
        python("-m", "domain_translation.press.execute", str(place / "job.json")),
        env=kernel_environment(place),
        cwd=workdir,
        log=place / "log.txt",
    )


def _outcome(job: Job, child: Child, place: Path, status: int | None) -> Outcome:
    """Read what a chapter left behind; `status` is None when it was ended at the limit."""
    output, result = place / "executed.ipynb", place / "result.json"
    ended = status is not None and result.is_file()
    said = json.loads(result.read_text(encoding="utf-8")) if ended else {}
    error = said.get("error", "")
    if status is None:
        error = (
            f"still running after {child.seconds:.0f} s, the wall limit; its processes were "
            f"ended (allow more with --limit)\n{unfinished(output)}"
        )
    elif not said:
        tail = "\n".join(child.log.read_text(errors="replace").splitlines()[-15:])
        error = f"its process ended with status {status} and no result\n{tail}"
    notebook = output.read_bytes() if output.is_file() else b""
    shutil.rmtree(place, ignore_errors=True)
    return Outcome(job, child.seconds, child.peak_mib, error, notebook, said.get("versions", {}))
