"""Small pieces of HTML that the generated pages share."""

from __future__ import annotations

import posixpath
import re
from html import escape
from typing import Any

from domain_translation import ledger

# Dollar signs hug their formula, so that prices in a quoted sentence stay prices.
_INLINE = re.compile(r"(?<![\\$])\$(?=[^\s$])([^$]*[^\s$\\])\$(?!\d)|`([^`]+)`")

OPEN = "open"
VERDICTS = (ledger.CONFIRMED, ledger.REDUCED, ledger.NOT_CONFIRMED, ledger.NOT_RUN, OPEN)
# The mark keeps the verdict legible without its colour.
_MARKS = dict(zip(VERDICTS, "✓≈✗–○", strict=True))
_CLASSES = dict(
    zip(VERDICTS, ("confirmed", "reduced", "not-confirmed", "not-run", "open"), strict=True)
)


def rich(text: str) -> str:
    """Escaped HTML of a line of text in which ``$...$`` is TeX and ```...``` is code."""
    parts, end = [], 0
    for m in _INLINE.finditer(text):
        parts.append(escape(text[end : m.start()]))
        parts.append(tex(m[1]) if m[1] is not None else f"<code>{escape(m[2])}</code>")
        end = m.end()
    return "".join([*parts, escape(text[end:])])


def tex(formula: str) -> str:
    """A formula in the markup that the book's MathJax looks for."""
    return rf'<span class="math notranslate nohighlight">\({escape(formula)}\)</span>'


def badge(verdict: str, note: str = "") -> str:
    """The coloured, marked pill of a verdict; `note` is appended in plain text."""
    words = escape(verdict) + (f" {escape(note)}" if note else "")
    return f'<span class="verdict v-{css(verdict)}" data-mark="{_MARKS[verdict]}">{words}</span>'


def dot(verdict: str) -> str:
    """The mark of a verdict alone, named for screen readers."""
    return (
        f'<span class="dot v-{css(verdict)}" role="img" aria-label="{escape(verdict)}">'
        f"{_MARKS[verdict]}</span>"
    )


def css(verdict: str) -> str:
    """The verdict as it appears in class names and in the filter's values."""
    return _CLASSES[verdict]


def slug(text: str) -> str:
    """Lower-case letters, digits and dashes: usable as an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def number(value: Any) -> str:
    """A measured value for reading: four significant digits, thousands apart, lists in a row."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(number(v) for v in value)
    return str(value)


def raw(html: str) -> str:
    """HTML as a MyST block."""
    return f"``````{{raw}} html\n{html}\n``````\n"


def row_anchor(row: str) -> str:
    """The id of an inventory row on the ledger page."""
    return f"row-{slug(row)}"


def row_link(row: str, chapter: str) -> str:
    """A link from a page to a row of the ledger, with the row's title as tooltip."""
    title = escape(f"{ledger.inventory()[row].source}: {ledger.inventory()[row].title}", quote=True)
    return f'<a href="{link(chapter, "record/ledger", row_anchor(row))}" title="{title}">{row}</a>'


def link(chapter: str, target: str, anchor: str = "") -> str:
    """Relative address of `target`, as seen from the page of `chapter` (names as in the toc)."""
    path = posixpath.relpath(f"{target}.html", posixpath.dirname(chapter) or ".")
    return path + (f"#{anchor}" if anchor else "")


def row_verdict(verdicts: list[str]) -> str:
    """One verdict for a row: the worst of what was run, `not run`, or `open` without a claim."""
    for verdict in (ledger.NOT_CONFIRMED, ledger.REDUCED, ledger.CONFIRMED, ledger.NOT_RUN):
        if verdict in verdicts:
            return verdict
    return OPEN
