"""What a town is before anyone looks at it: its latent parameters and its layout.

The latents (grid tilt, block size, light, haze, season ...) carry the scene's
surprise. The layout (where each street lies, what each lot holds) is drawn
uniformly in every scene, so it adds the same constant to every -log density.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain_translation.synthetic.canvas import Array
from domain_translation.synthetic.mixture_law import Draw, Law, law

ROWS = 16
"""Street lines drawn in each direction; they always reach past the tile's corners."""
TABLE = 32
"""Side of the table of per-lot uniform numbers, read modulo its size."""

TOWN_LAW: Law = law(
    core={
        "tilt": (0.0, 0.22),  # street grid's angle, radians
        "block": (-0.36, 0.14),  # log of the mean block width, tile half-widths
        "bend": (0.0, 0.04),  # bow of the streets
        "green": (0.0, 1.0),  # lawns and trees, standard units
        "bustle": (0.0, 1.0),  # cars and large buildings, standard units
        "shadow": (-0.1, 0.25),  # log of shadow length over height
        "sun": (-2.2, 0.35),  # direction towards the sun, radians from the x axis
        "haze": (-2.6, 0.45),  # log-odds of the veil of haze
        "season": (0.0, 0.35),  # -2 dry and brown, 0 summer, 2 snow
        "warmth": (0.0, 0.3),  # colour cast, blue to orange
        "exposure": (0.0, 0.08),  # log gain
    },
    kinds={
        "suburb": 0.30,
        "river": 0.18,
        "park": 0.15,
        "railway": 0.12,
        "centre": 0.15,
        "fields": 0.10,
        "lake": 0.0,
        "forest": 0.0,
        "motorway": 0.0,
        "industry": 0.0,
    },
    tails=[
        (0.30, {}, {"lake": 0.25, "forest": 0.25, "motorway": 0.25, "industry": 0.25}),
        (0.15, {"haze": (0.0, 0.5)}, {}),
        (0.20, {"season": (0.0, 2.2)}, {}),
        (0.15, {"warmth": (0.0, 1.5), "exposure": (0.0, 0.3)}, {}),
        (0.20, {"shadow": (1.1, 0.35), "sun": (-2.2, 1.5), "warmth": (0.8, 0.5)}, {}),
    ],
)


class Layout(NamedTuple):
    """Uniform numbers in [0, 1) that place everything; the same count in every scene."""

    widths: Array  # (ROWS,) columns of blocks
    heights: Array  # (ROWS,) rows of blocks
    merge: Array  # (ROWS, ROWS) does a column skip a cross street
    use: Array  # (ROWS, ROWS) what a block is used for
    lots: Array  # (6, TABLE, TABLE) what stands on a lot
    place: list[float]  # (24,) where the large things lie


class Town(NamedTuple):
    """One scene's latents and layout."""

    draw: Draw
    layout: Layout


def draw_town(rng: np.random.Generator, rare: float) -> Town:
    """The law: one town, from the tails with probability `rare`."""
    return Town(
        TOWN_LAW.draw(rng, rare),
        Layout(
            widths=rng.random(ROWS, dtype=np.float32),
            heights=rng.random(ROWS, dtype=np.float32),
            merge=rng.random((ROWS, ROWS), dtype=np.float32),
            use=rng.random((ROWS, ROWS), dtype=np.float32),
            lots=rng.random((6, TABLE, TABLE), dtype=np.float32),
            place=rng.random(24).tolist(),
        ),
    )
