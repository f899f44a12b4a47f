"""Pictures in rows: one or three channels, of any size, on one sheet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from torch import Tensor

from domain_translation.notebook.plots.style import GREEN, INK

SHARP = 128  # pixels of an enlarged picture's longer side, at least; the page does the rest


def pictures(
    rows: Sequence[Iterable[Tensor]],
    labels: Sequence[str] = (),
    *,
    titles: Sequence[str] = (),
    notes: Mapping[tuple[int, int], str] | None = None,
    framed: Collection[tuple[int, int]] = (),
    blocks: tuple[int, int] = (0, 0),
    ink: bool = False,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Figure:
    """Rows of pictures in [-1, 1] on one sheet, all tiles of one shape, values outside clamped.

    Args:
        rows: one batch (n, 1 or 3, H, W) a row, or a list of pictures (1 or 3, H, W), which may
            differ in size and channels; shorter rows leave their last places white.
        labels: one a row, at its left.
        titles: one a column, above.
        notes: small text under the tile (row, column).
        framed: tiles (row, column) to mark with a frame.
        blocks: tiles stand in blocks of this many rows and columns, with more room between blocks;
            0 for no blocks.
        ink: draw pictures of one channel as ink on paper: -1 white, 1 black.
        width: of a figure of its own, inches.
        ax: where to draw instead, say one of `panels`.

    Raises:
        ValueError: no pictures, pictures of another shape or of different proportions, or another
            number of labels or titles than of rows or columns.
    """
    tiles = [[pixels(picture, ink=ink) for picture in row] for row in rows]
    columns = max(map(len, tiles), default=0)
    ratios = {round(tile.shape[0] / tile.shape[1], 3) for row in tiles for tile in row}
    if len(ratios) != 1:
        shapes = sorted({tuple(picture.shape) for row in rows for picture in row})
        raise ValueError(f"pictures have the shapes {shapes}; give some, all of one proportion")
    if len(labels) not in (0, len(rows)) or len(titles) not in (0, columns):
        raise ValueError(
            f"{len(labels)} labels for {len(rows)} rows and {len(titles)} titles for {columns} "
            f"columns; give one a row and one a column, or none"
        )
    (ratio,), notes = ratios, notes or {}
    noted = [0.2 * any(row == i for row, _ in notes) for i in range(len(tiles))]
    left = _places([1.0] * columns, blocks[1])
    top = _places([ratio + room for room in noted], blocks[0])
    across, down = left[-1] + 1, top[-1] + ratio + noted[-1]
    if ax is None:
        _, ax = plt.subplots(figsize=(width, width * down / across + 0.2 * bool(titles)))
    for i, k, tile in ((i, k, tile) for i, row in enumerate(tiles) for k, tile in enumerate(row)):
        box = (left[k], left[k] + 1, top[i] + ratio, top[i])
        ax.imshow(tile, extent=box, interpolation="antialiased")
        if (i, k) in notes:
            at = (left[k] + 0.5, top[i] + ratio + 0.03)
            ax.text(*at, notes[i, k], ha="center", va="top", fontsize=8)
        if (i, k) in framed:
            ax.add_patch(Rectangle((left[k], top[i]), 1, ratio, fill=False, ec=GREEN, lw=2.5))
    ax.set(xlim=(-0.02, across + 0.02), ylim=(down + 0.02, -0.02), aspect="equal")
    ax.set_xticks([at + 0.5 for at in left] if titles else [], titles or None)
    ax.set_yticks([at + ratio / 2 for at in top] if labels else [], labels or None)
    ax.tick_params(
        length=0, labelsize=9.5, labelcolor=INK, top=True, labeltop=True, labelbottom=False
    )
    ax.spines[:].set_visible(False)
    ax.grid(False)
    figure = ax.figure
    assert isinstance(figure, Figure)
    return figure


def pixels(picture: Tensor, *, ink: bool = False) -> NDArray[np.float32]:
    """A picture (1 or 3, H, W) in [-1, 1] as `Axes.imshow` takes it: (kH, kW, 3) in [0, 1].

    Values outside are clamped; each pixel becomes a square of k, so that none is smeared where
    the page enlarges a small picture.

    Args:
        picture: the picture.
        ink: draw a single channel as ink on paper: -1 white, 1 black.

    Raises:
        ValueError: another shape, or values that are not finite.
    """
    if picture.ndim != 3 or picture.shape[0] not in (1, 3) or 0 in picture.shape:
        raise ValueError(f"a picture has the shape {tuple(picture.shape)}; give (1 or 3, H, W)")
    shown = picture.detach().float().cpu()
    if not shown.isfinite().all():
        raise ValueError("a picture holds values that are not finite; look at what made it")
    if ink and len(shown) == 1:
        shown = -shown
    shown = shown.add(1).div(2).clamp(0, 1).expand(3, -1, -1).permute(1, 2, 0)
    factor = -(-SHARP // max(shown.shape[:2]))
    enlarged: NDArray[Any] = shown.numpy().repeat(factor, 0).repeat(factor, 1)
    return enlarged


def _places(sizes: Sequence[float], block: int) -> list[float]:
    """Where tiles of these sizes begin: a gap after each, and more room between blocks."""
    between = [0.05 + 0.22 * bool(block and k % block == 0) for k in range(1, len(sizes))]
    return [0.0, *np.cumsum(np.add(sizes[:-1], between)).tolist()]
