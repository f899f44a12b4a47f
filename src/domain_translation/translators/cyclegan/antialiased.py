"""CUT's generator: CycleGAN's ResNet whose sampling steps blur before they halve and after they
double (Park et al. 2020, arXiv:2007.15651, with the filters of Zhang 2019, arXiv:1904.11486).

Layers are numbered as in the authors' `state_dict`s, the binomial filters `filt` among them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, pad

from domain_translation.training.model_files import Storable
from domain_translation.translators.cyclegan.networks import ResidualBlock


class Downsample(nn.Module):
    """Binomial blur of 3 pixels, then every second pixel: (B, width, H, W) to half the sides."""

    filt: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("filt", _binomial([1.0, 2.0, 1.0], width))

    def forward(self, x: Tensor) -> Tensor:
        x = pad(x, (1, 1, 1, 1), mode="reflect")
        return conv2d(x, self.filt, stride=2, groups=len(self.filt))


class Upsample(nn.Module):
    """Every pixel four times, through a binomial blur of 4 pixels: to twice the sides."""

    filt: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("filt", 4 * _binomial([1.0, 3.0, 3.0, 1.0], width))

    def forward(self, x: Tensor) -> Tensor:
        x = pad(x, (1, 1, 1, 1), mode="replicate")
        y = conv_transpose2d(x, self.filt, stride=2, padding=2, groups=len(self.filt))
        return y[:, :, 1:-1, 1:-1]


def _binomial(row: list[float], width: int) -> Tensor:
    """The filter of one map, for `width` of them: (width, 1, k, k), each of sum 1."""
    filt = torch.outer(torch.tensor(row), torch.tensor(row))
    return (filt / filt.sum()).repeat(width, 1, 1, 1)


class AntialiasedGenerator(Storable):
    """Images (B, in_channels, H, W) in [-1, 1] to (B, out_channels, H, W) in [-1, 1].

    H and W are multiples of 4 and at least 12. CUT's published generators have the default
    width and blocks.

    Args:
        in_channels, out_channels: of the two domains.
        width: maps after the first convolution; four times as many inside.
        blocks: residual blocks.
    """

    def __init__(
        self, in_channels: int = 3, out_channels: int = 3, width: int = 64, blocks: int = 9
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, width, 7)]
        layers += [nn.InstanceNorm2d(width), nn.ReLU(inplace=True)]
        for w in (width, 2 * width):
            layers += [nn.Conv2d(w, 2 * w, 3, padding=1), nn.InstanceNorm2d(2 * w)]
            layers += [nn.ReLU(inplace=True), Downsample(2 * w)]
        layers += [ResidualBlock(4 * width) for _ in range(blocks)]
        for w in (2 * width, width):
            layers += [Upsample(2 * w), nn.Conv2d(2 * w, w, 3, padding=1)]
            layers += [nn.InstanceNorm2d(w), nn.ReLU(inplace=True)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)
