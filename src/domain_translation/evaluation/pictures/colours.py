"""The colours of a domain on pictures of another: a translation without any shape."""

from __future__ import annotations

import torch
from torch import Tensor


def recoloured(x: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Pictures with the colours of a domain: what a translation gains without any shape.

    The linear map of colours that takes mean and covariance of the source's pixels to those of the
    target's, and is the shortest way for Gaussian colours (Pitie and Kokaram 2007).

    Args:
        x: pictures (B, C, H, W) of the source domain.
        source, target: pictures (n, C, H, W) and (m, C, H, W) that the colours are taken from.
    """
    (mean, spread), (mean_to, spread_to) = (_colours(side) for side in (source, target))
    root = _root(spread)
    back = torch.linalg.inv(root)
    across = back @ _root(root @ spread_to @ root) @ back
    return mean_to + torch.einsum("cd,bdhw->bchw", across, x - mean)


def _colours(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (C, 1, 1) and covariance (C, C) of the pixels, which is never quite singular."""
    pixels = pictures.transpose(0, 1).flatten(1)
    return pixels.mean(1)[:, None, None], pixels.cov() + 1e-6 * torch.eye(len(pixels)).to(pixels)


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ (values.clamp_min(0).sqrt()[:, None] * vectors.T)
