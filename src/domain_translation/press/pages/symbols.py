"""The table of symbols, from ``data/symbols.toml``."""

from __future__ import annotations

import tomllib

from domain_translation.files import data_file
from domain_translation.press.pages.html import render

PAPERS = {
    "lcool": "L-Cool",
    "improveit": "ImproveIT",
    "cfebm": "CF-EBM",
    "lecture": "Lecture",
    "jdbw": "JD-BW",
}


def page() -> str:
    """MyST text of the page."""
    table = tomllib.loads(data_file("symbols.toml").read_text(encoding="utf-8"))
    return render("symbols.md", groups=table["group"], clashes=table["clash"], papers=PAPERS)
