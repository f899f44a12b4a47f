"""City: an aerial photograph of a town, and its street map."""

from __future__ import annotations

import numpy as np
import torch

from domain_translation.data.procedural.scenes import Scenes, check_request
from domain_translation.data.procedural.town import TOWN_LAW, draw_town
from domain_translation.data.procedural.town_map import draw_map
from domain_translation.data.procedural.town_photo import photograph
from domain_translation.data.procedural.town_plan import lay_out


def sample(n: int, seed: int, *, size: int = 64, rare: float = 0.1) -> Scenes:
    """`n` towns from above: `source` the photograph, `target` the map, pixel-aligned.

    Args:
        n: number of scenes; scene i depends on `seed` and i only.
        seed: of the scenes.
        size: side of the images, pixels; the same town at every size.
        rare: share of scenes from the wide tail: nothing but water or woods, a
            motorway interchange, works, haze, an odd season, a colour cast, long shadows.

    Raises:
        ValueError: n < 1, size < 16, or `rare` outside [0, 1].
    """
    check_request(n, size, rare)
    images = np.empty((2, n, 3, size, size), dtype=np.float32)
    surprise = np.empty(n)
    for i in range(n):
        town = draw_town(np.random.default_rng([seed, i]), rare)
        plan = lay_out(town, size)
        images[0, i] = photograph(plan, town, np.random.default_rng([seed, i, 1]))
        images[1, i] = draw_map(plan, town.draw.kind)
        surprise[i] = TOWN_LAW.surprise(town.draw)
    images *= 2
    images -= 1
    source, target = torch.from_numpy(images)
    return Scenes(source, target, torch.from_numpy(surprise))
