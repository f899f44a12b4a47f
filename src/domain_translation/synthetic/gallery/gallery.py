"""Pictures of animals with an exactly known density, and an exactly known translation.

A picture is linear in its colours and its light once the pose is fixed: sky, ground and coat are
masks times colours, light is a ramp, dapples and tufts are small patterns. With Gaussian colours
and light each pose is a Gaussian with few wide directions, all poses together are a
`LowRankMixture`, and its density, score and posterior are closed forms. The second domain shares
pose, ground and light and has a striped coat, so the true translation of every scene and the best
possible translator are known as well.

Pictures are float32 (n, 3, size, size) around [-1, 1]; colours are Gaussian, so a few values leave
that range.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from domain_translation.sampling.densities.low_rank import LowRankMixture
from domain_translation.synthetic.gallery.poses import POSES, RARE, Masks, masks

GRAIN = 0.03  # standard deviation of the film grain of every pixel

# Mean colours in [-1, 1].
_SKY, _HILL, _GROUND = (-0.25, 0.25, 0.75), (-0.42, -0.12, 0.02), (0.12, 0.22, -0.42)
_COAT, _PALE, _DARK = (0.10, -0.32, -0.58), (0.76, 0.70, 0.58), (-0.80, -0.82, -0.84)
# Colours vary in brightness and between warm and cool; green and magenta casts do not occur.
_BRIGHT, _WARM = (1.0, 0.95, 0.90), (1.0, 0.05, -0.9)
_COAT_KEPT = 0.35  # share of the coat's own colour that shows between the stripes


class KnownScenes(NamedTuple):
    """The same n scenes in both domains, with what they were made of.

    Attributes:
        source: plain animals (n, 3, size, size), float32.
        target: the same animals striped, same shape: the true translation.
        pose: (n,) int64, index of the pose.
        latents: colours and light in standard deviations, (n, rank) float64.
    """

    source: Tensor
    target: Tensor
    pose: Tensor
    latents: Tensor


@dataclass(frozen=True)
class Gallery:
    """The two domains and the map between them.

    Attributes:
        source: exact density of the plain animals.
        target: exact density of the striped ones.
        rare: which poses are rare, (K,) bool; together they have a few per cent of the weight.
    """

    source: LowRankMixture
    target: LowRankMixture
    rare: Tensor

    def scenes(
        self,
        n: int,
        generator: Generator | None = None,
        *,
        rare_only: bool = False,
        spread: float = 1.0,
    ) -> KnownScenes:
        """Draw `n` scenes; by default exactly from the density.

        Args:
            n: how many.
            generator: on the CPU.
            rare_only: take rare poses only, in their proportions.
            spread: factor on colours and light; 2.5 gives unusual but possible scenes.
        """
        weights = self.source.weights * self.rare if rare_only else None
        drawn = self.source.draw(n, generator, weights=weights, spread=spread)
        target = self.target.picture(drawn.component, drawn.latents).float() + drawn.noise
        return KnownScenes(drawn.x, target, drawn.component, drawn.latents)

    def translate(self, x: Tensor) -> Tensor:
        """The best translation of x: the posterior mean of the striped picture given the plain.

        The grain is the film's, not the animal's, and is the same in both domains; so the
        translation is x plus the expected paint, E[target - source | x]. No translator has a
        smaller mean squared error on pictures from the source density.
        """
        source, target = self.source, self.target
        return x + source.expected(x, target.means - source.means, target.factors - source.factors)


@functools.cache
def gallery(size: int = 32) -> Gallery:
    """The gallery at `size` pixels; 24 poses, 18 numbers of colour and light.

    Raises ValueError for sizes below 16, where stripes are finer than pixels.
    """
    if size < 16:
        raise ValueError(f"size is {size} pixels; the stripes need at least 16")
    plain, striped = zip(*(_paint(masks(pose, size)) for pose in POSES), strict=True)
    weights = torch.tensor([pose.weight for pose in POSES], dtype=torch.float64)
    source, target = (
        LowRankMixture(
            torch.stack([mean for mean, _ in domain]),
            torch.stack([factors for _, factors in domain]),
            GRAIN,
            weights,
        )
        for domain in (plain, striped)
    )
    return Gallery(source, target, torch.tensor([pose.name in RARE for pose in POSES]))


def _paint(m: Masks) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Mean and factors of a pose, plain and striped: (3, S, S) and (rank, 3, S, S) each."""

    def dyed(mask: Tensor, colour: tuple[float, float, float], size: float = 1.0) -> Tensor:
        return size * torch.tensor(colour, dtype=torch.float64)[:, None, None] * mask

    still = dyed(m.sky, _SKY) + dyed(m.hill, _HILL) + dyed(m.ground, _GROUND) + dyed(m.dark, _DARK)
    pale, dark = m.coat * (1 - m.stripes), m.coat * m.stripes
    shared = [
        dyed(m.sky, _BRIGHT, 0.18), dyed(m.sky, _WARM, 0.14), dyed(m.hill, _BRIGHT, 0.12),
        dyed(m.ground, _BRIGHT, 0.18), dyed(m.ground, _WARM, 0.14),
        dyed(m.across, _BRIGHT, 0.12), dyed(m.down, _BRIGHT, 0.10), dyed(m.belly, _BRIGHT, 0.12),
        dyed(m.cloud[0], _BRIGHT, 0.14), dyed(m.cloud[1], _BRIGHT, 0.10),
        dyed(m.tufts[0], _BRIGHT, 0.05), dyed(m.tufts[1], _BRIGHT, 0.03),
        dyed(m.tufts[2], _BRIGHT, 0.015),
        dyed(m.dapples[0], _BRIGHT, 0.06), dyed(m.dapples[1], _BRIGHT, 0.02),
        dyed(m.blaze, _BRIGHT, 0.20),
    ]  # fmt: skip

    def domain(still: Tensor, coat: Tensor) -> tuple[Tensor, Tensor]:
        colours = [dyed(coat, _BRIGHT, 0.20), dyed(coat, _WARM, 0.14)]
        return still, torch.stack([*colours, *shared])

    striped = still + dyed(pale, _PALE) + dyed(dark, _DARK)
    return domain(still + dyed(m.coat, _COAT), m.coat), domain(striped, _COAT_KEPT * pale)
