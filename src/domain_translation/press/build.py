"""The two commands: make the book, refresh the paired notebooks."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from domain_translation.press import html, notebooks, stage, wheel
from domain_translation.press.book import Book
from domain_translation.press.execute import Execution
from domain_translation.press.files import PressError, RequestError, only_one
from domain_translation.press.plan import Wish, failed, keep, plan
from domain_translation.press.processes import Interrupted, Stopped, scratch, stoppable
from domain_translation.press.report import Progress, duration, failures, table
from domain_translation.press.run import LIMITS, Run
from domain_translation.press.runner import Job, execute_all


def make_book(book: Book, wish: Wish, *, jobs: int, limit: float | None) -> int:
    """Execute what changed, stage, build the HTML, print the table; the exit status.

    A failed chapter costs only its own results: its page says what happened, and the status
    is 1. With `wish.only` the other chapters appear as they last ran, or unexecuted. In both
    cases warnings about what is missing do not fail the build.
    """
    from domain_translation.press import pages

    started = time.monotonic()
    with only_one(book.build, "build"), stoppable():
        runs = run_chapters(book, wish, jobs=jobs, limit=limit)
        print(table(runs), flush=True)
        broken = any(r.status == "failed" for r in runs)
        if broken:
            print(f"\n{failures(runs)}", flush=True)
        digest = stage.lay_out(book, runs, pages.write)
        if not wish.only:
            stage.check_documents(book)
        built = html.build(book, digest, strict=not wish.only and not broken)
    state = "built" if built else "up to date"
    print(f"\nHTML {state} after {duration(time.monotonic() - started)}.")
    print(f"Open {html.index(book)}")
    return 1 if broken else 0


def make_notebooks(book: Book, wish: Wish, *, jobs: int, limit: float | None) -> int:
    """Execute what changed and rewrite the paired notebooks; the exit status."""
    with only_one(book.build, "build"), stoppable():
        runs = run_chapters(book, wish, jobs=jobs, limit=limit)
        changed = notebooks.refresh(book, runs)
    print(table(runs))
    for name in changed:
        print(f"wrote book/{name}.ipynb")
    if any(r.status == "failed" for r in runs):
        print(f"\n{failures(runs)}")
        return 1
    print(f"{len(changed)} of {len(runs)} paired notebooks changed.")
    return 0


def check_notebooks(book: Book) -> int:
    """Report notebooks that differ from their text; the exit status."""
    wrong = notebooks.drift(book)
    for sentence in wrong:
        print(sentence)
    if wrong:
        print("Run `make notebooks` and commit the result.")
    return 1 if wrong else 0


def run_chapters(book: Book, wish: Wish, *, jobs: int, limit: float | None) -> list[Run]:
    """Bring the chosen chapters' runs up to date; runs of all chapters in the book's order.

    Raises:
        Interrupted: Ctrl-C or a signal; every kernel was ended, finished chapters are kept.
    """
    steps = plan(book, wish)
    if limit is not None and limit <= 0:
        raise RequestError(f"the limit must be positive CPU seconds, not {limit:g}")
    if jobs < 1:
        raise RequestError(f"the number of chapters at once must be at least 1, not {jobs}")
    shutil.rmtree(book.build / "failed", ignore_errors=True)
    done: dict[str, Run] = {r.chapter: r for r in steps.kept}
    progress = Progress(steps.jobs, jobs)

    def finished(job: Job, execution: Execution) -> None:
        try:
            run = keep(book, job, execution, wish, steps.files)
        except PressError as error:  # a full disk costs this chapter, not those that still run
            run = failed(
                book, job, replace(execution, error=str(error), notebook=b""), wish.profile
            )
        done[run.chapter] = run
        progress.finished(run)

    try:
        with scratch() as folder:
            execute_all(
                book,
                steps.jobs,
                parallel=jobs,
                limit=LIMITS[wish.profile] if limit is None else limit,
                folder=Path(folder),
                python=wheel.python(book) if wish.wheel else Path(sys.executable),
                wheel=wish.wheel,
                finished=finished,
                watch=progress.watch,
            )
    except (KeyboardInterrupt, Stopped) as error:
        names = [name for name, run in done.items() if run.status == "ran"]
        raise Interrupted(getattr(error, "signal", 2), names) from error
    finally:
        progress.close()
    return [done[c.name] for c in book.chapters]


def default_jobs() -> int:
    """As many chapters at once as this process may use cores."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
