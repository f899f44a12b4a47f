"""Portability: every chapter under three instruction sets, its claims and live values compared.

The runs are those of the press, cached by processor and by these variables; so a stopped proof goes
on where it was, and a repeated one costs what has changed.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from domain_translation.notebook import machine
from domain_translation.press.agreement import FILE
from domain_translation.press.book import Book
from domain_translation.press.build import run_chapters
from domain_translation.press.compare import claims
from domain_translation.press.files import atomic_write, only_one
from domain_translation.press.measured import expected, stored
from domain_translation.press.notebooks import paired
from domain_translation.press.plan import Wish
from domain_translation.press.processes import stoppable
from domain_translation.press.run import Run

# Values of `machine.INSTRUCTION_SETS`, in their order.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "default": ("default", "SSE41", "SSE4_2"),
    "avx2": ("avx2", "AVX2", "AVX2"),
    "native": (),
}


def make(book: Book, *, jobs: int, limit: float | None) -> int:
    """Run all chapters under each level and write ``data/results/portability.json``.

    The exit status is 1 where a chapter crashed or a claim came out otherwise.
    """
    levels: dict[str, dict[str, Any]] = {}
    with only_one(book.build, "build"), stoppable():
        for level, values in LEVELS.items():
            print(f"level {level}", flush=True)
            with variables(values):
                runs = run_chapters(book, Wish(), jobs=jobs, limit=limit)
            levels[level] = {run.chapter: entry(book, run) for run in runs}
    record = {
        "made": datetime.now(UTC).date().isoformat(),
        "machine": machine.processor(),
        "levels": levels,
    }
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    atomic_write(book.root / FILE, text)
    print(summary(levels))
    entries = [e for chapters in levels.values() for e in chapters.values()]
    return 1 if any(e["crash"] or e["other"] for e in entries) else 0


@contextlib.contextmanager
def variables(values: tuple[str, ...]) -> Iterator[None]:
    """Limit the instruction sets of everything that starts inside; no values: of nothing."""
    before = {name: os.environ.pop(name, None) for name in machine.INSTRUCTION_SETS}
    os.environ.update(dict(zip(machine.INSTRUCTION_SETS, values, strict=False)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def entry(book: Book, run: Run) -> dict[str, Any]:
    """What became of a chapter: crash, claims that came out otherwise, values off their card."""
    if run.status == "failed" or run.notebook is None:
        return {"crash": run.error.splitlines()[-1] if run.error else "not run", "other": []}
    (chapter,) = book.select([run.chapter])
    then, now = claims(paired(book, chapter)), claims(run.notebook)
    other = sorted(k for k in {*then, *now} if then.get(k) != now.get(k))
    card = stored(book, run.chapter)
    measured = [row[:3] for row in run.measured] if card else []
    outside = [(arm, name) for arm, name, value in measured if not expected(card, arm, name, value)]
    return {
        "crash": "",
        "claims": len(now),
        "other": other,
        "measured": len(measured),
        "outside": [f"{name} of {arm}" if arm else name for arm, name in outside],
    }


def summary(levels: Mapping[str, Mapping[str, Any]]) -> str:
    """A line a level."""
    lines = []
    for level, chapters in levels.items():
        found = chapters.values()
        crashed = sum(bool(e["crash"]) for e in found)
        other = sum(len(e["other"]) for e in found)
        measured = sum(e.get("measured", 0) for e in found)
        inside = measured - sum(len(e.get("outside", ())) for e in found)
        lines.append(
            f"{level}: {crashed} of {len(chapters)} chapters crashed, {other} claims came out "
            f"otherwise, {inside} of {measured} live values inside their cards"
        )
    return "\n".join(lines)
