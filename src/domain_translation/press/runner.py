"""Execute chapters, several at a time; a stop from outside ends those that still run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_translation.press import observe
from domain_translation.press.book import Book, Chapter
from domain_translation.press.execute import Execution, execute
from domain_translation.press.processes import end_marked


@dataclass(frozen=True)
class Job:
    """A chapter to execute, and why; `expected` are CPU seconds, NaN if nothing is known.

    A job that is `measuring` runs for the chapter's card.
    """

    chapter: Chapter
    parameters: Mapping[str, Any]
    reason: str
    expected: float
    measuring: bool = False


def execute_all(
    book: Book,
    jobs: Sequence[Job],
    *,
    parallel: int,
    limit: float,
    folder: Path,
    python: Path,
    wheel: bool,
    finished: Callable[[Job, Execution], None],
    watch: Callable[[], None],
) -> None:
    """Run `jobs`, at most `parallel` at once, each for at most `limit` CPU seconds.

    The longest start first, unknown ones before all, so that the last to end is a short one.
    `finished` is called, in this thread, with each execution as it ends; `watch` every second.
    """
    order = sorted(jobs, key=lambda j: -math.inf if math.isnan(j.expected) else -j.expected)
    with ThreadPoolExecutor(parallel) as pool:
        running: dict[Future[Execution], Job] = {
            pool.submit(
                execute,
                book,
                job.chapter,
                job.parameters,
                place=folder / f"{job.chapter.name.replace('/', '-')}-{number}",
                python=python,
                wheel=wheel,
                limit=limit,
                measuring=job.measuring,
            ): job
            for number, job in enumerate(order)
        }
        try:
            while running:
                done, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in done:
                    finished(running.pop(future), future.result())
                watch()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            # A kernel may have been about to start: look again until all threads have returned.
            while any(f.running() for f in running):
                end_marked(observe.REPORTS, str(folder))
                wait(running, timeout=0.5)
            raise
