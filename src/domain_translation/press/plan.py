"""Decide, chapter by chapter, what to execute and what the cache already holds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_translation.press import cache
from domain_translation.press.book import PROFILES, Book, Chapter, unknown
from domain_translation.press.files import PressError, RequestError
from domain_translation.press.key import ingredients
from domain_translation.press.run import Run
from domain_translation.press.runner import Job, Outcome


@dataclass(frozen=True)
class Wish:
    """What the caller asked for; `only` empty means every chapter."""

    profile: str = "quick"
    only: tuple[str, ...] = ()
    force: bool = False
    overrides: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Plan:
    """Chapters to execute, and the runs that need no execution."""

    jobs: tuple[Job, ...]
    kept: tuple[Run, ...]


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
    jobs: list[Job] = []
    kept: list[Run] = []
    for chapter in book.chapters:
        chosen = chapter in selected
        overrides = dict(wish.overrides) if chosen else {}
        step = _decide(book, chapter, wish.profile, overrides, wish.force and chosen, chosen)
        (jobs if isinstance(step, Job) else kept).append(step)  # type: ignore[arg-type]
    return Plan(tuple(jobs), tuple(kept))


def _decide(
    book: Book,
    chapter: Chapter,
    profile: str,
    overrides: Mapping[str, Any],
    force: bool,
    chosen: bool,
) -> Job | Run:
    """A job if the chapter is chosen and needs one, else the run that stands for it."""
    parameters = {"profile": profile, **overrides}
    now = ingredients(book, chapter, parameters)
    kept = cache.cards(book, profile, chapter.name)
    same = next((c for c in kept if c.key == now.key), None)
    if same and not force:
        return from_card(book, chapter, same, "cached", "nothing changed")
    expected = kept[0].seconds if kept else math.nan
    changes = now.changes_since(kept[0].ingredients) if kept else "never run"
    reason = "forced" if force else changes or "sources changed during its last run"
    if chosen:
        return Job(chapter, parameters, now, reason, expected)
    if kept:
        return from_card(book, chapter, kept[0], "cached", f"not chosen; stale: {reason}", True)
    return missing(chapter, profile, "not chosen; never run")


def from_card(
    book: Book, chapter: Chapter, card: cache.Card, status: Any, reason: str, stale: bool = False
) -> Run:
    """The record of a kept run."""
    return Run(
        chapter=chapter.name,
        title=chapter.title,
        status=status,
        reason=reason,
        key=card.key,
        seconds=card.seconds,
        peak_mib=card.peak_mib,
        notebook=cache.notebook_path(book, card),
        versions=card.versions,
        profile=card.profile,
        stale=stale,
    )


def missing(chapter: Chapter, profile: str, reason: str) -> Run:
    """The record of a chapter without any execution."""
    return Run(chapter.name, chapter.title, "not run", reason, "", 0.0, 0.0, None, profile=profile)


def keep(book: Book, outcome: Outcome, profile: str) -> Run:
    """File an execution: in the cache if it succeeded, under ``_build/failed/`` if not."""
    job = outcome.job
    if outcome.error:
        return _failed(book, outcome, profile)
    card = cache.keep(
        book,
        job.chapter.name,
        profile,
        job.ingredients,
        ingredients(Book(book.root), job.chapter, job.parameters),
        outcome.notebook,
        reason=job.reason,
        seconds=round(outcome.seconds, 2),
        peak_mib=round(outcome.peak_mib, 1),
        versions=outcome.versions,
    )
    return from_card(book, job.chapter, card, "ran", job.reason)


def has_run(book: Book, job: Job, profile: str) -> bool:
    """Whether the cache holds what the job would make."""
    return any(c.key == job.ingredients.key for c in cache.cards(book, profile, job.chapter.name))


def _failed(book: Book, outcome: Outcome, profile: str) -> Run:
    """Keep what a failed chapter had computed, to be looked at."""
    from domain_translation.press.files import atomic_write

    chapter = outcome.job.chapter
    path = None
    if outcome.notebook:
        path = book.build / "failed" / f"{chapter.name}.ipynb"
        atomic_write(path, outcome.notebook)
    return Run(
        chapter=chapter.name,
        title=chapter.title,
        status="failed",
        reason=outcome.job.reason,
        key="",
        seconds=outcome.seconds,
        peak_mib=outcome.peak_mib,
        notebook=path,
        profile=profile,
        error=outcome.error,
    )


def read_override(text: str) -> tuple[str, Any]:
    """``name=value`` with a Python literal, or else a plain word, as value.

    Raises:
        RequestError: no ``=``, no name, or a value that JSON cannot hold.
    """
    import ast

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
