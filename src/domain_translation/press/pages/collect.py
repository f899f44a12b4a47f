"""What the executed notebooks hold for the record: claims and figures."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_translation.notebook import ledger
from domain_translation.notebook.cards import Card
from domain_translation.press.measured import expected
from domain_translation.press.pages.html import slug
from domain_translation.press.pages.statements import Key, Statement, complete
from domain_translation.press.run import Run


@dataclass(frozen=True)
class Placed:
    """A claim and where it stands: the id `anchor` on the page of `chapter`.

    `stale` says that the chapter's code has changed since.
    """

    claim: ledger.Claim
    chapter: str
    anchor: str
    profile: str
    stale: bool


@dataclass(frozen=True)
class Picture:
    """A numbered figure of a chapter: its label, words, inventory rows and PNG bytes."""

    name: str
    caption: str
    alt: str
    classes: str
    rows: tuple[str, ...]
    chapter: str
    png: bytes


@dataclass(frozen=True)
class Chapter:
    """A chapter's run with its claims and figures, in the order of the text.

    `expected` is how many of its measurements lie where the other seeds of its card expect them;
    None without a card.
    """

    run: Run
    claims: tuple[Placed, ...]
    pictures: tuple[Picture, ...]
    expected: int | None = None


def collect(run: Run, known: Mapping[Key, Statement], card: Card | None = None) -> Chapter:
    """Read the executed notebook of `run`; without one there are no claims and no figures.

    `known` are the statements of its claims, `card` is that of its seeds.
    """
    if run.notebook is None:
        return Chapter(run, (), ())
    cells = json.loads(run.notebook.read_text(encoding="utf-8"))["cells"]
    anchors = Anchors()
    claims = [
        Placed(claim, run.chapter, anchors.next(claim), run.profile, run.stale)
        for cell in cells
        for output in cell.get("outputs", ())
        if (claim := claim_of(output, known)) is not None
    ]
    inside = sum(expected(card, arm, name, value) for arm, name, value, *_ in run.measured)
    return Chapter(run, tuple(claims), tuple(_pictures(run, cells)), inside if card else None)


class Anchors:
    """Ids for the claims of one page, unique and stable as long as their order is."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def next(self, claim: ledger.Claim) -> str:
        """The id of the next claim on the page."""
        words = [claim.rows[0], claim.aspect] if claim.aspect else [claim.rows[0]]
        name = f"claim-{slug(' '.join(words))}"
        self._used[name] = self._used.get(name, 0) + 1
        return name if self._used[name] == 1 else f"{name}-{self._used[name]}"


def claim_of(output: Mapping[str, Any], known: Mapping[Key, Statement]) -> ledger.Claim | None:
    """The claim that a display output carries in its metadata, if it carries one."""
    record = output.get("metadata", {}).get(ledger.METADATA_KEY)
    return complete(ledger.Claim.read(record), known) if record else None


def _pictures(run: Run, cells: Sequence[Mapping[str, Any]]) -> Iterator[Picture]:
    for cell in cells:
        metadata = cell.get("metadata", {})
        options = metadata.get("mystnb", {})
        figure, image = options.get("figure"), options.get("image", {})
        png = next((p for o in cell.get("outputs", ()) if (p := _png(o))), None)
        if not figure or not figure.get("name") or png is None:
            continue
        yield Picture(
            name=str(figure["name"]),
            caption=" ".join(str(figure.get("caption", "")).split()),
            alt=str(image.get("alt", "")),
            classes=str(image.get("classes", "")),
            rows=tuple(metadata.get("rows", ())),
            chapter=run.chapter,
            png=png,
        )


def _png(output: Mapping[str, Any]) -> bytes | None:
    data = output.get("data", {}).get("image/png")
    return base64.b64decode("".join(data)) if data else None
