"""The town as a web map draws it: a few flat, pale colours."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.canvas import Array, blend, colour, cover
from domain_translation.synthetic.city import town_features as features
from domain_translation.synthetic.city.town_plan import GRASS, PARK, PARKING, Plan

PALETTE: dict[str, tuple[int, int, int]] = {
    "ground": (232, 227, 217),
    "building": (214, 206, 195),
    "park": (202, 224, 170),
    "wood": (174, 207, 146),
    "water": (163, 201, 250),
    "parking": (242, 239, 232),
    "casing": (203, 197, 187),
    "street": (255, 255, 255),
    "avenue": (253, 224, 115),
    "avenue casing": (226, 188, 98),
    "motorway": (248, 178, 92),
    "motorway casing": (217, 138, 62),
    "rail": (168, 164, 160),
}
"""The map's colours, sRGB out of 255; only their antialiased borders mix them."""

_LINE = 0.022


def draw_map(plan: Plan, kind: str) -> Array:
    """The map, (3, S, S) in [0, 1]: a function of the plan alone, without light or noise."""
    size = plan.street.shape[0]
    pixel = 2.0 / size
    paint = {name: colour(np.array(rgb) / 255.0) for name, rgb in PALETTE.items()}
    image = np.broadcast_to(paint["ground"], (3, size, size)).copy()

    def lay(distance: Array, name: str) -> None:
        blend(image, cover(distance, pixel), paint[name])

    def road(distance: Array, name: str, casing: str) -> None:
        lay(distance, casing)
        lay(distance + np.float32(_LINE), name)

    inside = -plan.kerb
    lay(np.where((plan.use == PARK) | (plan.use == GRASS), inside, features.NOWHERE), "park")
    lay(np.where(plan.use == PARKING, inside, features.NOWHERE), "parking")
    if kind != "fields":
        lay(plan.park, "wood" if kind == "forest" else "park")
    else:
        lay(plan.park, "ground")
    lay(plan.building, "building")
    lay(plan.water, "water")
    if kind == "park":
        lay(np.maximum(plan.path, plan.park), "street")
    road(plan.street, "street", "casing")
    lay(np.abs(plan.rail) - np.float32(0.03), "rail")
    road(plan.avenue, "avenue", "avenue casing")
    road(plan.ramp, "avenue", "avenue casing")
    road(plan.motorway, "motorway", "motorway casing")
    return image
