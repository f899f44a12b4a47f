"""What the networks see of a picture, and the way back to the picture's own size.

Convolutional translators halve a picture a few times and need sides that can be halved: a picture
is shown with its last rows and columns repeated up to a multiple, and what comes back is cut to
the picture again. Nothing is tiled: instance normalisation, which most translators have, would
make every tile a picture of its own. For networks made for one size only, and for pictures too
large for the memory, `size` scales the picture to a square instead, and the result back.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SMALLEST = 16  # pixels: below it, a translator's inner layers run out of neighbours


@dataclass(frozen=True)
class View:
    """How pictures are shown to the networks.

    Attributes:
        size: side of the square that pictures are scaled to; None shows them at their own size.
        multiple: of which the sides of an unscaled picture are made.
    """

    size: int | None = None
    multiple: int = 4

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what the networks see of a picture."""
        if self.size is not None:
            return self.size, self.size
        m = self.multiple
        least = -(-SMALLEST // m) * m
        return max(least, -(-height // m) * m), max(least, -(-width // m) * m)

    def show(self, pixels: Tensor) -> Tensor:
        """(C, H, W) in [-1, 1] as a batch of one, (1, C, H', W') in [-1, 1]."""
        height, width = pixels.shape[1:]
        h, w = self.shape(height, width)
        if self.size is not None:
            return _scaled(pixels[None], h, w)
        return functional.pad(pixels[None], (0, w - width, 0, h - height), mode="replicate")

    def back(self, seen: Tensor, height: int, width: int) -> Tensor:
        """(1, C, H', W') as the networks return it, at the size of the picture, (C, H, W)."""
        if self.size is not None:
            return _scaled(seen, height, width)[0]
        return self.own(seen, height, width)[0]

    def own(self, seen: Tensor, height: int, width: int) -> Tensor:
        """(B, C, H', W') without what continues the picture; all of a scaled one."""
        return seen if self.size is not None else seen[:, :, :height, :width]


def _scaled(x: Tensor, height: int, width: int) -> Tensor:
    if x.shape[2:] == (height, width):
        return x
    scaled = functional.interpolate(
        x, (height, width), mode="bicubic", antialias=True, align_corners=False
    )
    return torch.clamp(scaled, -1, 1)
