"""What the templates of the generated pages share: names, links, numbers, inline markup."""

from __future__ import annotations

import functools
import posixpath
import re
from typing import Any

import jinja2
from markupsafe import Markup, escape

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
        "mark": _MARKS.__getitem__,
        "number": number,
        "rich": rich,
        "slug": slug,
    }
    environment.globals |= {
        "VERDICTS": VERDICTS,
        "NOT_RUN": ledger.NOT_RUN,
        "REDUCED": ledger.REDUCED,
        "inventory": ledger.inventory,
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
    return _CLASSES[verdict]


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
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(number(v) for v in value)
    return str(value)


def row_anchor(row: str) -> str:
    """The id of an inventory row on the ledger page."""
    return f"row-{slug(row)}"


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
