"""The figure index: a thumbnail of every figure that the chapters regenerated."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from pathlib import Path

from domain_translation.press.pages.collect import Chapter
from domain_translation.press.pages.drawn import Drawn
from domain_translation.press.pages.html import render

WIDTH = 640  # pixels: twice the widest card, for dense screens


def page(chapters: Sequence[Chapter], record: Path, drawn: Drawn) -> str:
    """MyST text of the page; thumbnails go to ``record/thumbnails/``."""
    for chapter in chapters:
        for picture in chapter.pictures:
            make = functools.partial(thumbnail, picture.png)
            small = drawn.get(f"{WIDTH}".encode() + picture.png, make)
            target = record / "thumbnails" / f"{picture.name}.png"
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(small)
    return render("figures.md", chapters=chapters)


def thumbnail(png: bytes) -> bytes:
    """A smaller copy of a picture, at most `WIDTH` pixels wide, on white, with few colours."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGBA")
    image.thumbnail((WIDTH, image.height), Image.Resampling.HAMMING, reducing_gap=1.5)
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    out = io.BytesIO()
    # A third of the work of the default method, and truer colours on thin lines.
    flat.quantize(256, method=Image.Quantize.FASTOCTREE).save(out, "PNG")
    return out.getvalue()
