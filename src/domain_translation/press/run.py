"""What became of one chapter in one build: the record that report, pages and stage share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Status = Literal["ran", "cached", "failed", "not run"]


@dataclass(frozen=True)
class Run:
    """The latest execution of a chapter, fresh or taken from the cache.

    Attributes:
        chapter: name as on the command line, e.g. ``cooling/langevin``; its text is
            ``book/<chapter>.md``.
        title: the chapter's first heading, as plain text.
        status: what this build did.
        reason: why, e.g. ``text changed``, ``module langevin changed``, ``forced``.
        key: content key (hex sha256) of the executed notebook, "" if there is none.
        seconds: wall time of the execution (also of a cached one).
        peak_mib: largest resident memory of the process tree, MiB.
        notebook: the executed notebook, None if there is none.
        versions: python and package versions that the execution used.
        profile: ``quick``, ``full`` or ``paper``.
        stale: whether the notebook was executed from an older state of its ingredients.
        error: the failing cell and its traceback, "" unless `status` is ``failed``.
    """

    chapter: str
    title: str
    status: Status
    reason: str
    key: str
    seconds: float
    peak_mib: float
    notebook: Path | None
    versions: dict[str, str] = field(default_factory=dict)
    profile: str = "quick"
    stale: bool = False
    error: str = ""
