"""Small denoisers: a perceptron for vectors, three convolutions or a light U-Net for images.

All are residual, r(x) = x + f(x): the network learns the step towards the data, which is what
the score estimator (r(x) - x) / sigma^2 of L-Cool eq. 4 reads off.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from domain_translation.training.model_files import Storable
from domain_translation.training.perceptrons import ResidualMLP


class MLPDenoiser(ResidualMLP):
    """The two-layer denoiser of L-Cool section 3 on samples (B, *event) of `dim` numbers each."""

    def __init__(self, dim: int, width: int = 64) -> None:
        super().__init__(dim, width)


class ConvDenoiser(Storable):
    """Three 3x3 convolutions, r(x) = x + f(x), on images (B, channels, H, W) of any size."""

    def __init__(self, channels: int = 1, width: int = 32) -> None:
        super().__init__()
        self.step = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.step(x)


class UNetDenoiser(Storable):
    """A light U-Net, r(x) = x + f(x), on images (B, channels, H, W) of any size.

    It works on 2x2 pixels at a time and once more at half of that: 0.14 million parameters and 54
    million multiplications for 64x64 pixels, so that a hundred cooling steps stay affordable on
    a CPU. Sides that are no multiples of 4 are continued by their last row and column. Without
    normalisation, an image's result does not depend on its neighbours in the batch.

    Args:
        channels: of the images.
        width: maps at the finer level; twice as many at the coarser one.
    """

    def __init__(self, channels: int = 3, width: int = 32) -> None:
        super().__init__()
        self.fold = nn.PixelUnshuffle(2)
        self.fine = nn.Sequential(
            nn.Conv2d(4 * channels, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.SiLU(),
        )
        self.coarse = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(2 * width, 4 * width, 1),
            nn.PixelShuffle(2),
        )
        self.join = nn.Sequential(
            nn.Conv2d(2 * width, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, 4 * channels, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[-2:]
        whole = pad(x, (0, -w % 4, 0, -h % 4), mode="replicate")
        fine = self.fine(self.fold(whole))
        return x + self.join(torch.cat([fine, self.coarse(fine)], 1))[..., :h, :w]
