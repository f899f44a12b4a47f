"""One look for every figure of the book: calm, colour-blind safe, readable at phone width.

Figures are drawn once, on white; in dark mode the book's stylesheet inverts line figures
(class `ink`) and frames pictures (class `photo`), so nothing is drawn twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import torch
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

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
