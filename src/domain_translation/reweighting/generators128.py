"""JD-BW's generator for 128x128 images: MUNIT's without AdaIN (jdbw.arch.gen128).

Spectral normalisation stands in for every other one. JD-BW does not say that the instance
normalisation of MUNIT's first blocks goes as well, but it must: noise that is repeated over space
adds a constant to every map, and instance normalisation subtracts constants.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


def _convolution(inside: int, out: int, kernel: int, stride: int = 1) -> nn.Module:
    pad = (kernel - 1) // 2
    return spectral_norm(nn.Conv2d(inside, out, kernel, stride, pad, padding_mode="reflect"))


class _Block(nn.Module):
    """x + two 3x3 convolutions, `width` maps in and out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _convolution(width, width, 3), nn.ReLU(), _convolution(width, width, 3)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Generator128(nn.Module):
    """Images (B, channels_in, S, S) in [-1, 1] and noise (B, noise) to (B, channels_out, S, S).

    A 7x7 convolution, two 4x4 of stride 2, noise, residual blocks, two upsamplings with a 5x5
    convolution each, a 7x7 convolution, tanh. S is a multiple of 4 of at least 8. From colour to
    colour: 12,408,067 parameters.

    Args:
        channels_in, channels_out: of the two domains.
        width: maps of the first convolution, 64 in MUNIT; four times as many inside, and the
            noise beside them.
        blocks: residual blocks of MUNIT's encoder, and as many again of its decoder.
        noise: length d of the noise vector.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        width: int = 64,
        blocks: int = 4,
        noise: int = 16,
    ) -> None:
        super().__init__()
        mixed = 4 * width + noise
        self.encode = nn.Sequential(
            _convolution(channels_in, width, 7),
            nn.ReLU(),
            _convolution(width, 2 * width, 4, 2),
            nn.ReLU(),
            _convolution(2 * width, 4 * width, 4, 2),
            nn.ReLU(),
        )
        self.decode = nn.Sequential(
            *(_Block(mixed) for _ in range(2 * blocks)),
            nn.Upsample(scale_factor=2),
            _convolution(mixed, 2 * width, 5),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            _convolution(2 * width, width, 5),
            nn.ReLU(),
            _convolution(width, channels_out, 7),
            nn.Tanh(),
        )

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        maps = self.encode(x)
        everywhere = z[:, :, None, None].expand(-1, -1, *maps.shape[-2:])
        return self.decode(torch.cat([maps, everywhere], 1))
