"""Ways for a picture to leave its domain, each of a size one can turn.

Pictures are (B, 3, H, W) around [-1, 1]. Nothing is clipped: a corruption adds, replaces or mixes
pixels and does no more, so that its size is what it says.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from scipy.ndimage import gaussian_filter
from torch import Generator, Tensor

from domain_translation.data.corruptions import salt_and_pepper

Corruption = Callable[[Tensor, float, Generator], Tensor]


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
