"""Contour drawings of real images, black lines on white, by Canny's detector.

edges2shoes and edges2handbags (jdbw.data.edges) were drawn by a trained edge detector; where only
photographs are at hand, Canny's needs no training. Its lines are one pixel wide.
"""

from __future__ import annotations

import numpy as np
import torch
from skimage.feature import canny
from torch import Tensor

from domain_translation.sampling.inputs import FAR, floats, pictures

SIGMA = 1.0
# Sobel's gradient of the smoothed brightness in [0, 1]: a line starts above HIGH and goes on above
# LOW. At the default sigma a step of height h has gradient 2.6 h, so steps of 0.06 are lines.
LOW, HIGH = 0.06, 0.15


def canny_edges(x: Tensor, sigma: float = SIGMA) -> Tensor:
    """Edges of images (n, 1 or 3, S, S) in [-1, 1] as (n, 1, S, S): -1 on a line, 1 beside it.

    Colours are weighed to a brightness first (0.299 red, 0.587 green, 0.114 blue).

    Args:
        x: images; they are not changed.
        sigma: width in pixels of the Gaussian that smooths the image, positive; a wider one keeps
            coarser edges only.

    Raises:
        ValueError: not a batch of square images of one or three channels, or sigma not positive.
    """
    x = floats(x, "images", "(n, 1 or 3, S, S) in [-1, 1]")
    if x.ndim != 4 or x.shape[1] not in (1, 3) or x.shape[2] != x.shape[3]:
        raise ValueError(f"images have shape {tuple(x.shape)}; give (n, 1 or 3, S, S)")
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}; give a width in pixels above 0")
    if len(x):
        pictures(x, "images", within=FAR)
    weights = x.new_tensor([0.299, 0.587, 0.114] if x.shape[1] == 3 else [1.0])
    bright = (((x + 1) / 2) * weights[:, None, None]).sum(1).detach().cpu().numpy()
    # What lies outside an image is its own border, so that the frame is no edge.
    found = [
        canny(one, sigma, low_threshold=LOW, high_threshold=HIGH, mode="nearest")
        for one in bright.astype(np.float64)
    ]
    lines = np.stack(found) if found else np.zeros((0, *x.shape[2:]), bool)
    return 1 - 2 * torch.from_numpy(lines)[:, None].to(x)
