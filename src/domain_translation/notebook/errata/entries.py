"""The list of errata in ``data/errata.toml``: read it, show an entry, compare a number with it."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_translation.files import data_file
from domain_translation.notebook.ledger import inventory

# Keyed in the metadata of a shown entry; the press gives it an anchor and links.
METADATA_KEY = "domain_translation_erratum"


@dataclass(frozen=True)
class Erratum:
    """One entry: what a source prints, how the book reads it, and on what evidence."""

    id: str
    source: str
    rows: tuple[str, ...]
    title: str
    printed: str
    reading: str
    evidence: str
    why: str

    def markdown(self) -> str:
        """The entry for a notebook."""
        return (
            f"**{self.title}** ({', '.join(self.rows)})\n\n"
            f"- *Printed:* {self.printed}\n- *Read as:* {self.reading}\n"
            f"- *Evidence ({self.evidence}):* {self.why}"
        )


@dataclass(frozen=True)
class Substitute:
    """Something that cannot be reproduced in principle, and what stands in for it."""

    item: str
    rows: tuple[str, ...]
    substitute: str


@functools.cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(data_file("errata.toml").read_text(encoding="utf-8"))


def entries() -> Mapping[str, Erratum]:
    """All errata by id, in the order of the file."""
    found = (Erratum(**{**e, "rows": tuple(e["rows"])}) for e in _file()["erratum"])
    return {e.id: e for e in found}


def substitutes() -> tuple[Substitute, ...]:
    """The declared substitutes, in the order of the file."""
    return tuple(Substitute(**{**s, "rows": tuple(s["rows"])}) for s in _file()["substitute"])


def erratum(name: str) -> None:
    """Display an entry as Markdown.

    Raises:
        ValueError: unknown id.
    """
    from IPython.display import display

    if name not in entries():
        raise ValueError(f"unknown erratum {name!r}; the ids are in data/errata.toml")
    text = entries()[name].markdown()
    bundle = {"text/markdown": text, "text/plain": text}
    display(bundle, raw=True, metadata={METADATA_KEY: name})  # type: ignore[no-untyped-call]


def show_substitutes() -> None:
    """Display the table of substitutes as Markdown."""
    from IPython.display import Markdown, display

    lines = ["| item | source | substitute |", "|---|---|---|"]
    for s in substitutes():
        names = dict.fromkeys(inventory()[row].source for row in s.rows)
        lines.append(f"| {s.item} | {', '.join(names)} | {s.substitute} |")
    display(Markdown("\n".join(lines)))  # type: ignore[no-untyped-call]


def expect(what: str, computed: Any, expected: Any, *, tolerance: float = 0.0) -> None:
    """Print what was computed, or stop the chapter when it is not what the erratum says.

    Numbers are compared within an absolute `tolerance` (0: exactly) and printed as expected,
    so that a rerun prints the same; sequences are compared item by item.

    Raises:
        AssertionError: the numbers differ.
    """
    pairs = list(zip(_flat(computed), _flat(expected), strict=True))
    for c, e in pairs:
        if abs(c - e) > tolerance:
            raise AssertionError(f"{what}: computed {computed}, expected {expected}")
    words = ", ".join(_number(e) for _, e in pairs)
    margin = f" (± {tolerance:g})" if tolerance >= 1e-3 else ""  # finer ones are rounding
    print(f"{what}: {words}{margin}")


def _flat(values: Any) -> list[float]:
    if isinstance(values, Sequence):
        return [v for item in values for v in _flat(item)]
    return [values]


def _number(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
