"""The Tiramisu as a denoiser: L-Cool's network for images (lcool.arch.tiramisu).

FC-DenseNet (Jégou et al. 2017) is a U-Net of densely connected blocks: every layer sees the maps
of all earlier layers of its block and adds `growth` new ones. L-Cool takes its 67-layer variant.
The class scores and the dropout of the segmentation network make no sense for a denoiser: the
last 1x1 convolution gives the denoised image itself, without softmax, and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from domain_translation.training.model_files import Storable


class Tiramisu(Storable):
    """FC-DenseNet on images (B, in_channels, H, W) -> (B, out_channels, H, W), linear output.

    Going up, transposed convolutions double the size and add the row and column that pooling
    may have lost; what is more than the skip connection holds is cropped. Any H and W of at
    least 2^levels pixels (32 for five levels) therefore keep their size, odd ones included.
    With the default blocks it has 67 convolutions and 3,460,931 parameters.

    Use it in evaluation mode (`eval()`): in training mode batch normalisation uses the mean and
    variance of the batch, and the denoised image, hence the score and the cooled image, would
    depend on which other images stand beside it.

    Args:
        in_channels, out_channels: 3 and 3 for a denoiser of colour images.
        first: maps of the first convolution.
        growth: maps that each dense layer adds.
        down: dense layers of each block on the way down, finest first.
        bottleneck: dense layers at the coarsest size.
        up: dense layers of each block on the way up, coarsest first.

    Raises:
        ValueError: `down` and `up` differ in length; an image smaller than 2^levels.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        *,
        first: int = 48,
        growth: int = 16,
        down: Sequence[int] = (5,) * 5,
        bottleneck: int = 5,
        up: Sequence[int] = (5,) * 5,
    ) -> None:
        super().__init__()
        if len(down) != len(up):
            raise ValueError(
                f"there are {len(down)} blocks down and {len(up)} up; give as many of both, so "
                f"that the image keeps its size"
            )
        self.first = nn.Conv2d(in_channels, first, 3, padding=1)
        self.down, self.pool = nn.ModuleList(), nn.ModuleList()
        self.unpool, self.up = nn.ModuleList(), nn.ModuleList()
        maps, skips = first, []
        for layers in down:
            self.down.append(DenseBlock(maps, growth, layers))
            maps += growth * layers
            skips.append(maps)
            self.pool.append(_transition_down(maps))
        self.bottleneck = DenseBlock(maps, growth, bottleneck)
        new = growth * bottleneck
        for layers, skip in zip(up, reversed(skips), strict=True):
            self.unpool.append(nn.ConvTranspose2d(new, new, 3, stride=2))
            maps = new + skip
            self.up.append(DenseBlock(maps, growth, layers))
            new = growth * layers
        self.last = nn.Conv2d(maps + new, out_channels, 1)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        smallest = 2 ** len(self.down)
        if min(x.shape[-2:]) < smallest:
            raise ValueError(
                f"the images are {x.shape[-2]}x{x.shape[-1]}; this network halves them "
                f"{len(self.down)} times and needs at least {smallest}x{smallest} pixels"
            )
        x, skips = self.first(x), []
        for block, pool in zip(self.down, self.pool, strict=True):
            x = torch.cat([x, block(x)], 1)
            skips.append(x)
            x = pool(x)
        new = self.bottleneck(x)
        for unpool, block in zip(self.unpool, self.up, strict=True):
            skip = skips.pop()
            x = torch.cat([unpool(new)[..., : skip.shape[-2], : skip.shape[-1]], skip], 1)
            # The maps a block was given are not passed up again, only the new ones: otherwise
            # the number of maps would explode on the way up.
            new = block(x)
        return self.last(torch.cat([x, new], 1))


class DenseBlock(nn.Module):
    """`layers` densely connected layers; returns the new maps only, (B, growth * layers, H, W)."""

    def __init__(self, maps: int, growth: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(maps + i * growth),
                nn.ReLU(),
                nn.Conv2d(maps + i * growth, growth, 3, padding=1),
            )
            for i in range(layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        new: list[Tensor] = []
        for layer in self.layers:
            new.append(layer(torch.cat([x, *new], 1)))
        return torch.cat(new, 1)


def _transition_down(maps: int) -> nn.Module:
    return nn.Sequential(nn.BatchNorm2d(maps), nn.ReLU(), nn.Conv2d(maps, maps, 1), nn.MaxPool2d(2))


def _initialise(module: nn.Module) -> None:
    """He's uniform initialisation, as in the Tiramisu paper."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
