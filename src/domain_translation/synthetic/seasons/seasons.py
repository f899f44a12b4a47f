"""Seasons: a landscape in summer, and the same landscape in winter."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.scenes import Painted, Scenes, check_request, one_by_one
from domain_translation.synthetic.seasons.landscape import LANDSCAPE_LAW, draw_landscape
from domain_translation.synthetic.seasons.landscape_paint import paint_pair
from domain_translation.synthetic.seasons.landscape_terrain import shape_terrain


def sample(n: int, seed: int, *, size: int = 64, rare: float = 0.1) -> Scenes:
    """`n` landscapes: `source` in summer, `target` in winter, of identical geometry.

    Args:
        n: number of scenes; scene i depends on `seed` and i only.
        seed: of the scenes.
        size: side of the images, pixels; the same landscape at every size.
        rare: share of scenes from the wide tail: sunset, fog, moonlight, a very high or
            low horizon, trees close up, early snow, a plain without mountains, a wood.

    Raises:
        ValueError: n < 1, size < 16, or `rare` outside [0, 1].
    """
    check_request(n, size, rare)

    def paint(law: np.random.Generator, textures: np.random.Generator) -> Painted:
        scene = draw_landscape(law, rare)
        summer, winter = paint_pair(scene, shape_terrain(scene, textures, size))
        return summer, winter, LANDSCAPE_LAW.surprise(scene.draw)

    return one_by_one(n, seed, size, paint)
