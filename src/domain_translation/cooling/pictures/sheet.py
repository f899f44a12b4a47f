"""The contact sheet: before, cooled, and the translations of both, side by side."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

COLUMNS = ("before", "cooled", "translation, plain", "translation, cooled")
_CELL, _GAP, _LINE = 192, 8, 22  # pixels: side of a cell, space between cells, height of a text
_INK, _PAPER = (34, 38, 43), (255, 255, 255)


class Line(NamedTuple):
    """One row of the sheet: its pictures, and what is written below them."""

    pictures: Sequence[Image.Image]
    text: str


def contact_sheet(lines: Sequence[Line], columns: Sequence[str] = COLUMNS) -> bytes:
    """The sheet as a PNG file; every picture keeps its proportions, `columns` are their titles."""
    font = ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")), 13)
    width = len(columns) * (_CELL + _GAP) + _GAP
    pitch = _CELL + _LINE + _GAP
    sheet = Image.new("RGB", (width, _LINE + _GAP + pitch * len(lines)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for k, title in enumerate(columns):
        draw.text((_GAP + k * (_CELL + _GAP), 4), title, _INK, font)
    for i, line in enumerate(lines):
        top = _LINE + _GAP + i * pitch
        for k, picture in enumerate(line.pictures):
            small = _fitted(picture)
            left = _GAP + k * (_CELL + _GAP) + (_CELL - small.width) // 2
            sheet.paste(small, (left, top + (_CELL - small.height) // 2))
        draw.text((_GAP, top + _CELL + 2), _cut(line.text, font, width - 2 * _GAP), _INK, font)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _fitted(picture: Image.Image) -> Image.Image:
    """On white where it is transparent, and as large as the cell allows."""
    solid = Image.new("RGBA", picture.size, _PAPER)
    solid.alpha_composite(picture.convert("RGBA"))
    factor = _CELL / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    # Small pictures are shown with their pixels, large ones smoothly reduced.
    kind = Image.Resampling.NEAREST if factor >= 2 else Image.Resampling.LANCZOS
    return solid.convert("RGB").resize(size, kind)


def _cut(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The text in one line, shortened at its start until it fits."""
    text = "".join(c if c.isprintable() else "?" for c in text)  # a name may hold a line feed
    shown = text
    while font.getlength(shown) > width:
        text = text[1:]
        shown = f"…{text}"
    return shown
