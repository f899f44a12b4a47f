"""The rows of the ledger: the items of the five sources, and what the book found beside them."""

from __future__ import annotations

import csv
import difflib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from domain_translation.files import data_file

SOURCES = {
    "000": "L-Cool",
    "001": "ImproveIT",
    "002": "CF-EBM",
    "003": "Lecture",
    "004": "JD-BW",
    "book": "Book",
}


@dataclass(frozen=True)
class Row:
    """One item of a source, or a finding of the book."""

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

    @property
    def ours(self) -> bool:
        """Whether the book says it, and no source: a finding, or what is derived from a source."""
        return self.seed == "book" or self.title.startswith("DERIVED")


@functools.cache
def inventory() -> Mapping[str, Row]:
    """All rows of the sources by id, in the order of the file.

    Raises ValueError where the file is damaged.
    """
    return parse_inventory(data_file("inventory.csv").read_text(encoding="utf-8"))


@functools.cache
def findings() -> Mapping[str, Row]:
    """What the book found beside its sources, by id.

    Raises ValueError where the file is damaged.
    """
    return parse_inventory(data_file("findings.csv").read_text(encoding="utf-8"), "findings.csv")


@functools.cache
def every_row() -> Mapping[str, Row]:
    """The rows of the sources, then the findings of the book."""
    return {**inventory(), **findings()}


def parse_inventory(text: str, name: str = "inventory.csv") -> Mapping[str, Row]:
    """Rows by id from the text of `data/<name>`.

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
            f"data/{name} is damaged at line {reader.line_num}: each line needs the fields "
            f"{', '.join(names)}, with an id of its own; restore the file or reinstall"
        )
    return rows


def known(ids: str | Sequence[str]) -> tuple[str, ...]:
    """The ids, if rows of the sources or findings have them; ValueError otherwise."""
    ids = (ids,) if isinstance(ids, str) else tuple(ids)
    for i in ids:
        if i not in every_row():
            near = difflib.get_close_matches(i, every_row(), n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise ValueError(f"unknown inventory row {i!r}{hint}")
    return ids
