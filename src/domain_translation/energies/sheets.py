"""Many small pictures on one sheet."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def sheet(x: Tensor, columns: int, gap: int = 1) -> NDArray[np.float32]:
    """Images (n, C, S, S) in [-1, 1], C of 1 or 3, row by row on white: (height, width, 3).

    Values outside the range are clipped. Places after the last image stay white.

    Args:
        columns: images per row.
        gap: white pixels between images.

    Raises:
        ValueError: no images, another shape, or no column.
    """
    if x.ndim != 4 or len(x) == 0 or x.shape[1] not in (1, 3) or columns < 1:
        raise ValueError(
            f"images have shape {tuple(x.shape)} for {columns} columns; give (n, C, S, S) with "
            f"C = 1 or 3, n and columns at least 1"
        )
    height, width = x.shape[2] + gap, x.shape[3] + gap
    rows = -(-len(x) // columns)
    page = torch.ones(3, rows * height - gap, columns * width - gap)
    for i, picture in enumerate(x.detach().float().cpu().add(1).div(2).clamp(0, 1)):
        top, left = (i // columns) * height, (i % columns) * width
        page[:, top : top + x.shape[2], left : left + x.shape[3]] = picture
    return page.permute(1, 2, 0).numpy()
