"""MUNIT's networks (Huang et al. 2018): encoders, an AdaIN decoder, critics.

Layers, kernels and widths are those of the published configuration; so are reflection padding and
the initialisation. Two things differ: instance normalisation uses the image's own statistics after
training as well, and the layer normalisation of the decoder starts at scale 1.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm, relu


def convolution(inside: int, out: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the side, or halves it with a 4x4 kernel of stride 2."""
    pad = (kernel - 1) // 2
    return nn.Conv2d(inside, out, kernel, stride, pad, padding_mode="reflect")


def adain(maps: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Maps (B, C, H, W) with their means and standard deviations replaced (B, C).

    Huang and Belongie 2017; the new standard deviation is |scale|, but for the 1e-5 that is added
    to the old variance.
    """
    return instance_norm(maps) * scale[:, :, None, None] + mean[:, :, None, None]


class InstanceBlock(nn.Module):
    """x + two 3x3 convolutions with instance normalisation, `width` maps in and out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(width, width, 3),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            convolution(width, width, 3),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class AdaINBlock(nn.Module):
    """x + two 3x3 convolutions; the style says which mean and scale their maps have."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = convolution(width, width, 3), convolution(width, width, 3)

    def forward(self, x: Tensor, moments: Tensor) -> Tensor:
        """Maps (B, C, H, W) and moments (B, 4, C): mean and scale, twice."""
        mean, scale, mean_2, scale_2 = moments.unbind(1)
        inner = relu(adain(self.first(x), mean, scale))
        return x + adain(self.second(inner), mean_2, scale_2)


def content_encoder(channels: int, width: int, blocks: int, halvings: int = 2) -> nn.Sequential:
    """Images (B, channels, S, S) to content (B, width 2^h, S/2^h, S/2^h), h = `halvings`."""
    layers: list[nn.Module] = [convolution(channels, width, 7), nn.InstanceNorm2d(width), nn.ReLU()]
    w = width
    for _ in range(halvings):
        layers += [convolution(w, 2 * w, 4, 2), nn.InstanceNorm2d(2 * w), nn.ReLU()]
        w *= 2
    return nn.Sequential(*layers, *(InstanceBlock(w) for _ in range(blocks)))


def style_encoder(channels: int, width: int, style: int) -> nn.Sequential:
    """Images (B, channels, S, S), S at least 16, to style (B, style).

    No normalisation: it would remove the means and deviations that style is about.
    """
    layers: list[nn.Module] = [convolution(channels, width, 7), nn.ReLU()]
    for a, b in pairwise([width, 2 * width, 4 * width, 4 * width, 4 * width]):
        layers += [convolution(a, b, 4, 2), nn.ReLU()]
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Conv2d(4 * width, style, 1), nn.Flatten()]
    return nn.Sequential(*layers, *pooled)


class Decoder(nn.Module):
    """Content (B, width 2^h, S/2^h, S/2^h) and style (B, style) to images (B, channels, S, S)."""

    def __init__(
        self, channels: int, width: int, blocks: int, style: int, hidden: int, halvings: int = 2
    ) -> None:
        super().__init__()
        deep = width * 2**halvings
        self.moments = nn.Sequential(
            nn.Linear(style, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, blocks * 4 * deep),
            nn.Unflatten(1, (blocks, 4, deep)),
        )
        self.blocks = nn.ModuleList(AdaINBlock(deep) for _ in range(blocks))
        layers: list[nn.Module] = []
        for w in (deep >> i for i in range(halvings)):
            # One group of all maps: layer normalisation, an instance normalisation would undo AdaIN
            layers += [nn.Upsample(scale_factor=2), convolution(w, w // 2, 5)]
            layers += [nn.GroupNorm(1, w // 2), nn.ReLU()]
        self.up = nn.Sequential(*layers, convolution(width, channels, 7), nn.Tanh())

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        maps = content
        for block, moments in zip(self.blocks, self.moments(style).unbind(1), strict=True):
            maps = block(maps, moments)
        return self.up(maps)


class AutoEncoder(nn.Module):
    """One domain's encoders and decoder; images (B, channels, S, S) in [-1, 1].

    A translation takes the content from one domain's auto-encoder and decodes it in the other's:
    `target.decode(source.content(x), style)`.

    Args:
        channels: of the images.
        width: maps of the first convolutions, 64 in the paper; doubled by each halving.
        blocks: residual blocks of the content encoder, and of the decoder.
        style: length of a style code.
        hidden: units of the two hidden layers between a style code and the AdaIN moments.
        halvings: convolutions of stride 2 of the content encoder, 2 in the paper.
    """

    def __init__(
        self,
        channels: int,
        width: int = 64,
        blocks: int = 4,
        style: int = 8,
        hidden: int = 256,
        halvings: int = 2,
    ) -> None:
        super().__init__()
        self.length = style
        self.content = content_encoder(channels, width, blocks, halvings)
        self.style = style_encoder(channels, width, style)
        self.decode = Decoder(channels, width, blocks, style, hidden, halvings)

    def forward(self, x: Tensor) -> Tensor:
        """Images from their own content and style."""
        return self.decode(self.content(x), self.style(x))


class MultiScaleDiscriminator(nn.Module):
    """Images (B, channels, S, S) to one map of scores per scale, (B, 1, s, s).

    The same layout, with weights of its own, on the image, its half, its quarter.

    Args:
        channels: of the images.
        width: maps of the first convolution, doubled by each further one.
        layers: convolutions of stride 2.
        scales: number of scales; the coarsest image needs 2 ** layers pixels a side.
    """

    def __init__(self, channels: int, width: int = 64, layers: int = 4, scales: int = 3) -> None:
        super().__init__()

        def one() -> nn.Sequential:
            widths = [channels, *(width * 2**i for i in range(layers))]
            stack: list[nn.Module] = []
            for a, b in pairwise(widths):
                stack += [convolution(a, b, 4, 2), nn.LeakyReLU(0.2)]
            return nn.Sequential(*stack, nn.Conv2d(widths[-1], 1, 1))

        self.scales = nn.ModuleList(one() for _ in range(scales))
        self.halve = nn.AvgPool2d(3, 2, 1, count_include_pad=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        scores = []
        for i, scale in enumerate(self.scales):
            x = x if i == 0 else self.halve(x)
            scores.append(scale(x))
        return scores


@torch.no_grad()
def initialise(autoencoder: nn.Module, critic: nn.Module) -> None:
    """Kaiming's weights for the one, N(0, 0.02^2) for the other, biases 0, as published."""
    for network, draw in (
        (autoencoder, nn.init.kaiming_normal_),
        (critic, lambda weight: nn.init.normal_(weight, 0.0, 0.02)),
    ):
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
                draw(module.weight)
                nn.init.zeros_(module.bias)
