"""What the terminal shows: progress while chapters run, a table at the end."""

from __future__ import annotations

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm

from domain_translation.notebook.criteria import CONFIRMED, CONTRADICTED, REDUCED, UNDECIDED
from domain_translation.notebook.ledger import METADATA_KEY
from domain_translation.press.run import DEAR, Run
from domain_translation.press.runner import Job

GUESS = 45.0  # CPU seconds for a chapter of which nothing is known


class Progress:
    """A bar with the time left on a terminal, one plain line per event elsewhere."""

    def __init__(self, jobs: Sequence[Job], parallel: int) -> None:
        self._left = {j.chapter.name: GUESS if math.isnan(j.expected) else j.expected for j in jobs}
        self._parallel, self._since = max(1, min(parallel, len(jobs))), time.monotonic()
        self._bar = tqdm(
            total=len(jobs),
            disable=not (jobs and sys.stderr.isatty()),
            bar_format="{n_fmt}/{total_fmt} |{bar:20}| {elapsed} gone, {desc}",
            leave=False,
        )

    def finished(self, run: Run) -> None:
        """One chapter has ended."""
        self._left.pop(run.chapter)
        self._since = time.monotonic()
        tqdm.write(
            f"{run.chapter}: ran, {run.cpu_seconds:.1f} CPU s ({run.reason})"
            if run.status == "ran"
            else f"{run.chapter}: FAILED after {run.wall_seconds:.1f} s",
            file=sys.stdout,
        )
        sys.stdout.flush()
        self._bar.update()

    def watch(self) -> None:
        """Refresh the time left: what the chapters cost last time, shared among the workers."""
        left = sum(self._left.values()) / self._parallel - (time.monotonic() - self._since)
        self._bar.set_description_str(f"about {duration(max(left, 1.0))} left")

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


def duration(seconds: float) -> str:
    """``45 s`` or ``2 min 05 s``."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def verdicts(notebook: Path) -> Counter[str]:
    """How often each verdict occurs among the claims of an executed notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = (o for c in cells for o in c.get("outputs", []))
    claims = (o.get("metadata", {}).get(METADATA_KEY) for o in outputs)
    return Counter(c["verdict"] for c in claims if c)


def table(runs: Sequence[Run]) -> str:
    """One line per chapter: what happened and why, its cost, its claims; and the sum."""
    rows: list[list[object]] = []
    for run in runs:
        counted = verdicts(run.notebook) if run.notebook else Counter()
        cost: list[object] = [None] * 5
        if run.status != "not run":
            dear = " !" if run.cpu_seconds > DEAR else ""
            cost = [
                f"{run.cpu_seconds:.1f}{dear}",
                f"{run.peak_mib:.0f}",
                counted[CONFIRMED] + counted[REDUCED],
                counted[UNDECIDED],
                counted[CONTRADICTED],
            ]
        rows.append([run.chapter, run.status, run.reason, *cost])
    total = sum(r.cpu_seconds for r in runs)
    rows.append(["together", None, None, f"{total:.0f}", None, None, None, None])
    heads = ("chapter", "", "why", "CPU s", "peak MiB", "confirmed", "undecided", "contradicted")
    right = ("left", "left", "left", *["right"] * 5)
    text: str = tabulate(
        rows, heads, tablefmt="simple", colalign=right, disable_numparse=True, missingval="-"
    )
    marked = any(r.cpu_seconds > DEAR for r in runs)
    return text + (f"\n! more than {DEAR:.0f} CPU s" if marked else "")


def failures(runs: Sequence[Run]) -> str:
    """The failing cells with their tracebacks, and where the partly executed notebooks are."""
    parts = []
    for run in runs:
        if run.status == "failed":
            where = f"\nExecuted so far: {run.partial}" if run.partial else ""
            parts.append(f"{run.chapter}: {run.error}{where}")
    return "\n\n".join(parts)
