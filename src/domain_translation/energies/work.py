"""What training and sampling an energy take in arithmetic, counted without doing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import nn

from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.network import EnergyNetwork
from domain_translation.training.cost import multiplications, parameters


class Work(NamedTuple):
    """Floating-point operations; a multiply-add is two."""

    training: float  # of the whole schedule
    sample: float  # of one image by the last stage's chain
    parameters: int  # of the settled network


def work(config: CFEBMConfig, channels: int = 3) -> Work:
    """Operations of Algorithm 1 by `config`, and of one sample.

    A gradient with respect to the image costs two passes (there and back); one with respect to
    the weights three, for a real image and a sample each. Fading adds the coarse chain, on
    average half of it during the first half of a stage; Fade itself is not counted.
    """
    training, coarse, per_image = 0.0, 0.0, 0.0
    for size, images, steps in zip(config.sizes, config.images, config.steps, strict=True):
        forward = 2.0 * _pass(_network(config, size, channels), channels, size)
        chain = steps * 2 * forward
        training += images * (chain + 2 * 3 * forward + coarse / 4)
        coarse, per_image = chain, chain
    network = _network(config, config.sizes[-1], channels)()
    return Work(training, per_image, parameters(network))


def _network(config: CFEBMConfig, size: int, channels: int) -> Callable[[], nn.Module]:
    return lambda: EnergyNetwork(
        size, config.c, channels, config.activation, config.residual_kernel
    )


def _pass(make: Callable[[], nn.Module], channels: int, size: int) -> int:
    return multiplications(make, (1, channels, size, size))


def short_run_network(maps: int = 64, channels: int = 3) -> nn.Module:
    """The 32x32 energy of Nijkamp et al. (2019) in Table 3: images (B, C, 32, 32) -> (B, 1, 1, 1).

    Five convolutions without normalisation, 2,763,393 parameters at 64 maps and colour; its
    chains have 100 steps. Rebuilt from the authors' published code.
    """
    layers: list[nn.Module] = [nn.Conv2d(channels, maps, 3, 1, 1), nn.LeakyReLU(0.2)]
    for k in (1, 2, 4):
        layers += [nn.Conv2d(k * maps, 2 * k * maps, 4, 2, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(8 * maps, 1, 4))
