"""One look for every figure of the book: calm, colour-blind safe, readable at phone width.

Figures are drawn once, on white; in dark mode the book's stylesheet inverts line figures
(class `ink`) and frames pictures (class `photo`), so nothing is drawn twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from domain_translation.notebook.evidence import Estimate

# Okabe-Ito, reordered so that the first four keep apart in greyscale as well.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
SKY, RED, YELLOW, INK = "#56B4E9", "#D55E00", "#F0E442", "#22262B"
CYCLE = (BLUE, RED, GREEN, ORANGE, PINK, SKY)

DENSITY_MAP = "Blues"

STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#8A9099",
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


def grid(limits: tuple[float, float, float, float], resolution: int = 160) -> tuple[Tensor, Tensor]:
    """Points of a regular 2-D grid: (resolution, resolution, 2) and the flat (resolution^2, 2)."""
    x0, x1, y0, y1 = limits
    ys, xs = torch.meshgrid(
        torch.linspace(y0, y1, resolution), torch.linspace(x0, x1, resolution), indexing="ij"
    )
    points = torch.stack([xs, ys], -1)
    return points, points.reshape(-1, 2)


def intervals(axes: Axes, x: Sequence[float], estimates: Sequence[Estimate], **style: Any) -> None:
    """Points with their 95 % intervals, joined by a line; estimates without a card are left out.

    Args:
        axes: where to draw.
        x: one position an estimate.
        estimates: the numbers.
        style: of `Axes.errorbar`; marker, colour and label, say.
    """
    known = [(at, e, *e.interval()) for at, e in zip(x, estimates, strict=True) if not e.unmeasured]
    bars = [[e.value - low for _, e, low, _ in known], [high - e.value for _, e, _, high in known]]
    places, values = [at for at, *_ in known], [e.value for _, e, *_ in known]
    axes.errorbar(places, values, bars, **{"capsize": 3, "ms": 5, "lw": 1.5, **style})


def density(
    ax: Axes,
    log_prob: Callable[[Tensor], Tensor],
    limits: tuple[float, float, float, float],
    *,
    levels: int = 12,
    resolution: int = 160,
) -> None:
    """Filled contours of exp(log_prob) over `limits` = (x0, x1, y0, y1)."""
    points, flat = grid(limits, resolution)
    with torch.no_grad():
        p = log_prob(flat).exp().reshape(resolution, resolution)
    # Levels crowd towards zero, so that tails show; the lowest band stays white.
    edges = float(p.max()) * np.linspace(0.06, 1.0, levels + 1) ** 1.6
    shades = plt.get_cmap(DENSITY_MAP)(np.linspace(0.08, 0.62, levels))
    ax.contourf(points[..., 0], points[..., 1], p, levels=edges, colors=shades, zorder=0)
    ax.grid(False)
    ax.set(xlim=limits[:2], ylim=limits[2:], aspect="equal")


def field(
    ax: Axes,
    score: Callable[[Tensor], Tensor],
    limits: tuple[float, float, float, float],
    *,
    colour: str = INK,
    resolution: int = 17,
    longest: float | None = None,
) -> None:
    """Arrows of a vector field on a regular grid; `longest` clips the drawn length (data units)."""
    _, flat = grid(limits, resolution)
    with torch.no_grad():
        g = score(flat)
    norm = g.norm(dim=1, keepdim=True).clamp_min(1e-12)
    spacing = (limits[1] - limits[0]) / (resolution - 1)
    unit = longest if longest is not None else float(norm.max())
    g = g / norm * (norm / unit).clamp(max=1) * spacing * 0.95
    ax.quiver(
        flat[:, 0], flat[:, 1], g[:, 0], g[:, 1],
        angles="xy", scale_units="xy", scale=1, color=colour, width=0.0035, zorder=3,
    )  # fmt: skip


def trails(
    ax: Axes, trajectory: Tensor, *, colours: Sequence[str] = (RED, ORANGE, PINK), label: str = ""
) -> None:
    """Paths of chains, (T, B, 2): a square at the start, circles on the way, a dot at the end."""
    for i in range(trajectory.shape[1]):
        path, colour = trajectory[:, i], colours[i % len(colours)]
        ax.plot(path[:, 0], path[:, 1], "-", color=colour, lw=1, alpha=0.6, zorder=4)
        ax.plot(path[1:-1, 0], path[1:-1, 1], "o", color=colour, ms=2.2, alpha=0.7, zorder=5)
        ax.plot(*path[0], "s", color=colour, ms=8, mec="white", mew=1.2, zorder=6)
        ax.plot(*path[-1], "o", color=colour, ms=8, mec="white", mew=1.2, zorder=7,
                label=label if i == 0 and label else None)  # fmt: skip


def picture_rows(
    rows: Sequence[Tensor], labels: Sequence[str], *, width: float = 7.2, cmap: str = "gray_r"
) -> Figure:
    """Rows of small pictures (n, 1, H, W) in [0, 1] with a label at the left of each row."""
    columns = max(len(r) for r in rows)
    cell = width / (columns + 1.6)
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(width, cell * len(rows) * 1.04), squeeze=False
    )
    for row, label, line in zip(rows, labels, axes, strict=True):
        for k, ax in enumerate(line):
            ax.axis("off")
            if k < len(row):
                ax.imshow(row[k, 0].numpy(), cmap=cmap, vmin=0, vmax=1)
        line[0].text(-0.25, 0.5, label, transform=line[0].transAxes, ha="right", va="center",
                     fontsize=9.5)  # fmt: skip
    return figure


def photo_rows(
    rows: Sequence[Tensor],
    labels: Sequence[str],
    *,
    titles: Sequence[str] = (),
    notes: Mapping[tuple[int, int], str] | None = None,
    framed: Collection[tuple[int, int]] = (),
    blocks: tuple[int, int] = (0, 0),
    width: float = 7.2,
) -> Figure:
    """Rows of colour pictures (n, 3, H, W) in [-1, 1] on one sheet, all tiles of one size.

    Args:
        rows: one batch per row; shorter rows leave their last places white.
        labels: one per row, at its left; "" for none.
        titles: one per column, above; empty for none.
        notes: small text under the tile (row, column).
        framed: tiles (row, column) to mark with a frame.
        blocks: tiles stand in blocks of this many rows and columns, with more room between
            blocks; 0 for no blocks.
        width: of the figure, inches.

    Raises:
        ValueError: no pictures, pictures that are not (n, 3, H, W), or another number of labels
            or titles than of rows or columns.
    """
    columns = max((len(row) for row in rows), default=0)
    shapes = {tuple(row.shape[1:]) for row in rows}
    if columns == 0 or len(shapes) != 1 or any(s[:1] != (3,) or len(s) != 3 for s in shapes):
        raise ValueError(
            f"rows have shapes {[tuple(row.shape) for row in rows]}; "
            f"give (n, 3, H, W) each, of one size"
        )
    if len(labels) != len(rows) or len(titles) not in (0, columns):
        raise ValueError(
            f"{len(labels)} labels for {len(rows)} rows and {len(titles)} titles for {columns} "
            f"columns; give one label a row, and one title a column or none"
        )
    _, height, side = next(iter(shapes))
    ratio = height / side
    left = _places(columns, 1.0, 0.05, blocks[1])
    noted = [0.2 * any(row == i for row, _ in notes or ()) for i in range(len(rows))]
    top = _places(len(rows), ratio, 0.05, blocks[0], noted)
    across, down = left[-1] + 1, top[-1] + ratio + noted[-1]
    margin = 0.085 * max(map(len, "\n".join(labels).split("\n"))) * across / width
    figure, ax = plt.subplots(figsize=(width, width * down / (across + margin)))
    for i, row in enumerate(rows):
        ax.text(-0.08, top[i] + ratio / 2, labels[i], ha="right", va="center", fontsize=9.5)
        for k, picture in enumerate(row):
            page = picture.detach().cpu().float().permute(1, 2, 0).add(1).div(2).clamp(0, 1)
            box = (left[k], left[k] + 1, top[i] + ratio, top[i])
            ax.imshow(page.numpy(), extent=box, interpolation="lanczos")
            note = (notes or {}).get((i, k), "")
            ax.text(left[k] + 0.5, top[i] + ratio + 0.03, note, ha="center", va="top", fontsize=8)
            if (i, k) in framed:
                ax.add_patch(Rectangle((left[k], top[i]), 1, ratio, fill=False, ec=GREEN, lw=2.5))
    for k, title in enumerate(titles):
        ax.text(left[k] + 0.5, -0.06, title, ha="center", va="bottom", fontsize=9.5)
    ax.set(xlim=(-margin, across + 0.02), ylim=(down + 0.02, -0.02), aspect="equal")
    ax.axis("off")
    return figure


def _places(n: int, size: float, gap: float, block: int, more: Sequence[float] = ()) -> list[float]:
    """Where n tiles of a size begin: a gap and `more[k]` after tile k, and room between blocks."""
    between = [0.22 * (k // block) if block else 0.0 for k in range(n)]
    return [k * (size + gap) + between[k] + sum(more[:k]) for k in range(n)]
