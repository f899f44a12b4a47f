"""Rows of pictures as chapters drew them before `pictures`; gone when no chapter calls them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from domain_translation.notebook.plots.style import GREEN


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
