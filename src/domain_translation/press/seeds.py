"""Seeds cards: each chapter that measures, run for seeds 0 to 9 up to its last measurement.

A finished seed is filed below ``_build/seeds/``, with digests of what it was made from, so that a
stopped run goes on where it was. A chapter's card is written when all its seeds are at hand.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain_translation.notebook import card_files, machine
from domain_translation.notebook.cards import Card, CardError, Row
from domain_translation.press.book import Book, Chapter
from domain_translation.press.execute import Execution
from domain_translation.press.execute import versions as reported
from domain_translation.press.files import atomic_write, canonical, only_one
from domain_translation.press.measured import (
    card_file,
    made_from,
    measuring,
    reproduced,
    stale,
    stored,
)
from domain_translation.press.plan import benchmark
from domain_translation.press.processes import Interrupted, Stopped, scratch, stoppable
from domain_translation.press.run import LIMITS
from domain_translation.press.runner import Job, execute_all

SEEDS = tuple(range(10))
CHECKED = (0, 1)  # that `check` reruns


def make(
    book: Book, names: Sequence[str], *, jobs: int, limit: float | None, check: bool = False
) -> int:
    """Bring the cards of the chosen chapters up to date, all for no names; the exit status.

    With `check`, seeds 0 and 1 of stale cards run again: where they measure what the card says
    (`measured.reproduced`), they sign it anew, else all ten are asked for.

    Raises:
        RequestError: a name that is no chapter.
        Interrupted: Ctrl-C or a signal; finished seeds are at hand for the next time.
    """
    chosen = [s for c in book.select(names) if (s := measuring(c)) is not None]
    with only_one(book.build, "seeds"), stoppable():
        return (_check if check else _make)(book, chosen, jobs, limit)


def _make(book: Book, chosen: Sequence[Chapter], jobs: int, limit: float | None) -> int:
    waiting = {c.name: [s for s in SEEDS if at_hand(book, c, s) is None] for c in chosen}
    failed: list[str] = []

    def finished(job: Job, execution: Execution) -> None:
        name, seed = job.chapter.name, job.parameters["seed"]
        print(f"{name}, seed {seed}: {execution.cpu_seconds:.0f} CPU s", flush=True)
        if execution.error:
            failed.append(f"{name}, seed {seed}: {execution.error}")
            return
        atomic_write(_place(book, name, seed), canonical(_record(book, job, execution)))
        waiting[name].remove(seed)
        if not waiting[name]:
            failed.extend(_write_card(book, job.chapter))

    for chapter in chosen:
        if not waiting[chapter.name]:
            failed += _write_card(book, chapter)
    _execute(book, [(c, s) for c in chosen for s in waiting[c.name]], jobs, limit, finished)
    for sentence in failed:
        print(sentence, file=sys.stderr)
    return 1 if failed else 0


def _check(book: Book, chosen: Sequence[Chapter], jobs: int, limit: float | None) -> int:
    asked: dict[str, Card] = {}
    other: set[str] = set()
    for chapter in chosen:
        card = stored(book, chapter.name)
        if card is None:
            print(f"{chapter.name}: no card yet", file=sys.stderr)
            other.add(chapter.name)
        elif stale(book, card):
            asked[chapter.name] = card
    waiting = {name: set(CHECKED) for name in asked}

    def finished(job: Job, execution: Execution) -> None:
        name, seed = job.chapter.name, job.parameters["seed"]
        print(f"{name}, seed {seed}: {execution.cpu_seconds:.0f} CPU s", flush=True)
        if execution.error or not reproduced(asked[name], seed, execution.measured):
            other.add(name)
        waiting[name].remove(seed)
        if waiting[name] or name in other:
            return
        made = made_from(book, job.chapter, execution.modules, execution.data)
        origin = {**asked[name].origin, **made.__dict__, "checked": machine.identity()}
        card_files.write(card_file(book, name), replace(asked[name], origin=origin))
        print(f"{name}: seeds 0 and 1 measured the same; the card is signed anew", flush=True)

    cells = [(c, s) for c in chosen if c.name in asked for s in CHECKED]
    _execute(book, cells, jobs, limit, finished)
    for name in sorted(other):
        print(f"{name}: run `domain-translation seeds {name}`", file=sys.stderr)
    return 1 if other else 0


def at_hand(book: Book, short: Chapter, seed: int) -> dict[str, Any] | None:
    """A finished seed whose ingredients have not changed; None if there is none."""
    try:
        found: dict[str, Any] = json.loads(_place(book, short.name, seed).read_text("utf-8"))
        now = made_from(book, short, found["code"], found["data"])
        same = (now.cells, now.code, now.data) == (found["cells"], found["code"], found["data"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None  # none yet, or one that was cut off
    return found if same else None


def _place(book: Book, name: str, seed: int) -> Path:
    return book.build / "seeds" / name / f"{seed}.json"


def _record(book: Book, job: Job, execution: Execution) -> dict[str, Any]:
    made = made_from(book, job.chapter, execution.modules, execution.data)
    return {
        **made.__dict__,
        "measured": execution.measured,
        "lost": execution.lost,
        "machine": machine.identity(),
        "versions": reported(),
        "seconds": round(execution.cpu_seconds, 1),
        "made": datetime.now(UTC).date().isoformat(),
    }


def _write_card(book: Book, short: Chapter) -> list[str]:
    """Write the card of a chapter whose seeds are all at hand; what is wrong with it."""
    runs = {seed: run for seed in SEEDS if (run := at_hand(book, short, seed)) is not None}
    if len(runs) < len(SEEDS):
        return [f"{short.name}: its sources changed while its seeds ran; run them again"]
    first = runs[SEEDS[0]]
    origin = {
        **{name: first[name] for name in ("cells", "code", "data", "versions")},
        "machine": sorted({r["machine"] for r in runs.values()}),
        "seconds": round(sum(r["seconds"] for r in runs.values()), 1),
        "made": max(r["made"] for r in runs.values()),
    }
    rows = tuple(
        Row(arm, seed, name, value, tuple(networks), error)
        for seed, run in runs.items()
        for arm, name, value, networks, error in run["measured"]
    )
    missing = {(arm, seed): why for seed, run in runs.items() for arm, why in run["lost"]}
    try:
        card = Card(short.name, "quick", rows, missing, origin)
    except CardError as error:
        return [str(error)]
    card_files.write(card_file(book, short.name), card)
    print(f"{short.name}: card of {len(rows)} measurements, {origin['seconds']:.0f} CPU s")
    return []


def _execute(
    book: Book,
    cells: Sequence[tuple[Chapter, int]],
    jobs: int,
    limit: float | None,
    finished: Any,
) -> None:
    costs = benchmark(book)
    todo = [
        Job(c, {"profile": "quick", "seed": s}, "seeds", costs.get(c.name, math.nan), True)
        for c, s in cells
    ]
    started = time.monotonic()
    try:
        with scratch() as folder:
            execute_all(
                book,
                todo,
                parallel=jobs,
                limit=LIMITS["quick"] if limit is None else limit,
                folder=Path(folder),
                python=Path(sys.executable),
                wheel=False,
                finished=finished,
                watch=lambda: None,
            )
    except (KeyboardInterrupt, Stopped) as error:
        raise Interrupted(getattr(error, "signal", 2), []) from error
    if todo:
        print(f"{len(todo)} runs in {(time.monotonic() - started) / 60:.1f} minutes")
