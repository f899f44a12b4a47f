"""JD-BW's generators: an image and a noise vector in, an image out.

The table with the 32x32 generator is lost (jdbw.tab2); its caption and the text fix stride and
kernel, residual blocks of two 3x3 convolutions, noise repeated over space and concatenated
halfway, and spectral normalisation. Widths, depth and activations are declared here
(jdbw.arch.gen32).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from domain_translation.reweighting.discriminator import Residual, plain
from domain_translation.training.model_files import Storable

SKIP = 2.0  # tanh(2) = 0.96: with the skip an untrained generator is close to the identity


class StochasticGenerator(Storable):
    """Images (B, channels_in, S, S) in [-1, 1] and noise (B, noise) to (B, channels_out, S, S).

    A 4x4 convolution of stride 2, a convolution of `kernel`, residual blocks, the same way back,
    tanh. With `skip`, the input is added before the tanh, so that training starts near the
    identity: the implicit bias that JD-BW 3.4 relies on, made explicit.

    Args:
        channels_in, channels_out: of the two domains.
        width: maps of the first convolution, 64 in our reading; twice as many inside.
        blocks: residual blocks, an even number; half of them before the noise comes in.
        noise: length d of the noise vector, 8 or 16 in the paper.
        kernel: of the second convolution: 4 (stride 2) for MNIST and SR-MNIST, 1 (stride 1) for
            MNIST and SVHN.
        skip: whether the input is added to the output.
        spectral: spectral normalisation of every layer.

    Raises:
        ValueError: an odd number of blocks, or a kernel other than 1 and 4.
    """

    def __init__(
        self,
        channels_in: int = 1,
        channels_out: int = 1,
        width: int = 64,
        blocks: int = 4,
        noise: int = 8,
        kernel: int = 4,
        skip: bool = True,
        spectral: bool = True,
    ) -> None:
        super().__init__()
        if blocks % 2 or blocks < 2 or kernel not in (1, 4):
            raise ValueError(
                f"blocks is {blocks} and kernel {kernel}; give an even number of blocks and a "
                "kernel of 1 or 4"
            )
        norm = spectral_norm if spectral else plain
        stride, pad = (2, 1) if kernel == 4 else (1, 0)
        deep, mixed = 2 * width, 2 * width + noise
        self.noise, self.skip = noise, skip
        self.encode = nn.Sequential(
            norm(nn.Conv2d(channels_in, width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            norm(nn.Conv2d(width, deep, kernel, stride, pad)),
            *(Residual(deep, spectral) for _ in range(blocks // 2)),
        )
        self.decode = nn.Sequential(
            *(Residual(mixed, spectral) for _ in range(blocks // 2)),
            nn.LeakyReLU(0.2),
            norm(nn.ConvTranspose2d(mixed, width, kernel, stride, pad)),
            nn.LeakyReLU(0.2),
            norm(nn.ConvTranspose2d(width, channels_out, 4, 2, 1)),
        )
        self.channels_out = channels_out

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        maps = self.encode(x)
        everywhere = z[:, :, None, None].expand(-1, -1, *maps.shape[-2:])
        step = self.decode(torch.cat([maps, everywhere], 1))
        if self.skip:
            step = step + SKIP * as_channels(x, self.channels_out)
        return step.tanh()


def as_channels(x: Tensor, channels: int) -> Tensor:
    """Images (B, C, S, S) with another number of channels: their mean over channels, repeated."""
    if x.shape[1] == channels:
        return x
    return x.mean(1, keepdim=True).expand(-1, channels, -1, -1)


def draw_noise(n: int, length: int, generator: torch.Generator) -> Tensor:
    """Noise (n, length), uniform on [-1, 1].

    JD-BW samples "uniformly from R^d", which no law does; the range is declared.
    """
    return 2 * torch.rand(n, length, generator=generator, device=generator.device) - 1


# ---- 128x128: MUNIT's generator without AdaIN (jdbw.arch.gen128)
#
# Spectral normalisation stands in for every other one. JD-BW does not say that the instance
# normalisation of MUNIT's first blocks goes as well, but it must: noise that is repeated over space
# adds a constant to every map, and instance normalisation subtracts constants.


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
