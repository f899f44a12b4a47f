"""How noisy an image is, from the image alone (Immerkær 1996)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from domain_translation.sampling.inputs import FAR, pictures

_MASK = ((1.0, -2.0, 1.0), (-2.0, 4.0, -2.0), (1.0, -2.0, 1.0))


def noise_level(x: Tensor) -> Tensor:
    """Standard deviation of pixel noise in images (B, C, H, W), one value per image (B,).

    The difference of two Laplacians blanks constant, linear and one-dimensional structure; what
    is left of white noise of standard deviation s has mean absolute value 6 s sqrt(2 / pi). Fine
    strokes leave something too: compare with the value of real images, not with zero.

    Raises:
        ValueError: no images, or smaller than 3x3.
    """
    x = pictures(x, "images", within=FAR)
    if min(x.shape[2:]) < 3:
        raise ValueError(f"images have shape {tuple(x.shape)}; give (B, C, H, W) of 3x3 or more")
    mask = torch.tensor(_MASK, dtype=x.dtype, device=x.device)
    residue = conv2d(x.flatten(0, 1)[:, None], mask[None, None]).abs()
    return residue.reshape(len(x), -1).mean(1) * math.sqrt(math.pi / 2) / 6
