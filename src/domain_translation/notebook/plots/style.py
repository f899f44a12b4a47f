"""One look for every figure of the book: calm, colour-blind safe, readable at phone width.

Figures are drawn once, on white; in dark mode the book's stylesheet inverts line figures
(class `ink`) and frames pictures (class `photo`), so nothing is drawn twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure

# Okabe-Ito, reordered so that the first four keep apart in greyscale as well.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, RED, YELLOW, INK = "#56B4E9", "#D55E00", "#F0E442", "#22262B"
GREY = "#8A9099"
CYCLE = (BLUE, RED, GREEN, ORANGE, PINK, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")

# The look of a method is the same in every figure. A filled marker on a solid line is a method,
# a hollow one on dashes is the same without what the method adds: weights, cooling.
METHODS: Mapping[str, Mapping[str, str]] = {
    name: {"color": colour, "marker": marker, "ls": line, "mfc": fill or colour}
    for name, colour, marker, line, fill in (
        ("JD-BW", BLUE, "o", "-", ""),
        ("joint discriminator", BLUE, "o", "--", "white"),
        ("no skip", BLUE, "P", ":", ""),
        ("one argument", SKY, "^", "-", ""),
        ("two arguments", SKY, "v", "--", ""),
        ("CycleGAN + weights", RED, "s", "-", ""),
        ("CycleGAN", RED, "s", "--", "white"),
        ("CycleGAN, no identity", RED, "X", ":", ""),
        ("MUNIT + weights", GREEN, "D", "-", ""),
        ("MUNIT", GREEN, "D", "--", "white"),
        ("energy", ORANGE, "^", "-", ""),
        ("denoiser", PINK, "D", "-", ""),
        ("cooled", BLUE, "s", "-", ""),
        ("plain", INK, "o", "--", "white"),
        ("blurred", GREY, "v", ":", ""),
        ("doing nothing", GREY, "P", ":", ""),
        ("truth", INK, "*", "-", ""),
    )
}

STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "grid.color": "#E6E8EB",
    "grid.linewidth": 0.7,
    "image.interpolation": "nearest",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "lines.linewidth": 1.8,
    "mathtext.fontset": "cm",
    "savefig.dpi": 200,
    "text.color": INK,
    "xtick.color": "#5B626B",
    "ytick.color": "#5B626B",
}


def use_style() -> None:
    """Apply the book's style to every figure drawn from here on."""
    from matplotlib_inline.backend_inline import set_matplotlib_formats

    mpl.rcParams.update(STYLE)
    set_matplotlib_formats(  # type: ignore[no-untyped-call]
        "png", dpi=200, bbox_inches="tight", facecolor="white"
    )


def panels(
    rows: int = 1, columns: int = 1, *, width: float = 7.2, height: float = 3.0, **kwargs: Any
) -> tuple[Figure, np.ndarray[Any, Any]]:
    """A figure of `rows` x `columns` axes, `width` inches wide and `height` inches per row.

    The axes come as a flat array, so that one panel is `axes[0]`.
    """
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, height * rows), squeeze=False, **kwargs
    )
    return figure, axes.ravel()


def looks(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Colour, marker, line and fill for each of the names, as `Axes.plot` takes them.

    Names in `METHODS` look as they do everywhere; all others take colours, markers and lines in
    order, without those that a method among the names has.
    """
    wanted = dict.fromkeys(names)
    taken = {value for name in wanted for value in METHODS.get(name, {}).values()}
    colours = cycle([colour for colour in CYCLE if colour not in taken] or CYCLE)
    markers = cycle([marker for marker in MARKERS if marker not in taken] or MARKERS)
    lines = cycle(LINES)
    made = {}
    for name in wanted:
        if name in METHODS:
            made[name] = dict(METHODS[name])
        else:
            colour = next(colours)
            others = {"marker": next(markers), "ls": next(lines), "mfc": colour}
            made[name] = {"color": colour, **others}
    return made
