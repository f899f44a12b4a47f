"""The law of the animals' latent parameters: ordinary scenes and four kinds of rare ones."""

from __future__ import annotations

from functools import partial

from domain_translation.synthetic import latent
from domain_translation.synthetic.latent import Law, Oddity

LAW = Law(
    normals={
        "x": (0.5, 0.035),  # centre of the trunk, share of the image's width
        "y": (0.86, 0.022),  # the hooves' ground, share of the height from the top
        "log_scale": (-0.78, 0.09),  # height at the withers, log share of the image
        "horizon": (0.50, 0.05),  # share of the height from the top
        "neck": (0.0, 0.13),  # radians above the pose's own neck
        "head": (0.0, 0.12),  # radians, likewise
        "stride": (1.0, 0.12),  # factor on the gait's swing
        "girth": (1.0, 0.045),  # factor on the trunk's radii
        "shade": (0.0, 0.12),  # log brightness of the coat
        "sun": (0.35, 0.35),  # sideways direction of the light, tangent
        "warmth": (0.0, 0.25),  # red against blue
        "exposure": (0.0, 0.05),  # log brightness of everything
        "clouds": (0.0, 0.45),  # cloud cover
        "slope": (0.0, 0.05),  # brightness gradient over the image
    },
    choices={
        "facing": {"left": 0.5, "right": 0.5},
        "pose": {
            "stand": 0.3,
            "walk": 0.3,
            "trot": 0.2,
            "canter": 0.2,
            "graze": 0.0,
            "rear": 0.0,
            "lie": 0.0,
        },
        "coat": {"bay": 0.25, "chestnut": 0.25, "grey": 0.2, "black": 0.1, "cream": 0.2},
        "ground": {
            "meadow": 0.35,
            "dry grass": 0.3,
            "sand": 0.2,
            "snow": 0.15,
            "red earth": 0.0,
            "lavender": 0.0,
            "shallows": 0.0,
            "lava": 0.0,
        },
        "distance": {"plain": 0.2, "hills": 0.45, "trees": 0.35},
        "light": {
            "sun": 0.7,
            "overcast": 0.3,
            "dusk": 0.0,
            "backlit": 0.0,
            "moon": 0.0,
            "storm": 0.0,
        },
    },
    uniforms=("phase",),
    oddities={
        "pose": Oddity(
            0.25,
            {"neck": (0.0, 0.2), "head": (0.0, 0.2), "log_scale": (-0.9, 0.12)},
            {"pose": {"graze": 0.4, "rear": 0.3, "lie": 0.3}},
        ),
        "light": Oddity(
            0.25,
            {"warmth": (0.0, 0.9), "exposure": (0.0, 0.15), "slope": (0.0, 0.2)},
            {"light": {"sun": 0.2, "dusk": 0.25, "backlit": 0.25, "moon": 0.15, "storm": 0.15}},
        ),
        "frame": Oddity(
            0.25,
            {"x": (0.5, 0.2), "y": (0.88, 0.09), "log_scale": (-0.75, 0.5)},
            {},
        ),
        "ground": Oddity(
            0.25,
            {"horizon": (0.45, 0.12), "clouds": (0.0, 1.0)},
            {"ground": {"red earth": 0.25, "lavender": 0.25, "shallows": 0.25, "lava": 0.25}},
        ),
    },
)
index = partial(latent.index, LAW)
