"""Corruptions that move samples off their manifold by a known amount.

Those of `CORRUPTIONS` are ways for a picture (B, 3, H, W) around [-1, 1] to leave its domain.
Nothing is clipped there: they add, replace or mix pixels and do no more, so that the size is what
it says.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from scipy.ndimage import gaussian_filter
from torch import Generator, Tensor

Corruption = Callable[[Tensor, float, Generator], Tensor]


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


def noisy(x: Tensor, size: float, generator: Generator) -> Tensor:
    """Gaussian noise of standard deviation `size` on every value."""
    return x + size * torch.randn(x.shape, generator=generator)


def salted(x: Tensor, size: float, generator: Generator) -> Tensor:
    """Salt and pepper on the share `size` of the pixels: -1 or 1 in all three channels."""
    return 2 * salt_and_pepper((x + 1) / 2, size, generator) - 1


def patched(x: Tensor, size: float, generator: Generator) -> Tensor:
    """A grey square that covers the share `size` of the area, somewhere in each picture."""
    height, width = x.shape[-2:]
    side = max(1, round((size * height * width) ** 0.5))
    if side > min(height, width):
        raise ValueError(f"size is {size}; the patch does not fit into the picture")
    corner = torch.rand(len(x), 2, generator=generator)
    top, left = (corner * torch.tensor([height - side + 1, width - side + 1])).long().T[..., None]
    row, column = torch.arange(height), torch.arange(width)
    rows, columns = (row >= top) & (row < top + side), (column >= left) & (column < left + side)
    return torch.where((rows[:, :, None] & columns[:, None, :])[:, None], torch.zeros(()), x)


def tinted(x: Tensor, size: float, generator: Generator) -> Tensor:
    """A green (or, on every other picture on average, magenta) cast: green +- size, the rest -+."""
    sign = 2.0 * torch.randint(2, (len(x), 1, 1, 1), generator=generator) - 1
    return x + sign * size * torch.tensor([-0.5, 1.0, -0.5])[:, None, None]


def blurred(x: Tensor, size: float, generator: Generator) -> Tensor:
    """Gaussian blur of standard deviation `size` pixels; nothing about it is random."""
    smooth = gaussian_filter(x.numpy(), (0, 0, size, size), mode="nearest")
    return torch.from_numpy(smooth)


# Three sizes each: faint, plain, strong.
CORRUPTIONS: dict[str, tuple[Corruption, tuple[float, float, float]]] = {
    "noise": (noisy, (0.05, 0.15, 0.30)),
    "salt and pepper": (salted, (0.01, 0.05, 0.15)),
    "patch": (patched, (0.01, 0.04, 0.10)),
    "cast": (tinted, (0.05, 0.15, 0.30)),
    "blur": (blurred, (0.5, 1.0, 2.0)),
}
