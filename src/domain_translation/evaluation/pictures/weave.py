"""The weave that a network prints: a pattern with the period of its cells of pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from domain_translation.sampling.inputs import FAR, pictures, whole


def weave(images: Tensor, period: int = 4) -> Tensor:
    """How far the means over the phases of a grid lie apart: (B, C, H, W) -> (B,), grey levels.

    The pixels (i, j) with the same i and j modulo `period` have one mean; of all `period`^2 means
    of a channel, the largest less the smallest; the widest channel counts. 0 for a flat picture.

    Args:
        images: in [-1, 1]; rows and columns beyond a multiple of `period` are left out.
        period: side of the cells, in pixels.

    Raises:
        ValueError: pictures smaller than a cell, or no pictures (B, C, H, W).
    """
    period = whole(period, "period")
    images = pictures(images, "images", within=FAR)
    if min(images.shape[-2:]) < period:
        raise ValueError(
            f"pictures {tuple(images.shape)} and cells of {period} pixels; give pictures "
            "(B, C, H, W) of at least one cell"
        )
    phases = [images[..., i::period, j::period] for i in range(period) for j in range(period)]
    h, w = (side // period for side in images.shape[-2:])
    means = torch.stack([phase[..., :h, :w].mean((-2, -1)) for phase in phases])
    return 127.5 * (means.amax(0) - means.amin(0)).amax(1)
