"""City: an aerial photograph of a town, and its street map."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.city.town import TOWN_LAW, draw_town
from domain_translation.synthetic.city.town_map import draw_map
from domain_translation.synthetic.city.town_photo import photograph
from domain_translation.synthetic.city.town_plan import lay_out
from domain_translation.synthetic.scenes import Painted, Scenes, check_request, one_by_one


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

    def paint(law: np.random.Generator, textures: np.random.Generator) -> Painted:
        town = draw_town(law, rare)
        plan = lay_out(town, size)
        photo, map_ = photograph(plan, town, textures), draw_map(plan, town.draw.kind)
        return photo, map_, TOWN_LAW.surprise(town.draw)

    return one_by_one(n, seed, size, paint)
