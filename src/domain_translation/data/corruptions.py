"""Corruptions that move samples off their manifold by a known amount."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def salt_and_pepper(x: Tensor, share: float, generator: Generator) -> Tensor:
    """Set `share` of the pixels of each image to 0 or 1, all channels of a pixel alike.

    ImproveIT's denoising study (improveit.metric.saltpepper) gives no ratio of salt to pepper:
    here they are equal in number, an odd pixel being decided by a coin. The number of pixels
    is `share` of H*W rounded to the nearest, so that every image is corrupted equally; a
    "salted" pixel that was white stays white.

    Args:
        x: images (B, C, H, W) in [0, 1].
        share: of the pixels, in [0, 1].
        generator: on the device of `x`.

    Raises:
        ValueError: share outside [0, 1], or `x` not a batch of images.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}; give the share of corrupted pixels, in [0, 1]")
    if x.ndim != 4:
        raise ValueError(f"images have shape {tuple(x.shape)}; give (B, C, H, W)")
    b, _, h, w = x.shape
    hit = round(share * h * w)
    order = torch.rand(b, h * w, generator=generator, device=x.device).argsort(dim=1)
    rank = order.argsort(dim=1).reshape(b, 1, h, w)  # a random ranking of each image's pixels
    coin = torch.randint(2, (b, 1, 1, 1), generator=generator, device=x.device)
    salt = rank < (hit + coin) // 2
    return torch.where(rank < hit, salt.to(x.dtype), x)


def scatter(x: Tensor, spread: float, generator: Generator) -> Tensor:
    """Move samples (B, *event) off their manifold by varying amounts: test points for the toy.

    Each sample gets Gaussian noise whose standard deviation is drawn uniformly from 0 to
    `spread`, in the units of the data.

    Raises:
        ValueError: spread negative.
    """
    if not spread >= 0:
        raise ValueError(f"spread is {spread}; give a standard deviation, 0 or larger")
    size = torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype) * spread
    noise = torch.empty_like(x).normal_(generator=generator)
    return x + size.reshape(-1, *[1] * (x.ndim - 1)) * noise
