"""Seeds cards: each chapter that measures, run for seeds 0 to 9 up to its last measurement.

A finished seed is filed below ``_build/seeds/``, with digests of what it was made from, so that a
stopped run goes on where it was. A chapter's card is written when all its seeds are at hand.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain_translation.notebook import cards, machine
from domain_translation.notebook.cards import Card, CardError, Row
from domain_translation.notebook.code import code_digest
from domain_translation.press import key
from domain_translation.press.book import Book, Chapter
from domain_translation.press.build import LIMITS, Interrupted
from domain_translation.press.execute import Execution
from domain_translation.press.execute import versions as reported
from domain_translation.press.files import PressError, atomic_write, canonical, digest, only_one
from domain_translation.press.plan import benchmark
from domain_translation.press.processes import Stopped, scratch, stoppable
from domain_translation.press.runner import Job, execute_all

SEEDS = tuple(range(10))
CHECKED = (0, 1)  # that `check` reruns
MEASURE = "ledger.measure("
# What presents results and computes none: it makes no card stale.
PRESENTING = ("notebook/", "press/", "commands/", "errata/", "ledger.py", "plots.py", "cli.py")


@dataclass(frozen=True)
class Made:
    """What a measurement is made from: syntax trees of cells and modules, data, by digest."""

    cells: str
    code: Mapping[str, str]
    data: Mapping[str, str]


def measuring(chapter: Chapter) -> Chapter | None:
    """The chapter up to its last measurement; None if it measures nothing."""
    import jupytext

    notebook = chapter.notebook
    last = max((i for i, c in enumerate(notebook.cells) if _measures(c)), default=None)
    if last is None:
        return None
    cells = notebook.cells[: last + 1]
    # Figures and claims say nothing here, and prose is only read.
    short = {**notebook, "cells": [c for c in cells if c.cell_type == "code"]}
    return Chapter(chapter.name, jupytext.writes(type(notebook)(short), fmt="md:myst"))


def made_from(book: Book, short: Chapter, modules: Iterable[str], data: Iterable[str]) -> Made:
    """The present state of what a measurement of the cells of `short` uses."""
    computing = sorted(m for m in modules if not m.startswith(PRESENTING))
    code = {m: _code(book.package / m) for m in computing}
    cells = [_cell(c.source) for c in short.notebook.cells]
    return Made(digest(canonical(cells)), code, dict(key.look(book, (), data).data))


def stale(book: Book, card: Card) -> bool:
    """Whether what the card's numbers were made from has changed since."""
    (chapter,) = book.select([card.study])
    short, origin = measuring(chapter), card.origin
    if short is None:
        return True
    now = made_from(book, short, origin["code"], origin["data"])
    return (now.cells, now.code, now.data) != (origin["cells"], origin["code"], origin["data"])


def make(
    book: Book, names: Sequence[str], *, jobs: int, limit: float | None, check: bool = False
) -> int:
    """Bring the cards of the chosen chapters up to date, all for no names; the exit status.

    With `check`, seeds 0 and 1 of stale cards run again: equal values sign the card anew, others
    ask for all ten.

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
    signed: dict[str, Made] = {}

    def finished(job: Job, execution: Execution) -> None:
        name, seed = job.chapter.name, job.parameters["seed"]
        then = {r.arm + r.name: r.value for r in asked[name].rows if r.seed == seed}
        now = {arm + what: value for arm, what, value, *_ in execution.measured}
        if execution.error or then != now:
            other.add(name)
        signed[name] = made_from(book, job.chapter, execution.modules, execution.data)

    cells = [(c, s) for c in chosen if c.name in asked for s in CHECKED]
    _execute(book, cells, jobs, limit, finished)
    for name, made in signed.items():
        if name not in other:
            origin = {**asked[name].origin, **made.__dict__}
            cards.write(card_file(book, name), replace(asked[name], origin=origin))
            print(f"{name}: seeds 0 and 1 measured the same; the card is signed anew")
    for name in sorted(other):
        print(f"{name}: run `domain-translation seeds {name}`", file=sys.stderr)
    return 1 if other else 0


def stored(book: Book, name: str) -> Card | None:
    """A chapter's card as committed; None if there is none.

    Raises:
        PressError: it is damaged.
    """
    path = card_file(book, name)
    try:
        return cards.read(path.read_text(encoding="utf-8"), str(path.relative_to(book.root)))
    except FileNotFoundError:
        return None
    except CardError as error:
        raise PressError(str(error)) from error


def card_file(book: Book, name: str) -> Path:
    """Where a chapter's card is committed."""
    return book.root / "data" / "cards" / f"{name}.json"


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
    cards.write(card_file(book, short.name), card)
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


def _measures(cell: Any) -> bool:
    return bool(cell.cell_type == "code" and MEASURE in cell.source)


def _code(path: Path) -> str:
    return code_digest(path.read_text(encoding="utf-8")) if path.is_file() else key.MISSING


def _cell(source: str) -> str:
    try:
        return code_digest(source)
    except SyntaxError:  # an IPython line
        return digest(source)
