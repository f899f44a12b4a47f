"""Curves with their uncertainty: intervals, seeds, and names that stand beside the lines."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import ArrayLike

from domain_translation.notebook.evidence import Estimate
from domain_translation.notebook.plots.style import GREY, looks

Places = Sequence[float] | Sequence[str]


def intervals(
    ax: Axes,
    x: Places,
    estimates: Sequence[Estimate] | Mapping[str, Sequence[Estimate]],
    *,
    dodge: float = 0.0,
    horizontal: bool = False,
    **style: Any,
) -> None:
    """Points with their 95 % intervals, joined by a line where places are numbers.

    Estimates without a card are left out.

    Args:
        ax: where to draw.
        x: one place an estimate: numbers, or names, which become the axis' ticks.
        estimates: the numbers of one series, or of several by name, each in its own look
            (`looks`); see `label_lines` for their names.
        dodge: how far apart series stand at one place, in points; 0 for on one another.
        horizontal: places run down the axis and intervals across.
        style: of `Axes.errorbar`, for all series.

    Raises:
        ValueError: not one estimate a place.
    """
    named = estimates if isinstance(estimates, Mapping) else {"": estimates}
    words = any(isinstance(at, str) for at in x)
    line = {"ls": ""} if words else {}
    for k, (name, look) in enumerate(looks(named).items()):
        if len(named[name]) != len(x):
            raise ValueError(
                f"{name or 'a series'} has {len(named[name])} estimates for {len(x)} places; "
                "give one a place"
            )
        known = [(at, e.value, *e.interval()) for at, e in zip(x, named[name], strict=True)
                 if not e.unmeasured]  # fmt: skip
        bars = [[v - low for _, v, low, _ in known], [high - v for _, v, _, high in known]]
        drawn = _styled({"capsize": 3, "label": name or None, **look, **line}, style)
        places: list[Any] = [at for at, *_ in known]
        values = [v for _, v, *_ in known]
        if horizontal:
            bar = ax.errorbar(values, places, xerr=bars, **drawn)
        else:
            bar = ax.errorbar(places, values, yerr=bars, **drawn)
        for artist in bar.get_children():
            artist.set_transform(_aside(ax, dodge * (k - (len(named) - 1) / 2), horizontal))
    room = 0.5 / max(len(x) - 1, 1) if words else 0.08 if dodge else 0.05
    (ax.set_ymargin if horizontal else ax.set_xmargin)(room)
    if horizontal and not ax.yaxis_inverted():
        ax.invert_yaxis()


def _styled(look: Mapping[str, Any], style: Mapping[str, Any]) -> dict[str, Any]:
    """A look with what a chapter wants otherwise; another colour fills the markers as well."""
    own = {k: v for k, v in look.items() if not (k == "mfc" and "color" in style)}
    return {"ms": 5, "lw": 1.5, **own, **style}


def _aside(ax: Axes, points: float, horizontal: bool) -> Transform:
    """The data's coordinates, some points to the right, or below."""
    right, down = (0.0, points) if horizontal else (points, 0.0)
    move = ScaledTranslation(right / 72, -down / 72, ax.figure.dpi_scale_trans)
    return ax.transData + move


def series(ax: Axes, x: Places, runs: Mapping[str, ArrayLike], **style: Any) -> None:
    """The mean over the seeds of each series as a line, and a dot for each seed.

    Args:
        ax: where to draw.
        x: one place a point.
        runs: by name, one row a seed and one column a place, (seeds, points), or (points,) for a
            single seed; a value that is not finite leaves a gap.
        style: of `Axes.plot`, for the lines of all series.

    Raises:
        ValueError: an array of another shape.
    """
    for (name, values), look in zip(runs.items(), looks(runs).values(), strict=True):
        rows = np.atleast_2d(np.asarray(values, dtype=float))
        if rows.ndim != 2 or rows.shape[1] != len(x) or not len(rows):
            raise ValueError(
                f"{name} has the shape {np.shape(values)}; give (seeds, {len(x)}), a row a seed"
            )
        drawn = _styled({**look, "label": name}, style)
        ax.plot(x, rows.mean(0), **drawn)
        if len(rows) > 1:
            small = {"ls": "", "ms": 2.5, "mew": 0.5, "alpha": 0.5, "zorder": 1.5, "label": None}
            ax.plot(x, rows.T, **{**drawn, **small})


