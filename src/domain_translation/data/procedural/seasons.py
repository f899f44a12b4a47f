"""Seasons: a landscape in summer, and the same landscape in winter."""

from __future__ import annotations

import numpy as np
import torch

from domain_translation.data.procedural.landscape import LANDSCAPE_LAW, draw_landscape
from domain_translation.data.procedural.landscape_paint import paint_pair
from domain_translation.data.procedural.landscape_terrain import shape_terrain
from domain_translation.data.procedural.scenes import Scenes, check_request


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
    images = np.empty((2, n, 3, size, size), dtype=np.float32)
    surprise = np.empty(n)
    for i in range(n):
        scene = draw_landscape(np.random.default_rng([seed, i]), rare)
        terrain = shape_terrain(scene, np.random.default_rng([seed, i, 1]), size)
        images[:, i] = paint_pair(scene, terrain)
        surprise[i] = LANDSCAPE_LAW.surprise(scene.draw)
    images *= 2
    images -= 1
    source, target = torch.from_numpy(images)
    return Scenes(source, target, torch.from_numpy(surprise))
