"""The page "How this book was run": what every chapter cost, and on what."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence

from domain_translation.notebook import criteria
from domain_translation.notebook.machine import processor
from domain_translation.press.pages.collect import Chapter
from domain_translation.press.pages.failed import failure
from domain_translation.press.pages.html import render
from domain_translation.press.run import DEAR


def page(chapters: Sequence[Chapter]) -> str:
    """MyST text of the page."""
    return render(
        "status.md",
        chapters=chapters,
        failed=[(c.run, failure(c.run)) for c in chapters if c.run.status == "failed"],
        limit=round(DEAR),
        total=sum(c.run.cpu_seconds for c in chapters),
        peak=max((c.run.peak_mib for c in chapters), default=0.0),
        held=_held,
        tables={"Machine": machine(), "Versions": _versions(chapters)},
    )


def _held(chapters: Sequence[Chapter]) -> str:
    verdicts = [p.claim.verdict for c in chapters for p in c.claims]
    judged = [v for v in verdicts if v not in (criteria.NOT_RUN, criteria.RECORDED)]
    good = [v for v in judged if v in (criteria.CONFIRMED, criteria.REDUCED)]
    return f"{len(good)} of {len(judged)}" if judged else "–"


def _versions(chapters: Sequence[Chapter]) -> dict[str, str]:
    """Versions by package; where chapters ran under different ones, all of them."""
    found: dict[str, dict[str, None]] = {}
    for chapter in chapters:
        for name, version in chapter.run.versions.items():
            found.setdefault(name, {})[version] = None
    return {name: ", ".join(found[name]) for name in sorted(found, key=str.lower)}


def machine() -> dict[str, str]:
    """Processor, cores, memory and system of this machine, in words."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "Processor": processor(),
        "Cores": str(cores),
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
