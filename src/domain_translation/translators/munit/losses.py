"""MUNIT's losses: what is found again, within a domain and across, and LSGAN at several scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from domain_translation.translators.munit.config import MUNITConfig
from domain_translation.translators.munit.networks import AutoEncoder


class Crossing(NamedTuple):
    """A minibatch of both domains, rebuilt and translated.

    Attributes:
        gx: x in the second domain, with a random style.
        fy: y in the first domain, with a random style.
        again: loss of all that should be found again, weighted (scalar).
    """

    gx: Tensor
    fy: Tensor
    again: Tensor


def distance(a: Tensor, b: Tensor) -> Tensor:
    """Mean absolute difference."""
    return (a - b).abs().mean()


def draw_styles(n: int, length: int, generator: Generator) -> Tensor:
    """Style codes (n, length) from N(0, 1)."""
    return torch.randn(n, length, generator=generator, device=generator.device)


def cross(
    x: Tensor,
    y: Tensor,
    domain_x: AutoEncoder,
    domain_y: AutoEncoder,
    config: MUNITConfig,
    generator: Generator,
) -> Crossing:
    """Rebuild and translate minibatches x and y, and compare what went in with what comes back.

    Each decoder makes the reconstructions and the translations of its domain in one pass.
    """
    m, k = len(x), len(y)
    style_y = draw_styles(m, config.style, generator)
    style_x = draw_styles(k, config.style, generator)
    content_x, content_y = domain_x.content(x), domain_y.content(y)
    own_x, own_y = domain_x.style(x), domain_y.style(y)
    # Huang et al. eq. 1 (image), eq. 2 (content) and eq. 3 (style), each in both domains
    in_x = domain_x.decode(torch.cat([content_x, content_y]), torch.cat([own_x, style_x]))
    in_y = domain_y.decode(torch.cat([content_y, content_x]), torch.cat([own_y, style_y]))
    fy, gx = in_x[m:], in_y[k:]
    content_gx, content_fy = domain_y.content(gx), domain_x.content(fy)
    image = distance(in_x[:m], x) + distance(in_y[:k], y)
    content = distance(content_gx, content_x) + distance(content_fy, content_y)
    style = distance(domain_y.style(gx), style_y) + distance(domain_x.style(fy), style_x)
    again = (
        config.lambda_image * image + config.lambda_content * content + config.lambda_style * style
    )
    if config.lambda_cycle:  # there and back in the image's own style; Huang et al. 5.1
        back_x, back_y = domain_x.decode(content_gx, own_x), domain_y.decode(content_fy, own_y)
        again = again + config.lambda_cycle * (distance(back_x, x) + distance(back_y, y))
    return Crossing(gx, fy, again)


def squares(scores: Sequence[Tensor], target: float) -> Tensor:
    """LSGAN's loss of each image (B,): mean squared distance from `target`, summed over scales."""
    each = [(score - target).square().flatten(1).mean(1) for score in scores]
    return torch.stack(each).sum(0)


def values(scores: Sequence[Tensor]) -> Tensor:
    """The critic's value of each image (B,): mean score over places and scales."""
    return torch.stack([score.flatten(1).mean(1) for score in scores]).mean(0)


def split(scores: Sequence[Tensor], first: int) -> tuple[list[Tensor], list[Tensor]]:
    """Scores of the first images of a batch, and of the others."""
    return [s[:first] for s in scores], [s[first:] for s in scores]
