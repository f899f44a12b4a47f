"""The joint discriminator of JD-BW, Table 1 (jdbw.tab1, jdbw.arch.jd)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from domain_translation.training.model_files import Storable

_DOWN = 16  # four convolutions of stride 2


def plain(layer: nn.Module) -> nn.Module:
    """The layer as it is, where others put spectral normalisation around it."""
    return layer


class Residual(nn.Module):
    """x + two 3x3 convolutions, `width` maps in and out."""

    def __init__(self, width: int, spectral: bool = False) -> None:
        super().__init__()
        norm = spectral_norm if spectral else plain
        self.convs = nn.Sequential(
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, width, 3, padding=1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, width, 3, padding=1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.convs(x)


class JointDiscriminator(Storable):
    """Pairs (B, channels_x, S, S), (B, channels_y, S, S) to values (B,).

    Three branches, for x, for y and for both together; the middle one takes the others in at
    every level. The two residual blocks act on its maps before the concatenation: the most
    literal of five readings, 4,592,769 parameters for grey pairs of 32x32. Activations are not in
    the paper; LeakyReLU(0.2) as in DCGAN. At other sizes only the first linear layer changes.

    Args:
        size: side S, a power of two of at least 16.
        channels_x, channels_y: of the two domains.
        width: maps of the outer branches' first level, 32 in the paper.
        spectral: spectral normalisation of every layer (jdbw.train.reg).

    Raises:
        ValueError: another size, or (when called) images of another size.
    """

    def __init__(
        self,
        size: int = 32,
        channels_x: int = 1,
        channels_y: int = 1,
        width: int = 32,
        spectral: bool = False,
    ) -> None:
        super().__init__()
        if size < 16 or size & (size - 1):
            raise ValueError(f"size is {size}; give a power of two, at least 16")
        norm = spectral_norm if spectral else plain
        self.size = size

        def conv(inside: int, out: int) -> nn.Sequential:
            return nn.Sequential(
                norm(nn.Conv2d(inside, out, 4, stride=2, padding=1)), nn.LeakyReLU(0.2)
            )

        w = width
        self.x = nn.ModuleList([conv(channels_x, w), conv(w, 2 * w), conv(2 * w, 4 * w)])
        self.y = nn.ModuleList([conv(channels_y, w), conv(w, 2 * w), conv(2 * w, 4 * w)])
        self.both = nn.ModuleList(
            [
                conv(channels_x + channels_y, 2 * w),
                conv(4 * w, 4 * w),
                conv(8 * w, 8 * w),
                conv(16 * w, 8 * w),
            ]
        )
        self.blocks = nn.Sequential(Residual(4 * w, spectral), Residual(4 * w, spectral))
        self.head = nn.Sequential(
            norm(nn.Linear(8 * w * (size // _DOWN) ** 2, 8 * w)),
            nn.LeakyReLU(0.2),
            norm(nn.Linear(8 * w, 1)),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        for images in (x, y):
            if images.shape[-2:] != (self.size, self.size):
                raise ValueError(
                    f"pairs have sizes {tuple(x.shape[-2:])} and {tuple(y.shape[-2:])}; this "
                    f"discriminator was built for {self.size}x{self.size} images on both sides"
                )
        both = self.both[0](torch.cat([x, y], 1))
        for level in range(3):
            x, y = self.x[level](x), self.y[level](y)
            if level == 1:
                both = self.blocks(both)
            both = self.both[level + 1](torch.cat([x, both, y], 1))
        return self.head(both.flatten(1))[:, 0]
