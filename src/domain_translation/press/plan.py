"""Decide, chapter by chapter, what to execute and what the cache already holds."""

from __future__ import annotations

import ast
import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from domain_translation.press import cache
from domain_translation.press.book import PROFILES, Book, Chapter, unknown
from domain_translation.press.execute import Execution
from domain_translation.press.execute import versions as reported
from domain_translation.press.files import PressError, RequestError, atomic_write, digest
from domain_translation.press.key import Files, Ingredients, ingredients, look, versions
from domain_translation.press.run import Run
from domain_translation.press.runner import Job


@dataclass(frozen=True)
class Wish:
    """What the caller asked for; `only` empty means every chapter.

    With `wheel`, chapters run from the built wheel, and only such runs count.
    """

    profile: str = "quick"
    only: tuple[str, ...] = ()
    force: bool = False
    overrides: tuple[tuple[str, Any], ...] = ()
    wheel: bool = False


@dataclass(frozen=True)
class Plan:
    """Chapters to execute, the runs that need no execution, and the files as they are now."""

    jobs: tuple[Job, ...]
    kept: tuple[Run, ...]
    files: Files


def plan(book: Book, wish: Wish) -> Plan:
    """Compare every chapter's ingredients with its kept runs.

    Raises:
        RequestError: unknown profile, chapter or parameter.
    """
    if wish.profile not in PROFILES:
        raise RequestError(unknown("profile", wish.profile, PROFILES))
    selected = book.select(wish.only)
    if not selected:
        raise PressError("the table of contents (_toc.yml) names no chapter: nothing to run")
    for chapter in selected:
        _check_names(chapter, [name for name, _ in wish.overrides])
    files, known = look(book), versions(book)
    costs = benchmark(book) if wish.profile == "quick" else {}
    jobs: list[Job] = []
    kept: list[Run] = []
    for chapter in book.chapters:
        chosen = chapter in selected
        parameters = {"profile": wish.profile, **(dict(wish.overrides) if chosen else {})}
        cards = cache.cards(book, wish.profile, chapter.name)
        usable = [c for c in cards if c.wheel or not wish.wheel]
        found = {c.key: _now(chapter, parameters, files, known, c) for c in usable}
        same = next((c for c in usable if c.key == found[c.key].key), None)
        changes = found[usable[0].key].changes_since(usable[0].ingredients) if usable else ""
        reason = changes or ("sources changed during its last run" if usable else "never run")
        if same and not (wish.force and chosen):
            kept.append(_record(book, chapter, same, "nothing changed"))
        elif chosen:
            cost = cards[0].cpu_seconds if cards else costs.get(chapter.name, math.nan)
            jobs.append(Job(chapter, parameters, "forced" if same else reason, cost))
        elif usable:
            said = f"not chosen; stale: {reason}"
            kept.append(replace(_record(book, chapter, usable[0], said), stale=True))
        else:
            kept.append(missing(chapter, wish.profile, "not chosen; never run"))
    return Plan(tuple(jobs), tuple(kept), files)


def keep(book: Book, job: Job, execution: Execution, wish: Wish, before: Files) -> Run:
    """File an execution: in the cache if it succeeded, under ``_build/failed/`` if not."""
    if execution.error:
        return failed(book, job, execution, wish.profile)
    used, known = (execution.modules, execution.data), versions(book)
    made_of = ingredients(job.chapter, job.parameters, before, known, *used)
    key = made_of.key
    if made_of != ingredients(job.chapter, job.parameters, look(book, *used), known, *used):
        # No one can say which state the kernel saw: a key that never matches runs it again.
        key = digest(f"{key} {time.time()}")
    card = cache.Card(
        chapter=job.chapter.name,
        profile=wish.profile,
        key=key,
        reason=job.reason,
        cpu_seconds=round(execution.cpu_seconds, 2),
        wall_seconds=round(execution.wall_seconds, 2),
        peak_mib=round(execution.peak_mib, 1),
        finished=time.time(),
        wheel=wish.wheel,
        ingredients=asdict(made_of),
        versions=reported(),
        measured=list(execution.measured),
    )
    cache.keep(book, card, execution.notebook)
    return replace(_record(book, job.chapter, card, job.reason), status="ran")


def failed(book: Book, job: Job, execution: Execution, profile: str) -> Run:
    """The record of a failed chapter: its last good run, and what it had computed, to look at."""
    chapter, partial = job.chapter, None
    if execution.notebook:
        partial = book.build / "failed" / f"{chapter.name}.ipynb"
        atomic_write(partial, execution.notebook)
    good = cache.cards(book, profile, chapter.name)
    run = _record(book, chapter, good[0], "") if good else missing(chapter, profile, "")
    return replace(
        run,
        status="failed",
        reason=job.reason,
        stale=bool(good),
        cpu_seconds=execution.cpu_seconds,
        wall_seconds=execution.wall_seconds,
        peak_mib=execution.peak_mib,
        error=execution.error,
        partial=partial,
    )


def missing(chapter: Chapter, profile: str, reason: str) -> Run:
    """The record of a chapter without any execution."""
    return Run(chapter.name, chapter.title, "not run", reason, profile=profile)


def benchmark(book: Book) -> dict[str, float]:
    """CPU seconds of every chapter from ``benchmarks/book.md``: what a fresh clone can expect."""
    path = book.root / "benchmarks" / "book.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    rows = re.findall(r"^\| *([\w/]+/\w+) *\| *(\d+(?:\.\d+)?) *\|", text, re.MULTILINE)
    return {name: float(seconds) for name, seconds in rows}


def _now(
    chapter: Chapter,
    parameters: Mapping[str, Any],
    files: Files,
    known: Mapping[str, str],
    card: cache.Card,
) -> Ingredients:
    """The present state of what a kept run was made from."""
    used = (card.ingredients.get("modules", {}), card.ingredients.get("data", {}))
    return ingredients(chapter, parameters, files, known, *used)


def _record(book: Book, chapter: Chapter, card: cache.Card, reason: str) -> Run:
    """The record of a kept run."""
    return Run(
        chapter=chapter.name,
        title=chapter.title,
        status="cached",
        reason=reason,
        key=card.key,
        cpu_seconds=card.cpu_seconds,
        wall_seconds=card.wall_seconds,
        peak_mib=card.peak_mib,
        notebook=cache.notebook_path(book, card),
        versions=card.versions,
        profile=card.profile,
        finished=card.finished,
        measured=tuple(card.measured),
    )


def read_override(text: str) -> tuple[str, Any]:
    """``name=value`` with a Python literal, or else a plain word, as value.

    Raises:
        RequestError: no ``=``, no name, or a value that JSON cannot hold.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise RequestError(f"parameter {text!r} is not of the form name=value, e.g. -p seed=1")
    try:
        return name, json.loads(json.dumps(ast.literal_eval(value)))
    except (ValueError, SyntaxError):
        return name, value
    except TypeError as error:
        raise RequestError(f"parameter {name}: {value} is neither number, text nor list") from error


def _check_names(chapter: Chapter, names: Sequence[str]) -> None:
    known = [n for n in chapter.parameters if n != "profile"]
    for name in names:
        if name == "profile":
            raise RequestError("the profile is chosen with --profile, not with -p")
        if name not in known:
            raise RequestError(f"chapter {chapter.name}: {unknown('parameter', name, known)}")
