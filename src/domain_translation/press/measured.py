"""What a chapter measures, what its card was made from, and whether that has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import pstdev
from typing import Any

from domain_translation.notebook import card_files, machine
from domain_translation.notebook.cards import ROUNDING, Card, CardError
from domain_translation.notebook.code import PRESENTING, code_digest
from domain_translation.press import key
from domain_translation.press.book import Book, Chapter
from domain_translation.press.files import PressError, canonical, digest

MEASURE = "ledger.measure("
# How far a run on another processor may be from the card's, in standard deviations over the seeds.
NEAR, FAR = 0.1, 1.0
FEW = 0.1  # share of the values that may be further than `NEAR`; none further than `FAR`


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


def stored(book: Book, name: str) -> Card | None:
    """A chapter's card as committed; None if there is none.

    Raises:
        PressError: it is damaged.
    """
    path = card_file(book, name)
    try:
        return card_files.read(path.read_text(encoding="utf-8"), str(path.relative_to(book.root)))
    except FileNotFoundError:
        return None
    except CardError as error:
        raise PressError(str(error)) from error


def expected(card: Card | None, arm: str, name: str, value: float) -> bool:
    """Whether a value of seed 0 is one that the other seeds of the card expect."""
    try:
        return card is None or card.predicts((arm, name), value, seed=0)
    except CardError:  # measured since, or by too few seeds
        return False


def reproduced(card: Card, seed: int, measured: Iterable[tuple[Any, ...]]) -> bool:
    """Whether a run of `seed` measured what the card says: the same numbers, where it was made.

    Another processor rounds otherwise, and a training carries that on: there nearly all values stay
    near the card's, against what another seed makes of them.
    """
    then = {(r.arm, r.name): r.value for r in card.rows if r.seed == seed}
    now = {(arm, name): value for arm, name, value, *_ in measured}
    if machine.identity() in card.origin["machine"] or then.keys() != now.keys():
        return then == now
    moved = [_moved(card, key, then[key], now[key]) for key in then]
    return max(moved) <= FAR and sum(m > NEAR for m in moved) <= FEW * len(moved)


def _moved(card: Card, key: tuple[str, str], then: float, now: float) -> float:
    """Distance of two values beyond rounding, in standard deviations over the card's seeds."""
    beyond = abs(now - then) - ROUNDING * max(abs(now), abs(then))
    spread = pstdev(card.values(key).values())
    return beyond / spread if beyond > 0 and spread else float("inf") if beyond > 0 else 0.0


def card_file(book: Book, name: str) -> Path:
    """Where a chapter's card is committed."""
    return book.root / "data" / "cards" / f"{name}.json"


def _measures(cell: Any) -> bool:
    return bool(cell.cell_type == "code" and MEASURE in cell.source)


def _code(path: Path) -> str:
    return code_digest(path.read_text(encoding="utf-8")) if path.is_file() else key.MISSING


def _cell(source: str) -> str:
    try:
        return code_digest(source)
    except SyntaxError:  # an IPython line
        return digest(source)
