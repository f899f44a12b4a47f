"""Small denoisers: a two-layer perceptron for vectors, three convolutions for images.

Both are residual, r(x) = x + f(x): the network learns the step towards the data, which is what
the score estimator (r(x) - x) / sigma^2 of L-Cool eq. 4 reads off.
"""

from __future__ import annotations

from torch import Tensor, nn

from domain_translation.networks import ResidualMLP


class MLPDenoiser(ResidualMLP):
    """The two-layer denoiser of L-Cool section 3 on samples (B, *event) of `dim` numbers each."""

    def __init__(self, dim: int, width: int = 64) -> None:
        super().__init__(dim, width)


class ConvDenoiser(nn.Module):
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
        out: Tensor = x + self.step(x)
        return out
