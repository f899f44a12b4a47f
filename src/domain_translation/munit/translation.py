"""Translating with a trained MUNIT: content from one domain, style drawn or taken from an image.

A style code is MUNIT's noise: N(0, 1) in each of its numbers, one code for each image. The same
code given to two images should mean the same style; what it means in fact is measured, not
assumed (jdbw.claim.noise).
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from domain_translation.munit.losses import draw_styles
from domain_translation.munit.networks import AutoEncoder

_PART = 256  # images at a time; bounds the memory


@torch.no_grad()
def restyle(source: AutoEncoder, target: AutoEncoder, x: Tensor, style: Tensor) -> Tensor:
    """Images (n, C, S, S) of `source` as images (n, C', S, S) of `target`, with styles (n, length).

    Raises:
        ValueError: not one style code for each image.
    """
    if len(style) != len(x):
        raise ValueError(f"{len(style)} style codes for {len(x)} images; give one for each")
    parts = zip(torch.split(x, _PART), torch.split(style, _PART), strict=True)
    return torch.cat([target.decode(source.content(a), z) for a, z in parts])


def translate(source: AutoEncoder, target: AutoEncoder, x: Tensor, seed: int = 0) -> Tensor:
    """Images (n, C, S, S) of `source` in `target`, with a style code of its own for each.

    The codes depend on `seed` and on n only, not on the images.
    """
    generator = Generator(x.device).manual_seed(seed)
    return restyle(source, target, x, draw_styles(len(x), target.length, generator))


@torch.no_grad()
def style_of(domain: AutoEncoder, x: Tensor) -> Tensor:
    """Style codes (n, length) of images (n, C, S, S).

    `restyle(domain, domain, x, style_of(domain, x))` is x rebuilt; with the style of the
    original, a translation is brought back to it.
    """
    return torch.cat([domain.style(part) for part in torch.split(x, _PART)])
