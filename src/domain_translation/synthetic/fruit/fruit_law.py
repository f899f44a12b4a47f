"""The law of the fruit's latent parameters: ordinary still lifes and four kinds of rare ones."""

from __future__ import annotations

from functools import partial

from domain_translation.synthetic import latent
from domain_translation.synthetic.latent import Law, Oddity

LAW = Law(
    normals={
        "x": (0.5, 0.035),  # centre of the arrangement, share of the image's width
        "y": (0.58, 0.03),  # the same, share of the height from the top
        "log_scale": (0.0, 0.08),  # log factor on the fruits' radius
        "edge": (0.40, 0.04),  # back edge of the table, share of the height
        "tilt": (0.0, 0.16),  # lean of the stems, radians
        "plump": (0.0, 0.03),  # width against height, log
        "blush": (0.0, 0.4),  # how far the second colour spreads
        "ripe": (0.0, 0.12),  # log brightness of the skins
        "sun": (-0.45, 0.35),  # sideways direction of the light, tangent
        "warmth": (0.0, 0.25),  # red against blue
        "exposure": (0.0, 0.05),  # log brightness of everything
        "slope": (0.0, 0.05),  # brightness gradient over the image
        "hue": (0.0, 1.0),  # colour of wall, cloth or paper
    },
    choices={
        "count": {"one": 0.5, "two": 0.3, "three": 0.2, "crowd": 0.0},
        "variety": {"red": 0.4, "green": 0.2, "yellow": 0.15, "blushed": 0.25},
        "leaf": {"none": 0.5, "left": 0.25, "right": 0.25},
        "veil": {"none": 1.0, "left": 0.0, "right": 0.0},
        "ground": {
            "wood": 0.35,
            "cloth": 0.2,
            "plate": 0.2,
            "studio": 0.25,
            "slate": 0.0,
            "moss": 0.0,
            "velvet": 0.0,
        },
        "light": {"day": 1.0, "candle": 0.0, "night": 0.0, "neon": 0.0, "forest": 0.0},
    },
    uniforms=(),
    oddities={
        "light": Oddity(
            0.25,
            {"warmth": (0.0, 0.7), "exposure": (-0.05, 0.15), "slope": (0.0, 0.2)},
            {"light": {"day": 0.2, "candle": 0.2, "night": 0.2, "neon": 0.2, "forest": 0.2}},
        ),
        "frame": Oddity(
            0.25,
            {"x": (0.5, 0.2), "y": (0.6, 0.16), "log_scale": (0.0, 0.5)},
            {},
        ),
        "cover": Oddity(
            0.25,
            {"tilt": (0.0, 0.35)},
            {
                "count": {"one": 0.15, "two": 0.1, "three": 0.1, "crowd": 0.65},
                "veil": {"none": 0.3, "left": 0.35, "right": 0.35},
            },
        ),
        "ground": Oddity(
            0.25,
            {"edge": (0.36, 0.12), "hue": (0.0, 1.8)},
            {"ground": {"slate": 0.35, "moss": 0.35, "velvet": 0.3}},
        ),
    },
)
index = partial(latent.index, LAW)
