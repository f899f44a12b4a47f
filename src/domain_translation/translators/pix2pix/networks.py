"""pix2pix's generator: a U-Net whose innermost map is one pixel (improveit.tab2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from domain_translation.training.model_files import Storable


class UnetGenerator(Storable):
    """Images (B, in_channels, H, W) in [-1, 1] to (B, out_channels, H, W) in [-1, 1].

    `depth` convolutions of stride 2 down, as many up, each level handed across; H and W are
    multiples of 2**depth. The published generator for 256x256 has depth 8 and width 64:
    54,413,955 parameters with 3 channels in and out.

    Instance normalisation stands where the original batch of one makes batch normalisation the
    same thing up to its two learned vectors, which are kept; the innermost map, one pixel, has
    no spread to normalise and is left alone.

    Args:
        in_channels, out_channels: of the two domains.
        width: maps of the outermost level; doubled at each level up to 8 times.
        depth: levels.
        dropout: share of maps dropped in the three innermost of the wide levels on the way up,
            in training: pix2pix's source of noise.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 64,
        depth: int = 8,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        maps = [min(2**i, 8) * width for i in range(depth)]
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for i, m in enumerate(maps):
            before = in_channels if i == 0 else maps[i - 1]
            step: list[nn.Module] = [] if i == 0 else [nn.LeakyReLU(0.2)]
            step += [nn.Conv2d(before, m, 4, stride=2, padding=1, bias=False)]
            step += [nn.InstanceNorm2d(m, affine=True)] if 0 < i < depth - 1 else []
            self.down.append(nn.Sequential(*step))
        for i in reversed(range(depth)):
            after = out_channels if i == 0 else maps[i - 1]
            inside = maps[i] if i == depth - 1 else 2 * maps[i]
            step = [nn.ReLU(), nn.ConvTranspose2d(inside, after, 4, 2, 1, bias=i == 0)]
            step += [nn.Tanh()] if i == 0 else [nn.InstanceNorm2d(after, affine=True)]
            step += [nn.Dropout2d(dropout)] if 4 <= i < depth - 1 else []
            self.up.append(nn.Sequential(*step))

    def forward(self, x: Tensor) -> Tensor:
        levels = []
        for step in self.down:
            x = step(x)
            levels.append(x)
        x = levels.pop()
        for step in self.up:
            x = step(x)
            if levels:
                x = torch.cat([levels.pop(), x], 1)
        return x
