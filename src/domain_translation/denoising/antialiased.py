"""A denoiser that begins as the best linear filter and leaves no grid in smooth areas.

A network that folds pixels into channels, or unfolds them, treats the pixels of a cell differently:
steps of cooling add up to a weave of the cell's size. Here what is coarser is an average, and comes
back by interpolation; a flat picture stays flat whatever the weights are.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

from domain_translation.denoising.linear import fit_filter
from domain_translation.denoising.training import DenoiserConfig
from domain_translation.training.model_files import Storable

# For pictures of 64x64 pixels, about a minute on one core; twice that where a filter knows most.
ANTIALIASED = DenoiserConfig(steps=500, batch=8, learning_rate=2e-3)
LONGER = replace(ANTIALIASED, steps=1000)


class AntialiasedDenoiser(Storable):
    """r(x) = L(x) + scale f(x, L(x)), with a linear filter L, on images (B, channels, H, W).

    f is a small U-Net of three levels: 0.14 million parameters and 63 million multiplications for
    64x64 pixels, L's among them. Its last layer begins at 0, so that training begins at L. Sides
    that are no multiples of 4 are continued by their last row and column, as edges are.

    Args:
        channels: of the images.
        width: maps at half the resolution; half as many at the full one, twice as many below.
        size: odd side of the filter, at most twice the side of the images.
    """

    kernel: Tensor
    bias: Tensor
    scale: Tensor

    def __init__(self, channels: int = 3, width: int = 32, size: int = 11) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.zeros(channels, channels, size, size))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(()))
        half, double = width // 2, 2 * width
        self.full = _layers(2 * channels, half)
        self.fine = _layers(half, width, width)
        self.coarse = nn.Sequential(_layers(width, double, double, double), _mix(double, width))
        self.join = nn.Sequential(_layers(2 * width, width), _mix(width, half))
        self.last = nn.Sequential(_layers(2 * half, half), nn.Conv2d(half, channels, 1))
        for parameter in self.last[1].parameters():
            nn.init.zeros_(parameter)

    @classmethod
    def fitted(
        cls, clean: Tensor, sigma: float, *, width: int = 32, seed: int = 0
    ) -> AntialiasedDenoiser:
        """Untrained, its filter fitted to pictures (n, C, H, W) with noise `sigma`.

        Raises ValueError as `fit_filter`.
        """
        denoiser = cls(clean.shape[1], width)
        kernel, bias = fit_filter(clean, sigma, seed=seed)
        denoiser.kernel.copy_(kernel)
        denoiser.bias.copy_(bias)
        denoiser.scale.fill_(sigma)
        return denoiser

    def linear(self, x: Tensor) -> Tensor:
        """The filter alone, for x and the result (B, channels, H, W)."""
        edge = (self.kernel.shape[-1] // 2,) * 4
        return conv2d(pad(x, edge, mode="reflect"), self.kernel, self.bias)

    def forward(self, x: Tensor) -> Tensor:
        h, w = x.shape[-2:]
        whole = pad(x, (0, -w % 4, 0, -h % 4), mode="replicate")
        linear = self.linear(whole)
        full = self.full(torch.cat([whole, linear], 1))
        fine = self.fine(avg_pool2d(full, 2))
        coarse = self.coarse(avg_pool2d(fine, 2))
        joined = self.join(torch.cat([fine, _twice(coarse)], 1))
        rest = self.last(torch.cat([full, _twice(joined)], 1))
        return (linear + self.scale * rest)[..., :h, :w]


def _layers(*widths: int) -> nn.Sequential:
    """3x3 convolutions from each width to the next; edges are continued, as 0 is not flat."""
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layers += [nn.Conv2d(a, b, 3, padding=1, padding_mode="replicate"), nn.SiLU()]
    return nn.Sequential(*layers)


def _mix(a: int, b: int) -> nn.Conv2d:
    return nn.Conv2d(a, b, 1)


def _twice(x: Tensor) -> Tensor:
    larger: Tensor = interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return larger
