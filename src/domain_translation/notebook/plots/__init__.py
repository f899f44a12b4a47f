"""What figures are drawn with: one look, and a verb for each kind of figure."""

from domain_translation.notebook.plots.curves import intervals, label_lines, series
from domain_translation.notebook.plots.pictures import pictures, pixels
from domain_translation.notebook.plots.planes import density, field, grid, trails
from domain_translation.notebook.plots.style import (
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    INK,
    LINES,
    MARKERS,
    METHODS,
    ORANGE,
    PINK,
    RED,
    SKY,
    YELLOW,
    looks,
    panels,
    use_style,
)

__all__ = [
    "BLUE", "CYCLE", "GREEN", "GREY", "INK", "LINES", "MARKERS", "METHODS", "ORANGE", "PINK", "RED",
    "SKY", "YELLOW", "density", "field", "grid", "intervals", "label_lines", "looks", "panels",
    "pictures", "pixels", "series", "trails", "use_style",
]  # fmt: skip
