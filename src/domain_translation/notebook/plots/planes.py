"""What lives in the plane: densities, score fields, and paths of chains."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from domain_translation.notebook.plots.style import INK, ORANGE, PINK, RED

DENSITY_MAP = "Blues"


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
