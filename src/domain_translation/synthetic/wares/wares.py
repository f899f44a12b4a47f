"""Shoes and bags as photographs and as contours, in place of edges2shoes and edges2handbags.

Every ware is laid out of the same cut shapes in both styles, so that the drawing with number i
is the true counterpart of the photograph with number i (jdbw.data.edges).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from torch import Tensor

from domain_translation.synthetic import canvas
from domain_translation.synthetic.wares import bags, cutouts, shoes
from domain_translation.synthetic.wares.cutouts import Array, Finish, Part

STYLES = ("photo", "edges")
NAMES = ("bag", "shoe")  # of the classes 0 and 1
DYES = np.array(
    [
        (0.10, 0.10, 0.11), (0.16, 0.16, 0.19), (0.36, 0.21, 0.12), (0.55, 0.35, 0.18),
        (0.72, 0.52, 0.32),
        (0.82, 0.74, 0.62), (0.87, 0.86, 0.84), (0.55, 0.56, 0.58), (0.13, 0.19, 0.38),
        (0.20, 0.42, 0.66),
        (0.72, 0.10, 0.13), (0.45, 0.07, 0.15), (0.90, 0.52, 0.62), (0.16, 0.48, 0.42),
        (0.42, 0.45, 0.22),
        (0.93, 0.72, 0.20), (0.90, 0.42, 0.14), (0.45, 0.28, 0.55),
    ]
)  # fmt: skip
SOLES = np.array([(0.88, 0.87, 0.84), (0.14, 0.13, 0.13), (0.62, 0.45, 0.28), (0.33, 0.22, 0.15)])
METALS = np.array([(0.85, 0.70, 0.35), (0.78, 0.79, 0.81), (0.80, 0.48, 0.36)])
# Gloss and roughness of leather, patent leather, suede and canvas; roughness has 24 cells across.
MATERIALS = ((0.22, 0.035), (0.5, 0.015), (0.02, 0.09), (0.05, 0.055))
CELLS = 24


class Wares(NamedTuple):
    """Pictures x (n, 3 or 1, size, size), float32 in [-1, 1], and classes y (n,): 0 bag, 1 shoe."""

    x: Tensor
    y: Tensor


def sample(
    n: int, seed: int, *, size: int = 32, share_shoes: float = 0.5, style: str = "photo"
) -> Wares:
    """Draw n shoes and bags on a light ground.

    Ware i depends on `seed` and i only, and through its class on `share_shoes`.

    Args:
        n: number of wares, at least 1.
        seed: 0 or larger.
        size: side of the pictures in pixels, at least 16.
        share_shoes: probability of a shoe, in [0, 1].
        style: "photo" for three channels with colours, shading and material; "edges" for one
            channel with black contours on white.

    Raises:
        ValueError: n, seed, size, share_shoes or style out of range.
    """
    cutouts.check_request(n, seed, size, style, STYLES, share_shoes)

    def paint(rng: np.random.Generator, shoe: bool) -> Array:
        parts = _placed((shoes if shoe else bags).draw(rng), rng)
        if style == "photo":
            return cutouts.painting(parts, _finishes(rng, size), _ground(rng, parts, size))
        return cutouts.drawing(parts, size)[None]

    return Wares(*cutouts.pictures(n, seed, share_shoes, paint))


def _placed(parts: list[Part], rng: np.random.Generator) -> list[Part]:
    """The ware in the frame: its longer side fills 78 to 90 % of it."""
    low, high = cutouts.box(parts)
    scale = rng.uniform(0.78, 0.9) / max(high - low)
    turn = rng.uniform(-0.06, 0.06)
    place = 0.5 + rng.uniform(-0.025, 0.025, size=2)
    return cutouts.moved(parts, turn, scale, (low + high) / 2, place)


def _finishes(rng: np.random.Generator, size: int) -> dict[str, Finish]:
    """Colours and surfaces of the slots of a ware."""
    first, other, third = rng.integers(len(DYES), size=3)
    shade = np.exp(rng.normal(0.0, 0.1, size=(3, 1))) + rng.normal(0.0, 0.03, size=(3, 3))
    main = np.clip(DYES[first] * shade[0], 0.05, 0.9)
    # Half of the wares keep to one colour, a little lighter or darker.
    tone = main * (0.72 if main.mean() > 0.3 else 1.7)
    second = np.clip(tone if rng.random() < 0.5 else DYES[other] * shade[1], 0.05, 0.9)
    metal = METALS[rng.integers(len(METALS))]
    trim = metal if rng.random() < 0.6 else np.clip(DYES[third] * shade[2], 0.05, 0.9)
    sole = SOLES[rng.integers(len(SOLES))]
    gloss, rough = MATERIALS[rng.integers(len(MATERIALS))]
    weave = 1 + np.float32(rough) * canvas.noise(rng, size, CELLS)
    return {
        "main": Finish(canvas.colour(main) * weave, gloss),
        "second": Finish(canvas.colour(second) * weave, gloss),
        "trim": Finish(trim, 0.3),
        "sole": Finish(sole, 0.1),
        "lining": Finish(0.55 * main + 0.04),
    }


def _ground(rng: np.random.Generator, parts: list[Part], size: int) -> Array:
    """A light ground (3, size, size) with the soft shadow of the ware that stands on it."""
    x, y = canvas.coordinates(size)
    low, high = (2 * corner - 1 for corner in cutouts.box(parts))
    middle, half = (low[0] + high[0]) / 2, (high[0] - low[0]) / 2
    shadow = np.exp(-(((x - middle) / half) ** 4) - ((y - high[1] + 0.01) / 0.07) ** 2)
    tint = rng.uniform(0.94, 1.0) + rng.uniform(-0.02, 0.02, size=3)
    slope = 1 + rng.uniform(-0.04, 0.04) * y
    return np.asarray(canvas.colour(tint) * slope * (1 - 0.33 * shadow), np.float32)
