"""Drawn heads as photographs and as paintings, in place of CelebA and WikiArt's portraits.

The painting with number i is the photograph with number i under `painterly.painted`: the true
counterpart, which real portraits lack (jdbw.data.portraits). The class says who wears glasses;
its share may differ between the domains.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from domain_translation.synthetic import canvas
from domain_translation.synthetic.heads import head_shapes
from domain_translation.synthetic.painterly import painted
from domain_translation.synthetic.wares import cutouts
from domain_translation.synthetic.wares.cutouts import Array, Finish

STYLES = ("photo", "painted")
NAMES = ("bare", "glasses")  # of the classes 0 and 1
SKIN = np.array(
    [
        (0.95, 0.78, 0.66),
        (0.88, 0.67, 0.53),
        (0.76, 0.54, 0.39),
        (0.56, 0.37, 0.26),
        (0.38, 0.25, 0.18),
    ]
)
HAIR = np.array(
    [
        (0.10, 0.08, 0.07),
        (0.27, 0.17, 0.10),
        (0.48, 0.30, 0.15),
        (0.80, 0.64, 0.34),
        (0.62, 0.60, 0.58),
        (0.55, 0.24, 0.10),
    ]
)
IRIS = np.array([(0.22, 0.13, 0.07), (0.20, 0.33, 0.50), (0.25, 0.38, 0.24)])
FRAMES = np.array([(0.06, 0.06, 0.07), (0.25, 0.09, 0.05), (0.12, 0.14, 0.25)])


class Heads(NamedTuple):
    """Pictures x (n, 3, size, size), float32 in [-1, 1], classes y (n,): 1 with glasses, else 0."""

    x: Tensor
    y: Tensor


def sample(n: int, seed: int, *, size: int = 32, style: str = "photo", share: float = 0.5) -> Heads:
    """Draw n heads with shoulders.

    Head i depends on `seed` and i only, and through its class on `share`: two shares give the
    same person with or without glasses.

    Args:
        n: number of heads, at least 1.
        seed: 0 or larger.
        size: side of the pictures in pixels, at least 16.
        style: "photo" or "painted".
        share: probability of glasses, in [0, 1].

    Raises:
        ValueError: n, seed, size, style or share out of range.
    """
    cutouts.check_request(n, seed, size, style, STYLES, share)

    def paint(rng: np.random.Generator, glasses: bool) -> Array:
        parts = head_shapes.draw(rng, glasses=glasses)
        picture = cutouts.painting(parts, _finishes(rng), _ground(rng, size))
        return np.clip(np.exp(rng.normal(0, 0.06)) * picture, 0, 1)

    x, y = cutouts.pictures(n, seed, share, paint)
    return Heads(painted(x, seed) if style == "painted" else x, y)


def _finishes(rng: np.random.Generator) -> dict[str, Finish]:
    """Colours of a head's slots."""
    skin = SKIN[rng.integers(len(SKIN))] * np.exp(rng.normal(0, 0.05))
    hair = np.clip(HAIR[rng.integers(len(HAIR))] * np.exp(rng.normal(0, 0.12)), 0.04, 0.95)
    cloth, collar = rng.uniform(0.08, 0.85, size=(2, 3))
    rosy = skin * (0.86, 0.55, 0.52)
    return {
        "skin": Finish(skin, 0.03),
        "shade": Finish(0.8 * skin),
        "hair": Finish(hair, 0.12),
        "brow": Finish(0.6 * hair),
        "cloth": Finish(0.8 * cloth + 0.2 * cloth.mean()),
        "collar": Finish(0.5 + 0.5 * collar),
        "white": Finish(np.array([0.94, 0.93, 0.90])),
        "iris": Finish(IRIS[rng.integers(len(IRIS))]),
        "lip": Finish(rosy),
        "frame": Finish(FRAMES[rng.integers(len(FRAMES))]),
        "lens": Finish(np.array([0.12, 0.11, 0.12])),
    }


def _ground(rng: np.random.Generator, size: int) -> Array:
    """A wall out of focus (3, size, size): two colours run into each other."""
    one, other = rng.uniform(0.15, 0.9, size=(2, 3))
    one, other = (0.5 * c + 0.5 * c.mean() for c in (one, other))
    x, y = canvas.coordinates(size)
    angle = rng.uniform(0, 2 * np.pi)
    along = 0.5 + 0.35 * (np.cos(angle) * x + np.sin(angle) * y) + 0.12 * canvas.noise(rng, size, 4)
    ground = canvas.colour(one) + np.clip(along, 0, 1) * (canvas.colour(other) - canvas.colour(one))
    return np.asarray(ground, np.float32)
