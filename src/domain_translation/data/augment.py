"""Crops, moves and mirror images of a batch, for each image its own.

Places and coins stay on the device of the images: nothing waits for it.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def crop_and_flip(images: Tensor, size: int, generator: Generator, mirrored: bool = True) -> Tensor:
    """Crop each image (B, C, H, W) to `size` at a random place; mirror half of them.

    Pictures that belong together (a photo and its map) go in as channels of one image.

    Args:
        images: H and W at least `size`.
        size: side of the crops in pixels.
        generator: of the places and of the coins, in this order; on the device of the images.
        mirrored: False mirrors none; images that are no larger than the crops then come back as
            they are, and nothing is drawn.
    """
    b, _, height, width = images.shape
    if height == width == size and not mirrored:
        return images

    def places(side: int) -> Tensor:
        first = torch.randint(side - size + 1, (b, 1), generator=generator, device=generator.device)
        return first + torch.arange(size, device=first.device)

    rows, columns = places(height), places(width)
    if mirrored:
        coins = torch.rand(b, 1, generator=generator, device=generator.device) < 0.5
        columns = torch.where(coins, columns.flip(1), columns)
    return _pixels(images, rows, columns)


def flip_and_move(images: Tensor, up: Tensor, left: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror some of the images (B, C, H, W), then move each; uncovered pixels repeat the edge.

    Args:
        images: any values.
        up, left: whole pixels to move each image by, (B, 1); negative ones move down, right.
        mirrored: which images to mirror, (B, 1), bool.
    """
    height, width = images.shape[-2:]
    rows = (torch.arange(height, device=up.device) + up).clamp(0, height - 1)
    columns = (torch.arange(width, device=left.device) + left).clamp(0, width - 1)
    return _pixels(images, rows, torch.where(mirrored, width - 1 - columns, columns))


def _pixels(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Image b of (B, C, H, W) at rows (B, h) and columns (B, w) of its own: (B, C, h, w)."""
    b, c, _, width = images.shape
    at = (rows[:, :, None] * width + columns[:, None, :]).reshape(b, 1, -1).expand(b, c, -1)
    return images.flatten(2).gather(2, at).reshape(b, c, rows.shape[1], columns.shape[1])
