"""What the terminal shows: progress while chapters run, a table at the end."""

from __future__ import annotations

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from domain_translation.ledger import CONFIRMED, METADATA_KEY, NOT_CONFIRMED, REDUCED
from domain_translation.press.run import Run
from domain_translation.press.runner import Job

GUESS = 30.0  # seconds for a chapter that never ran


class Progress:
    """A bar with the time left on a terminal, one plain line per event elsewhere."""

    def __init__(self, jobs: Sequence[Job], parallel: int) -> None:
        self._expected = {
            j.chapter.name: GUESS if math.isnan(j.expected) else j.expected for j in jobs
        }
        self._parallel = parallel
        self._bar = tqdm(
            total=len(jobs),
            disable=not (jobs and sys.stderr.isatty()),
            bar_format="{n_fmt}/{total_fmt} |{bar:20}| {elapsed} gone, {desc}",
            leave=False,
        )

    def finished(self, run: Run) -> None:
        """One chapter has ended."""
        self.say(
            f"{run.chapter}: {run.status} in {run.seconds:.1f} s ({run.reason})"
            if run.status == "ran"
            else f"{run.chapter}: FAILED after {run.seconds:.1f} s"
        )
        self._bar.update()

    def watch(self, running: Mapping[str, float], waiting: Sequence[Job]) -> None:
        """Refresh the time left: what the chapters took last time, shared among the workers."""
        left = [max(self._expected[name] - gone, 1.0) for name, gone in running.items()]
        left += [self._expected[j.chapter.name] for j in waiting]
        seconds = max(sum(left) / self._parallel, max(left, default=0.0))
        self._bar.set_description_str(f"about {duration(seconds)} left: {', '.join(running)}")

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()


class Ticker:
    """A line with the seconds gone by while a single long step runs; silent off a terminal."""

    def __init__(self, what: str) -> None:
        self._what, self._start, self._shown = what, time.monotonic(), ""

    def __call__(self) -> None:
        line = f"\r{self._what} ({duration(time.monotonic() - self._start)}) "
        if sys.stderr.isatty() and line != self._shown:
            print(line, end="", file=sys.stderr, flush=True)
            self._shown = line

    def close(self) -> None:
        """Take the line away."""
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


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
    """One line per chapter: what happened and why, cost, claims."""
    rows = [("chapter", "", "why", "seconds", "peak MiB", "confirmed", "not")]
    for run in runs:
        counted = verdicts(run.notebook) if run.notebook and run.status != "failed" else Counter()
        known = run.status != "not run"
        rows.append(
            (
                run.chapter,
                run.status,
                run.reason,
                f"{run.seconds:.1f}" if known else "-",
                f"{run.peak_mib:.0f}" if known else "-",
                str(counted[CONFIRMED] + counted[REDUCED]) if known else "-",
                str(counted[NOT_CONFIRMED]) if known else "-",
            )
        )
    widths = [max(len(r[k]) for r in rows) for k in range(len(rows[0]))]
    lines = []
    for row in rows:
        left = [cell.ljust(w) for cell, w in zip(row[:3], widths[:3], strict=True)]
        right = [cell.rjust(w) for cell, w in zip(row[3:], widths[3:], strict=True)]
        lines.append("  ".join(left + right).rstrip())
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def failures(runs: Sequence[Run]) -> str:
    """The failing cells with their tracebacks, and where the partly executed notebooks are."""
    parts = []
    for run in runs:
        if run.status == "failed":
            where = f"\nExecuted so far: {run.notebook}" if run.notebook else ""
            parts.append(f"{run.chapter}: {run.error}{where}")
    return "\n\n".join(parts)
