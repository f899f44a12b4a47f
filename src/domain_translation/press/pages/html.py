"""What the templates of the generated pages share: names, links, numbers, inline markup."""

from __future__ import annotations

import functools
import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import jinja2
from markupsafe import Markup, escape

from domain_translation.notebook import criteria, ledger
from domain_translation.notebook.rows import every_row

# Dollar signs hug their formula, so that prices in a quoted sentence stay prices.
_INLINE = re.compile(r"(?<![\\$])\$(?=[^\s$])([^$]*[^\s$\\])\$(?!\d)|`([^`]+)`")

OPEN = "open"
# Of a row: some of its claims are confirmed, others contradicted or undecided.
PARTLY = "confirmed in part"
# With the mark that keeps the verdict legible without its colour, and its name in CSS.
_KNOWN = {
    criteria.CONFIRMED: ("✓", "confirmed"),
    criteria.REDUCED: ("≈", "reduced"),
    PARTLY: ("±", "partly"),
    criteria.UNDECIDED: ("?", "undecided"),
    criteria.CONTRADICTED: ("✗", "contradicted"),
    criteria.NOT_RUN: ("–", "not-run"),
    criteria.RECORDED: ("·", "recorded"),
    OPEN: ("○", "open"),
}
VERDICTS = tuple(_KNOWN)


def render(template: str, **values: Any) -> str:
    """The file ``templates/<template>``, filled in; what is not Markup is escaped."""
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("domain_translation.press.pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "anchor": row_anchor,
        "css": css,
        "fenced": fenced,
        "mark": lambda verdict: _KNOWN[verdict][0],
        "number": number,
        "pattern": pattern,
        "rich": rich,
        "slug": slug,
        "wanted": wanted,
    }
    environment.globals |= {
        "VERDICTS": VERDICTS,
        "NOT_RUN": criteria.NOT_RUN,
        "SIGNS": criteria.SIGNS,
        "UNDECIDED": criteria.UNDECIDED,
        "REDUCED": criteria.REDUCED,
        "inventory": every_row,
        "link": link,
    }
    return environment


def rich(text: str) -> Markup:
    """Escaped HTML of a line of text in which ``$...$`` is TeX and ```...``` is code."""
    parts, end = [], 0
    for m in _INLINE.finditer(text):
        parts.append(escape(text[end : m.start()]))
        parts.append(tex(m[1]) if m[1] is not None else Markup("<code>{}</code>").format(m[2]))
        end = m.end()
    return Markup("").join([*parts, escape(text[end:])])


def tex(formula: str) -> Markup:
    """A formula in the markup that the book's MathJax looks for."""
    return Markup(r'<span class="math notranslate nohighlight">\({}\)</span>').format(formula)


def css(verdict: str) -> str:
    """The verdict as it appears in class names and in the filter's values."""
    return _KNOWN[verdict][1]


def literal(text: str) -> str:
    """A line as inline code of MyST, whatever backticks it holds."""
    ticks = _longer_than_any(text, 1)
    return f"{ticks} {text} {ticks}"


def fenced(text: str) -> str:
    """Lines as a code block of MyST."""
    ticks = _longer_than_any(text, 3)
    return f"{ticks}text\n{text}\n{ticks}"


def _longer_than_any(text: str, least: int) -> str:
    return "`" * max([least, *(len(run) + 1 for run in re.findall("`+", text))])


def slug(text: str) -> str:
    """Lower-case letters, digits and dashes: usable as an id."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def number(value: Any) -> str:
    """A measured value for reading: four significant digits, thousands apart, lists in a row."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(number(v) for v in value)
    return str(value)


def wanted(mark: ledger.Mark) -> str:
    """The threshold or thresholds of a criterion."""
    low, high = (None if v is None else number(float(v)) for v in (mark.low, mark.high))
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"≥ {low}" if low is not None else f"≤ {high}" if high is not None else ""


def row_anchor(row: str) -> str:
    """The id of an inventory row on the ledger page."""
    return f"row-{slug(row)}"


def link(chapter: str, target: str, anchor: str = "") -> str:
    """Relative address of `target`, as seen from the page of `chapter` (names as in the toc)."""
    path = posixpath.relpath(f"{target}.html", posixpath.dirname(chapter) or ".")
    return path + (f"#{anchor}" if anchor else "")


def row_verdict(verdicts: Sequence[str]) -> str:
    """One word for the pattern of a row's verdicts, `open` without a claim.

    What is confirmed here and not there is confirmed in part; what was not run elsewhere, or is a
    definition besides, changes nothing.
    """
    said = set(verdicts)
    confirmed = said & {criteria.CONFIRMED, criteria.REDUCED}
    against = said & {criteria.CONTRADICTED, criteria.UNDECIDED}
    if confirmed and against:
        return PARTLY
    order = (
        *(criteria.CONTRADICTED, criteria.UNDECIDED),
        *(criteria.REDUCED, criteria.CONFIRMED, criteria.NOT_RUN, criteria.RECORDED),
    )
    return next((word for word in order if word in said), OPEN)


def pattern(verdicts: Sequence[str]) -> str:
    """The verdicts of a row, counted: ``7 confirmed, 2 undecided``."""
    counts = Counter(verdicts)
    return ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])
