"""Translating with a trained MUNIT: content from one domain, style drawn or taken from an image.

A style code is MUNIT's noise: N(0, 1) in each of its numbers, one code for each image. The same
code given to two images should mean the same style; what it means in fact is measured, not
assumed (jdbw.claim.noise).
"""

from __future__ import annotations

from torch import Generator, Tensor

from domain_translation.runtime import in_parts
from domain_translation.sampling.inputs import FAR, asking, pictures
from domain_translation.translators.munit.losses import draw_styles
from domain_translation.translators.munit.networks import AutoEncoder


def restyle(source: AutoEncoder, target: AutoEncoder, x: Tensor, style: Tensor) -> Tensor:
    """Images (n, C, S, S) of `source` as images (n, C', S, S) of `target`, with styles (n, length).

    Raises:
        ValueError: not one style code for each image.
    """
    x = pictures(x, "x", like=source, within=FAR)
    if len(style) != len(x):
        raise ValueError(f"{len(style)} style codes for {len(x)} images; give one for each")
    with asking("the translator", x):
        return in_parts(lambda part, z: target.decode(source.content(part), z), x, style)


def translate(source: AutoEncoder, target: AutoEncoder, x: Tensor, seed: int = 0) -> Tensor:
    """Images (n, C, S, S) of `source` in `target`, with a style code of its own for each.

    The codes depend on `seed` and on n only, not on the images.
    """
    generator = Generator(x.device).manual_seed(seed)
    return restyle(source, target, x, draw_styles(len(x), target.length, generator))
