"""The ledger: what the sources say, row by row, against what the book measured.

`data/inventory.csv` lists every equation, theorem, figure, table and claim of the five
sources. A chapter states its result for a row with `claim`; the build collects all claims
of the executed notebooks into the ledger page. A claim is a display output whose *text* is
rounded and stable (it is what continuous integration compares) and whose *metadata* hold
the full-precision numbers of that run (they are what the page shows).
"""

from __future__ import annotations

import csv
import difflib
import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

CONFIRMED = "confirmed"
REDUCED = "confirmed at reduced scale"
NOT_CONFIRMED = "not confirmed"
NOT_RUN = "not run"

# Keyed in the metadata of a claim's display output; the press reads it back.
METADATA_KEY = "domain_translation_claim"

SOURCES = {
    "000": "L-Cool",
    "001": "ImproveIT",
    "002": "CF-EBM",
    "003": "Lecture",
    "004": "JD-BW",
}


@dataclass(frozen=True)
class Row:
    """One item of a source, as listed in `data/inventory.csv`."""

    id: str
    seed: str
    kind: str
    title: str
    content: str
    needs: str
    section: str
    note: str

    @property
    def source(self) -> str:
        """Short name of the source, e.g. ``L-Cool``."""
        return SOURCES[self.seed]


def data_file(name: str) -> Traversable:
    """A file of the repository's `data/` folder: shipped inside the wheel, in place in a checkout.

    What was asked for is announced as an audit event, so that the press learns what a chapter
    depends on: safetensors, for one, opens files without an event of its own.

    Raises FileNotFoundError when neither holds it.
    """
    sys.audit("domain_translation.data_file", name)
    packaged = resources.files("domain_translation") / "_data" / name
    if packaged.is_file():
        return packaged
    checkout = Path(__file__).resolve().parents[2] / "data" / name
    if checkout.is_file():
        return checkout
    raise FileNotFoundError(
        f"data file {name!r} is missing from this installation; reinstall domain-translation"
    )


@functools.cache
def inventory() -> Mapping[str, Row]:
    """All rows of the sources by id, in the order of the file.

    Raises ValueError where the file is damaged.
    """
    return parse_inventory(data_file("inventory.csv").read_text(encoding="utf-8"))


def parse_inventory(text: str) -> Mapping[str, Row]:
    """Rows by id from the text of `inventory.csv`.

    Raises:
        ValueError: another header than the fields of `Row`, a line with too few or too many
            fields, an unknown source, or an id that occurs twice.
    """
    names = [f.name for f in fields(Row)]
    reader = csv.reader(text.splitlines())
    rows: dict[str, Row] = {}
    wrong = next(reader, []) != names
    for values in reader:
        wrong = wrong or len(values) != len(names) or values[1] not in SOURCES or values[0] in rows
        if wrong:
            break
        rows[values[0]] = Row(*values)
    if wrong or not rows:
        raise ValueError(
            f"data/inventory.csv is damaged at line {reader.line_num}: each line needs the fields "
            f"{', '.join(names)}, with an id of its own; restore the file or reinstall"
        )
    return rows


def _known(ids: str | Sequence[str]) -> tuple[str, ...]:
    ids = (ids,) if isinstance(ids, str) else tuple(ids)
    for i in ids:
        if i not in inventory():
            near = difflib.get_close_matches(i, inventory(), n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise ValueError(f"unknown inventory row {i!r}{hint}")
    return ids


@dataclass(frozen=True)
class Claim:
    """A chapter's result for one or more rows of the inventory."""

    rows: tuple[str, ...]
    statement: str
    source: str
    ours: str
    verdict: str
    aspect: str
    measured: Mapping[str, Any]
    note: str

    def text(self) -> str:
        """The stable text that the paired notebook keeps and CI compares."""
        rows = ", ".join(self.rows) + (f" ({self.aspect})" if self.aspect else "")
        lines = [f"{self.verdict.upper()}  {rows}", self.statement]
        lines += [f"  source: {self.source}", f"  ours:   {self.ours}"]
        return "\n".join(lines + ([f"  note:   {self.note}"] if self.note else []))


def claim(
    rows: str | Sequence[str],
    statement: str,
    *,
    source: float | str,
    ours: float | str,
    tolerance: float | None = None,
    holds: bool | None = None,
    reduced: bool = False,
    aspect: str = "",
    measured: Mapping[str, Any] | None = None,
    note: str = "",
) -> None:
    """State and display the book's result for rows of the inventory.

    Two numbers are compared within an absolute `tolerance` (same unit as the numbers); for a
    relation, pass words (or numbers) for `source` and `ours` and whether it `holds`.

    Args:
        rows: inventory id or ids.
        statement: one sentence: what is claimed, in the book's notation.
        source: the source's value or relation; numbers are printed with 4 significant digits.
        ours: our value, or words rounded so far that a rerun prints the same.
        tolerance: largest |ours - source| that confirms a numeric claim.
        holds: whether a relation was found true; computed by the caller from measurements.
        reduced: the source's setting was scaled down (data, width, steps).
        aspect: tells several results for one row apart, e.g. ``toy`` and ``digits``.
        measured: full-precision numbers of this run, shown in the book, not compared by CI.
        note: what a reader must know to read the verdict.

    Raises:
        ValueError: unknown row; neither or both of `tolerance` and `holds`; a tolerance
            without two numbers.
    """
    if (tolerance is None) == (holds is None):
        raise ValueError(f"claim {rows}: give either tolerance= (two numbers) or holds= (relation)")
    if tolerance is not None:
        if isinstance(source, str) or isinstance(ours, str):
            raise ValueError(f"claim {rows}: a tolerance needs numbers for source= and ours=")
        holds = abs(float(ours) - float(source)) <= tolerance
        measured = {"ours": float(ours), **(measured or {})}
        places = f" (within {tolerance:g})" if holds else f" (differs by more than {tolerance:g})"
        shown = "as the source" + places if holds else f"{ours:.2g}" + places
    else:
        shown = ours if isinstance(ours, str) else f"{ours:.4g}"
    verdict = NOT_CONFIRMED if not holds else REDUCED if reduced else CONFIRMED
    said = source if isinstance(source, str) else f"{source:.4g}"
    numbers = _plain(measured or {})
    _show(Claim(_known(rows), statement, said, shown, verdict, aspect, numbers, note))


def not_run(rows: str | Sequence[str], statement: str, *, source: str, needs: str) -> None:
    """Record that rows were not run, and what running them would need."""
    _show(Claim(_known(rows), statement, source, f"needs {needs}", NOT_RUN, "", {}, ""))


def _plain(value: Any) -> Any:
    """Tensors and arrays, nested ones too, as the numbers and lists that JSON knows."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _show(c: Claim) -> None:
    from IPython.display import display

    record = {**c.__dict__, "rows": list(c.rows)}
    bundle = {"text/plain": c.text()}
    display(bundle, raw=True, metadata={METADATA_KEY: record})  # type: ignore[no-untyped-call]