def label_lines(ax: Axes, *, size: float = 9.5) -> None:
    """Write the name of each labelled line to its right, instead of a legend.

    Names stand in a column beside the axes, at the height of the lines' ends, apart where those
    are close; a thin line leads to a name that had to move. Lines without points have none.
    Call it when the axes are complete: limits and scales that change afterwards move the lines
    and not the names.

    Args:
        ax: axes with lines or intervals that have labels.
        size: of the type, points.

    Raises:
        ValueError: no line has a label.
    """
    handles, names = ax.get_legend_handles_labels()
    if not names:
        raise ValueError("no line has a label; draw with label=, or with named series")
    figure = ax.figure.canvas.figure
    figure.draw_without_rendering()  # the layout decides where the lines end
    lines = [getattr(handle, "lines", [handle])[0] for handle in handles]
    # A card that is still to be made has no points.
    named = [(line, name) for line, name in zip(lines, names, strict=True) if len(_points(line))]
    ends = [_end(ax, line) for line, _ in named]
    height = 1.25 * size / 72 * figure.dpi / ax.bbox.height  # of a row of type, of the axes
    rooms = [height * (1 + name.count("\n")) for _, name in named]
    heights = _apart([y for _, y in ends], rooms)
    for (x, y), at, (line, name) in zip(ends, heights, named, strict=True):
        moved = abs(at - y) > height / 3 or x < 0.85
        ax.annotate(
            name,
            (min(x, 1.0), y),
            (1.02, at),
            xycoords="axes fraction",
            textcoords="axes fraction",
            arrowprops=_LEADER if moved else None,
            annotation_clip=False,
            color=readable(line.get_color()),
            fontsize=size,
            va="center",
        )


_LEADER: dict[str, Any] = {
    "arrowstyle": "-", "color": GREY, "lw": 0.7, "shrinkA": 1, "shrinkB": 4, "relpos": (0, 0.5),
}  # fmt: skip


def readable(colour: Any) -> tuple[float, float, float]:
    """The colour, darkened until type in it has a contrast of 4.5 to white (WCAG AA)."""
    hue, light, saturation = colorsys.rgb_to_hls(*to_rgb(colour))
    while _contrast(found := colorsys.hls_to_rgb(hue, light, saturation)) < 4.5:
        light *= 0.95
    return found


def _contrast(rgb: tuple[float, float, float]) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb]
    return 1.05 / (float(np.dot((0.2126, 0.7152, 0.0722), linear)) + 0.05)


def _points(line: Any) -> Any:
    """A line's finite points, (n, 2)."""
    points = np.ma.filled(np.ma.masked_invalid(line.get_xydata()), np.nan)
    return points[np.isfinite(points).all(1)]


def _end(ax: Axes, line: Any) -> tuple[float, float]:
    """Where a line's last finite point lies, as fractions of the axes."""
    drawn = line.get_transform().transform(_points(line)[-1:])
    x, y = ax.transAxes.inverted().transform(drawn)[0]
    return float(x), float(y)


def _apart(wanted: Sequence[float], rooms: Sequence[float]) -> list[float]:
    """Heights nearest to the wanted ones, by least squares, at which rows of type keep apart.

    Rows that would overlap share a block around the mean of what they want.
    """
    order = np.argsort(wanted, kind="stable")
    blocks: list[tuple[float, list[int]]] = []  # where a block begins, its rows from below
    for i in order:
        members = [int(i)]
        begin = wanted[i] - rooms[i] / 2
        while blocks and blocks[-1][0] + sum(rooms[j] for j in blocks[-1][1]) > begin:
            members = blocks.pop()[1] + members
            tops = np.cumsum([0, *(rooms[j] for j in members[:-1])])
            begin = float(np.mean([wanted[j] - rooms[j] / 2 - t
                                   for j, t in zip(members, tops, strict=True)]))  # fmt: skip
        blocks.append((begin, members))
    found = [0.0] * len(wanted)
    for begin, members in blocks:
        for j in members:
            found[j] = begin + rooms[j] / 2
            begin += rooms[j]
    return found
