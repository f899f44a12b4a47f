"""What a landscape is before any season paints it: its latents and its layout.

The latents (horizon, relief, fog, dusk, snow ...) carry the scene's surprise.
The layout (ridge shapes, where each tree and rock stands) is drawn uniformly
in every scene, so it adds the same constant to every -log density.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain_translation.synthetic.canvas import Array
from domain_translation.synthetic.mixture_law import Draw, Law, law

MOST_TREES = 18

LANDSCAPE_LAW: Law = law(
    core={
        "horizon": (-0.02, 0.10),  # its height, -1 top to 1 bottom
        "relief": (-0.28, 0.20),  # log of the highest ridge, half pictures
        "rough": (0.0, 1.0),  # jaggedness of the ridges, standard units
        "sun": (0.0, 1.0),  # sunlight from the left (-) or the right (+)
        "warmth": (0.2, 0.25),  # colour cast, blue to orange
        "clouds": (0.0, 1.0),  # cloud cover, standard units
        "fog": (-3.0, 0.5),  # log-odds of the air's veil
        "dusk": (0.0, 0.15),  # 1: the sun is setting
        "night": (0.0, 0.15),  # 1: moonlight
        "trees": (0.0, 1.0),  # number of trees, standard units
        "near": (0.0, 0.2),  # log of their size
        "conifers": (0.6, 1.0),  # log-odds of a conifer
        "lush": (0.0, 1.0),  # meadow from straw to deep green, standard units
        "autumn": (0.0, 0.2),  # 1: the leaves have turned
        "snow": (2.6, 0.4),  # log-odds of snow lying in winter
    },
    kinds={"lake": 0.42, "meadow": 0.33, "stream": 0.25, "plain": 0.0, "wood": 0.0},
    tails=[
        (0.16, {"dusk": (1.1, 0.3), "clouds": (0.5, 1.0)}, {}),
        (0.16, {"fog": (0.3, 0.5)}, {}),
        (0.14, {"night": (1.1, 0.3)}, {}),
        (0.18, {"horizon": (0.0, 0.5)}, {}),
        (0.12, {"near": (0.8, 0.25), "trees": (0.5, 1.0)}, {"wood": 0.6, "meadow": 0.4}),
        (0.12, {"snow": (-0.4, 0.6)}, {}),
        (0.12, {}, {"plain": 0.5, "wood": 0.5}),
    ],
)


class Layout(NamedTuple):
    """Uniform numbers in [0, 1) that place everything; the same count in every scene."""

    trees: Array  # (MOST_TREES, 8)
    rocks: Array  # (6, 5)
    place: list[float]  # (16,)


class Landscape(NamedTuple):
    """One scene's latents and layout."""

    draw: Draw
    layout: Layout


def draw_landscape(rng: np.random.Generator, rare: float) -> Landscape:
    """The law: one landscape, from the tails with probability `rare`."""
    return Landscape(
        LANDSCAPE_LAW.draw(rng, rare),
        Layout(
            trees=rng.random((MOST_TREES, 8), dtype=np.float32),
            rocks=rng.random((6, 5), dtype=np.float32),
            place=rng.random(16).tolist(),
        ),
    )
