"""Five small networks of different families that tell two image domains apart.

Plain convolutions, residual ones (He et al. 2016), densely connected ones (Huang et al. 2017),
depthwise-separable ones (Howard et al. 2017) and a patch mixer without convolutions between
patches (Tolstikhin et al. 2021), each at a few ten thousand parameters.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from domain_translation.training.model_files import Storable

_PATCH = 8  # side of the mixer's patches in pixels


class ImageJudges(Storable, nn.ModuleDict):
    """Five judges, each (B, 3, size, size) in [-1, 1] -> logits (B, 2).

    Class 0 is the source domain, class 1 the target domain. Each judge has fewer than 60,000
    parameters. The convolutional ones average over positions at the end; the mixer has a weight
    for every pair of positions and therefore works at the size it was made for only.

    Raises:
        ValueError: `size` is not a positive multiple of 8.
    """

    def __init__(self, size: int = 64) -> None:
        if size <= 0 or size % _PATCH:
            raise ValueError(f"size is {size}; give the side of the images, a multiple of {_PATCH}")
        super().__init__(
            {
                "plain": _plain(),
                "residual": _residual(),
                "dense": _dense(),
                "separable": _separable(),
                "mixer": _mixer(size),
            }
        )


def _convolution(inside: int, out: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, out, 3, stride, 1, groups=groups, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(),
    )


def _answer(maps: int) -> list[nn.Module]:
    """Average over positions, then two logits."""
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(maps, 2)]


def _plain() -> nn.Module:
    widths = (3, 16, 24, 48, 64)
    layers = [_convolution(a, b, stride=2) for a, b in pairwise(widths)]
    return nn.Sequential(*layers, *_answer(64))


class _Residual(nn.Module):
    """x + two convolutions."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.step = nn.Sequential(
            _convolution(maps, maps), nn.Conv2d(maps, maps, 3, padding=1, bias=False)
        )
        self.norm = nn.BatchNorm2d(maps)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.step(x)))


def _residual() -> nn.Module:
    layers: list[nn.Module] = [_convolution(3, 12, stride=2)]
    for a, b in pairwise((12, 24, 40)):
        layers += [_convolution(a, b, stride=2), _Residual(b)]
    return nn.Sequential(*layers, *_answer(40))


class _Dense(nn.Module):
    """The maps and `growth` new ones made from all of them."""

    def __init__(self, maps: int, growth: int) -> None:
        super().__init__()
        self.new = _convolution(maps, growth)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.new(x)], 1)


def _dense() -> nn.Module:
    layers: list[nn.Module] = [_convolution(3, 12, stride=2)]
    maps = 12
    for _ in range(2):
        layers.append(nn.MaxPool2d(2))
        for _ in range(4):
            layers.append(_Dense(maps, 10))
            maps += 10
    return nn.Sequential(*layers, *_answer(maps))


def _separable() -> nn.Module:
    layers: list[nn.Module] = [_convolution(3, 16, stride=2)]
    for a, b in pairwise((16, 32, 64, 96, 128)):
        layers.append(_convolution(a, a, stride=2 if b < 128 else 1, groups=a))
        layers += [nn.Conv2d(a, b, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(*layers, *_answer(128))


class _Mix(nn.Module):
    """Patches exchange what they see, then each works on its own: (B, patches, maps), same out."""

    def __init__(self, patches: int, maps: int, hidden: int) -> None:
        super().__init__()
        self.across = nn.Sequential(
            nn.Linear(patches, hidden), nn.GELU(), nn.Linear(hidden, patches)
        )
        self.within = nn.Sequential(nn.Linear(maps, hidden), nn.GELU(), nn.Linear(hidden, maps))
        self.before, self.between = nn.LayerNorm(maps), nn.LayerNorm(maps)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.across(self.before(x).mT).mT
        return x + self.within(self.between(x))


class _Mixer(nn.Module):
    """Non-overlapping patches, mixed without any convolution between them."""

    def __init__(self, patches: int, maps: int, hidden: int) -> None:
        super().__init__()
        self.cut = nn.Conv2d(3, maps, _PATCH, _PATCH)
        self.mix = nn.Sequential(*(_Mix(patches, maps, hidden) for _ in range(3)))
        self.norm, self.answer = nn.LayerNorm(maps), nn.Linear(maps, 2)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.mix(self.cut(x).flatten(2).mT)
        return self.answer(self.norm(patches).mean(1))


def _mixer(size: int) -> nn.Module:
    return _Mixer(patches=(size // _PATCH) ** 2, maps=48, hidden=64)
