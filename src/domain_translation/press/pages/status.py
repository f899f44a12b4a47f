"""The page "How this book was run": what every chapter cost, and on what."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from html import escape
from pathlib import Path

from domain_translation import ledger
from domain_translation.press.pages.collect import Chapter
from domain_translation.press.pages.html import link, number, raw

HERE = "record/status"

INTRODUCTION = """(status)=
# How this book was run

Every chapter is a program. The table says what its latest execution cost; the key is the
beginning of a hash over the chapter's text, the package modules that it imports, its parameters,
its data and the pinned environment, and a chapter runs again exactly when its key changes.
"""


def page(chapters: Sequence[Chapter]) -> str:
    """MyST text of the page."""
    parts = [INTRODUCTION, raw(_chapters(chapters)), "## Machine\n", raw(_pairs(machine()))]
    if versions := _versions(chapters):
        parts += ["## Versions\n", raw(_pairs(versions))]
    for chapter in chapters:
        if chapter.run.error:
            parts += [f"## What failed in {chapter.run.chapter}\n", raw(_error(chapter))]
    return "\n".join(parts)


def _chapters(chapters: Sequence[Chapter]) -> str:
    names = ("Chapter", "status", "time", "peak memory", "checks held", "profile", "key")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    lines = ""
    for c in chapters:
        run = c.run
        state = run.status + (" (stale)" if run.stale else "")
        title = f'<a href="{link(HERE, run.chapter)}">{escape(run.title)}</a>'
        ran = run.notebook is not None
        cells = [
            f'<span title="{escape(run.reason, quote=True)}">{state}</span>',
            f"{run.seconds:.1f} s" if ran else "–",
            f"{number(round(run.peak_mib))} MiB" if ran and run.peak_mib else "–",
            _held(c) if ran else "–",
            escape(run.profile),
            f"<code>{run.key[:10]}</code>" if run.key else "–",
        ]
        lines += _line(f'<th scope="row">{title}</th>', names[1:], cells)
    total = sum(c.run.seconds for c in chapters)
    peak = max((c.run.peak_mib for c in chapters), default=0.0)
    held = _held(*chapters)
    cells = ["", f"{total:.1f} s", f"{number(round(peak))} MiB", held, "", ""]
    lines += _line('<th scope="row">All chapters</th>', names[1:], cells)
    return (
        '<table class="table status" role="table"><thead>'
        f'<tr role="row">{head}</tr></thead><tbody>{lines}</tbody></table>'
    )


def _line(first: str, names: Sequence[str], cells: Sequence[str]) -> str:
    tds = "".join(
        f'<td role="cell" data-label="{name}">{cell}</td>'
        for name, cell in zip(names, cells, strict=True)
    )
    return f'<tr role="row">{first}{tds}</tr>'


def _held(*chapters: Chapter) -> str:
    verdicts = [p.claim.verdict for c in chapters for p in c.claims]
    run = [v for v in verdicts if v != ledger.NOT_RUN]
    good = [v for v in run if v != ledger.NOT_CONFIRMED]
    return f"{len(good)} of {len(run)}" if run else "–"


def _pairs(pairs: dict[str, str]) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
        for name, value in pairs.items()
    )
    return f'<table class="table pairs"><tbody>{lines}</tbody></table>'


def _versions(chapters: Sequence[Chapter]) -> dict[str, str]:
    """Versions by package; where chapters ran under different ones, all of them."""
    found: dict[str, dict[str, None]] = {}
    for chapter in chapters:
        for name, version in chapter.run.versions.items():
            found.setdefault(name, {})[version] = None
    return {name: ", ".join(found[name]) for name in sorted(found, key=str.lower)}


def _error(chapter: Chapter) -> str:
    return f"<pre>{escape(chapter.run.error)}</pre>"


def machine() -> dict[str, str]:
    """Processor, cores, memory and system of this machine, in words."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "Processor": _processor(),
        "Cores": str(cores),
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
