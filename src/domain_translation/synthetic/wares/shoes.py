"""Shoes as cut shapes: sneakers, high-tops, boots, pumps, loafers and sandals, toe to the left.

A shoe is one long, its toe at x = 0 and its heel at x = 1; it stands on y = 0, and y decreases
upwards, as in pictures.
"""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.wares.cutouts import Part
from domain_translation.synthetic.wares.shoes_closed import boot, hightop, sneaker
from domain_translation.synthetic.wares.shoes_open import loafer, pump, sandal

KINDS = (sneaker, hightop, boot, pump, loafer, sandal)


def draw(rng: np.random.Generator) -> list[Part]:
    """The parts of a random shoe, farthest first; slots main, second, sole, lining and trim."""
    return KINDS[int(rng.integers(len(KINDS)))](rng)
