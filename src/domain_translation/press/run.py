"""What became of one chapter in one build: the record that report, pages and stage share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

DEAR = 45.0  # CPU seconds above which a chapter is marked
# CPU seconds that a chapter may compute; the quick profile promises at most 45.
LIMITS = {"quick": 600.0, "full": 12 * 3600.0, "paper": 14 * 24 * 3600.0}

Status = Literal["ran", "cached", "failed", "not run"]


@dataclass(frozen=True)
class Run:
    """The latest execution of a chapter, fresh or taken from the cache.

    Attributes:
        chapter: name as on the command line, e.g. ``cooling/langevin``; its text is
            ``book/<chapter>.md``.
        title: the chapter's first heading, as plain text.
        status: what this build did.
        reason: why, e.g. ``code cells changed``, ``module langevin.py changed``, ``forced``.
        key: content key (hex sha256) of the executed notebook, "" if there is none.
        cpu_seconds: processor time of the kernel and what it started (also of a cached run).
        wall_seconds: from the start of that execution to its end.
        peak_mib: largest resident memory of one of its processes, MiB.
        notebook: the executed notebook, of a failed chapter its last good one; None if there
            is none.
        versions: python and package versions that the execution used.
        profile: ``quick``, ``full`` or ``paper``.
        stale: whether the notebook was executed from an older state of its ingredients.
        finished: when the notebook was executed, seconds since the epoch; 0 if there is none.
        error: the failing cell and its traceback, "" unless `status` is ``failed``.
        partial: what a failed chapter had computed; None if nothing.
        measured: arm, name, value, networks and error of each measurement.
    """

    chapter: str
    title: str
    status: Status
    reason: str = ""
    key: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_mib: float = 0.0
    notebook: Path | None = None
    versions: dict[str, str] = field(default_factory=dict)
    profile: str = "quick"
    stale: bool = False
    finished: float = 0.0
    error: str = ""
    partial: Path | None = None
    measured: tuple[Any, ...] = ()
