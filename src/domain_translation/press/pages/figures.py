"""The figure index: a thumbnail of every figure that the chapters regenerated."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from domain_translation.press.pages.collect import Chapter, Picture
from domain_translation.press.pages.html import row_link

HERE = "record/figures"
WIDTH = 640  # pixels: twice the widest card, for dense screens

GRID = ":::::{grid} 1 2 2 2\n:gutter: 3\n:class-container: figure-index\n\n"

INTRODUCTION = """(figures)=
# Figure index

Every figure below was drawn by its chapter in the build that made this page. The numbers lead to
the chapters, the row names to the ledger.
"""


def page(chapters: Sequence[Chapter], record: Path) -> str:
    """MyST text of the page; thumbnails go to ``record/thumbnails/``."""
    parts = [INTRODUCTION]
    for chapter in chapters:
        if chapter.pictures:
            parts.append(f"## {chapter.run.title}\n")
            cards = "\n".join(_card(p, record) for p in chapter.pictures)
            parts.append(f"{GRID}{cards}:::::\n")
    if len(parts) == 1:
        parts.append("No chapter with figures was executed in this build.\n")
    return "\n".join(parts)


def _card(picture: Picture, record: Path) -> str:
    file = f"thumbnails/{picture.name}.png"
    target = record / file
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(thumbnail(picture.png))
    kind = f"{{.{picture.classes.split()[0]}}}" if picture.classes else ""
    rows = ", ".join(row_link(row, HERE) for row in picture.rows)
    footer = f"\n:::{{card-footer}}\n{rows}\n:::\n" if rows else ""
    alt = picture.alt.replace("[", "(").replace("]", ")").replace("\n", " ")
    return (
        f"::::{{grid-item-card}} {{numref}}`{picture.name}`\n\n"
        f"![{alt}]({file}){kind}\n\n{picture.caption}\n{footer}::::\n"
    )


def thumbnail(png: bytes) -> bytes:
    """A smaller copy of a picture, at most `WIDTH` pixels wide, on white, with few colours."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGBA")
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image)
    small = flat.convert("RGB")
    if small.width > WIDTH:
        height = round(small.height * WIDTH / small.width)
        small = small.resize((WIDTH, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.quantize(128).save(out, "PNG", optimize=True)
    return out.getvalue()
