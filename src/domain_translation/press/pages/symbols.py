"""The table of symbols, from ``data/symbols.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from domain_translation.ledger import data_file
from domain_translation.press.pages.html import raw, rich

PAPERS = {
    "lcool": "L-Cool",
    "improveit": "ImproveIT",
    "cfebm": "CF-EBM",
    "lecture": "Lecture",
    "jdbw": "JD-BW",
}

INTRODUCTION = """(symbols)=
# Symbols

The sources use the same letters for different things: $\\sigma$, $\\beta$, $\\alpha$ and $\\eta$
most of all. The book keeps one meaning per letter; the table says what each is called in the
code, and what the sources call it. A dash means that the source does not use it.
"""


def page() -> str:
    """MyST text of the page."""
    table = tomllib.loads(data_file("symbols.toml").read_text(encoding="utf-8"))
    parts = [INTRODUCTION, raw('<div class="wide-page"></div>')]
    for group in table["group"]:
        parts += [f"## {group['title']}\n", raw(_table(group["title"], group["symbol"]))]
    parts += ["## Letters that clash\n", raw(_clashes(table["clash"]))]
    return "\n".join(parts)


def _table(title: str, symbols: Sequence[Mapping[str, Any]]) -> str:
    names = ["Symbol", "Meaning", "In the code", *PAPERS.values()]
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    lines = ""
    for s in symbols:
        cells = [s["meaning"], s.get("code", "–"), *(s.get(p, "–") for p in PAPERS)]
        tds = "".join(
            f'<td role="cell" data-label="{name}">{rich(value)}</td>'
            for name, value in zip(names[1:], cells, strict=True)
        )
        lines += f'<tr role="row"><th scope="row">{rich(s["symbol"])}</th>{tds}</tr>'
    return (
        f'<table class="table symbols" role="table" aria-label="{title}"><thead>'
        f'<tr role="row">{head}</tr></thead><tbody>{lines}</tbody></table>'
    )


def _clashes(clashes: Sequence[Mapping[str, Any]]) -> str:
    lines = "".join(f"<dt>{rich(c['letter'])}</dt><dd>{rich(c['meanings'])}</dd>" for c in clashes)
    return f'<dl class="clashes">{lines}</dl>'
