"""What a claim cell found: the text that is compared, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain_translation.notebook.criteria import NOT_RUN, SIGNS, UNDECIDED


@dataclass(frozen=True)
class Mark:
    """What one criterion says, and the numbers behind it.

    Attributes:
        sentence: what it is about.
        said: holds, fails or cannot tell.
        how: how exact evidence is known; "" where there are numbers.
        low, high: between which the number is wanted; None: unlimited.
        numbers: value, low, high, n, seeds, card and its origin, of each estimate.
        smallest: of an undecided one, the smallest effect that the run could have seen.
    """

    sentence: str
    said: str
    how: str = ""
    low: float | None = None
    high: float | None = None
    numbers: Sequence[Mapping[str, Any]] = ()
    smallest: float | None = None


@dataclass(frozen=True)
class Claim:
    """What a chapter found for one or more rows.

    Attributes:
        rows: ids.
        verdict: one of six words.
        aspect: tells several claims about one row apart.
        scale: at which it was found; `AS_STATED` or what was smaller.
        criteria, given: what it was judged by, and on which conditions.
        needs: what would decide it.
        measured: numbers of this run, and of the card, to look at.
        statement, source: what is claimed, and the source's words; the build adds both.
    """

    rows: tuple[str, ...]
    verdict: str
    aspect: str = ""
    scale: str = ""
    criteria: tuple[Mark, ...] = ()
    given: tuple[Mark, ...] = ()
    needs: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    statement: str = ""
    source: str = ""

    def text(self) -> str:
        """The stable text that the paired notebook keeps and CI compares."""
        rows = ", ".join(self.rows) + (f" ({self.aspect})" if self.aspect else "")
        lines = [f"{self.verdict.upper()}  {rows}"]
        lines += [f"  scale: {self.scale}"] if self.scale else []
        lines += [f"  given {SIGNS[m.said]} {m.sentence}" for m in self.given]
        lines += [f"  {SIGNS[m.said]} {m.sentence}" for m in self.criteria]
        undecided = self.verdict in (UNDECIDED, NOT_RUN)
        return "\n".join(lines + ([f"  needs: {self.needs}"] if undecided else []))

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Claim:
        """The claim of an output's metadata."""
        marks = {k: tuple(Mark(**m) for m in record.get(k, ())) for k in ("criteria", "given")}
        return cls(**{**record, **marks, "rows": tuple(record["rows"])})
