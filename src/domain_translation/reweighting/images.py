"""Translators of images by JD-BW: the networks of a configuration, and how to use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from domain_translation.reweighting.config import ImageConfig
from domain_translation.reweighting.discriminator import JointDiscriminator
from domain_translation.reweighting.generators import Generator128, StochasticGenerator, draw_noise
from domain_translation.reweighting.joint import Networks
from domain_translation.reweighting.weight_nets import WeightNet
from domain_translation.reweighting.weighting import Composite, Equal, OneArgument, TwoArguments
from domain_translation.runtime import in_parts, seeded
from domain_translation.sampling.inputs import asking, examples


def _composite(config: ImageConfig, a: int, b: int) -> nn.Module:
    width = config.weight_width
    return Composite(WeightNet(config.size, a, width), WeightNet(config.size, b, width))


def _one_argument(config: ImageConfig, a: int, b: int) -> nn.Module:
    return OneArgument(WeightNet(config.size, a, config.weight_width))


def _two_arguments(config: ImageConfig, a: int, b: int) -> nn.Module:
    return TwoArguments(WeightNet(config.size, a + b, config.weight_width))


def _equal(config: ImageConfig, a: int, b: int) -> nn.Module:
    return Equal()


# The three designs of B.1, and no weights at all.
WEIGHTINGS: Mapping[str, Callable[[ImageConfig, int, int], nn.Module]] = {
    "composite": _composite,
    "one argument": _one_argument,
    "two arguments": _two_arguments,
    "none": _equal,
}


def small(config: ImageConfig, inside: int, out: int) -> nn.Module:
    """A generator of 32x32 images, after the lost Table 2."""
    c = config
    return StochasticGenerator(
        inside, out, c.width, c.blocks, c.noise, c.kernel, c.skip, c.spectral
    )


def large(config: ImageConfig, inside: int, out: int) -> nn.Module:
    """A generator of 128x128 images: MUNIT's, with noise (jdbw.arch.gen128)."""
    return Generator128(inside, out, config.width, config.blocks, config.noise)


def networks(
    config: ImageConfig,
    channels: tuple[int, int] = (1, 1),
    weighting: str = "composite",
    seed: int = 0,
    generator: Callable[[ImageConfig, int, int], nn.Module] = small,
) -> Networks:
    """Untrained networks for images of `channels` in the two domains.

    Args:
        config: widths, size, noise.
        channels: of the first and of the second domain.
        weighting: one of `WEIGHTINGS`.
        seed: of the initial weights.
        generator: `small`, or `large` for 128x128.

    Raises:
        ValueError: a weighting that is not one of `WEIGHTINGS`.
    """
    if weighting not in WEIGHTINGS:
        raise ValueError(f"weighting is {weighting!r}; choose {', '.join(map(repr, WEIGHTINGS))}")
    a, b = channels

    with seeded(seed):
        return Networks(
            generator(config, a, b),
            generator(config, b, a),
            JointDiscriminator(config.size, a, b, config.critic_width, config.spectral),
            WEIGHTINGS[weighting](config, a, b),
        )


def translate(generator: nn.Module, x: Tensor, length: int, seed: int = 0) -> Tensor:
    """Translations of points (n, d) or images (n, C, S, S); each has `length` numbers of noise."""
    x = examples(x, "x", like=generator)
    noise = torch.Generator(x.device).manual_seed(seed)
    with asking("the translator", x):
        return in_parts(lambda part: generator(part, draw_noise(len(part), length, noise)), x)
