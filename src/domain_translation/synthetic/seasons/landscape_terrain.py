"""A landscape's geometry on the pixel grid: what summer and winter share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain_translation.synthetic.canvas import (
    Array,
    coordinates,
    grain,
    noise,
    profile,
    ramp,
    shifted,
)
from domain_translation.synthetic.seasons.landscape import MOST_TREES, Landscape

RIDGES = 4
"""Far range, middle range, near range, wooded hill."""


class Tree(NamedTuple):
    """Where a tree stands, tile units, and its own uniform numbers."""

    x: float
    foot: float  # y of its foot
    height: float
    depth: float  # 0 at the horizon, 1 at the lower border
    conifer: bool
    traits: Array  # (8,)


class Terrain(NamedTuple):
    """Lines (S,), fields (S, S) and trees of one scene."""

    horizon: float
    ridges: list[Array]  # y of each skyline, far to near, (S,)
    folds: Array  # slopes facing left (-) or right (+), about unit scale
    depth: Array  # of the ground: 0 at the horizon, 1 at the lower border
    water: Array  # signed distance to open water, negative inside
    treeline: Array  # signed distance to the row of trees at the horizon
    clouds: Array  # noise of unit scale
    ground: Array  # noise of unit scale, long in x
    grain: Array  # fine noise
    trees: list[Tree]


def shape_terrain(scene: Landscape, rng: np.random.Generator, size: int) -> Terrain:
    """Every shape of the scene at `size` pixels; `rng` supplies ridge lines and texture."""
    values, kind, place = scene.draw.values, scene.draw.kind, scene.layout.place
    x, y = coordinates(size)
    horizon = float(np.clip(values["horizon"], -0.7, 0.62))
    ridges = _ridges(scene, rng, size, horizon)
    # Long in y: gullies run down the slope.
    relief = (
        noise(rng, size, 7, 5) + 0.45 * noise(rng, size, 15, 9) + 0.2 * noise(rng, size, 31, 22)
    )
    folds = 3.2 * (shifted(relief, 0.06, 0.025) - relief)
    clouds = noise(rng, size, 3, 6) + 0.6 * noise(rng, size, 7, 14) + 0.3 * noise(rng, size, 14, 28)
    ground = (
        noise(rng, size, 3, 12) + 0.6 * noise(rng, size, 6, 30) + 0.4 * noise(rng, size, 16, 48)
    )
    depth = np.clip((y - np.float32(horizon)) / np.float32(1 - horizon), 0, 1)
    shore = horizon + (1 - horizon) * (0.4 + 0.2 * place[0])
    return Terrain(
        horizon=horizon,
        ridges=ridges,
        folds=folds,
        depth=depth,
        water=_water(kind, place, x, y, depth, horizon, shore),
        treeline=_treeline(scene, x, y, horizon),
        clouds=clouds,
        ground=ground,
        grain=grain(rng, size),
        trees=_trees(scene, horizon, shore),
    )


def _ridges(scene: Landscape, rng: np.random.Generator, size: int, horizon: float) -> list[Array]:
    values, place = scene.draw.values, scene.layout.place
    relief = float(np.exp(np.clip(values["relief"], -1.6, 0.3))) * (1 + horizon) / 0.98
    relief *= 0.12 if scene.draw.kind == "plain" else 1.0
    gain = float(np.clip(0.47 + 0.05 * values["rough"], 0.3, 0.62))
    line = coordinates(size)[0][0]
    ridges = []
    for k in range(RIDGES):
        rise = relief * (0.85, 0.62, 0.42, 0.2)[k]
        wobble = profile(rng, size, (2, 3, 3, 3)[k], 5, gain if k < 3 else 0.4)
        # A broad summit somewhere, so that ranges have a peak and not a mean height.
        summit = 1.6 * place[1 + k] - 0.8
        peak = 1 - np.abs(line - np.float32(summit)) * np.float32(0.55 + 0.4 * place[5 + k])
        height = np.clip(0.75 * peak + 0.33 * wobble, 0.08, 1.25)
        ridges.append((horizon - rise * height).astype(np.float32))
    return ridges


def _water(
    kind: str, place: list[float], x: Array, y: Array, depth: Array, horizon: float, shore: float
) -> Array:
    if kind == "lake":
        bank = shore + 0.05 * np.sin(3.1 * x + 6.28 * place[9]) + 0.03 * np.sin(7 * x + place[10])
        side = 1.5 * (place[11] - 0.5)
        # The near bank rises towards one side of the picture.
        bank = bank - 0.22 * side * x
        return np.asarray(np.maximum(y - bank, horizon - y), dtype=np.float32)
    if kind == "stream":
        centre = 0.5 * (place[9] - 0.5) + 0.35 * np.sin(6.28 * place[10] + 2.6 / (depth + 0.42))
        half = 0.03 + 0.26 * depth
        return np.where(depth > 0, np.abs(x - centre) - half, 9.0).astype(np.float32)
    return np.full_like(x, 9.0)


def _treeline(scene: Landscape, x: Array, y: Array, horizon: float) -> Array:
    """Two rows of small conifers side by side along the horizon."""
    traits = scene.layout.trees
    tall = 0.10 + 0.08 * scene.layout.place[12]
    best = np.full_like(x, 9.0)
    for row, cell in enumerate((0.085, 0.061)):
        i = np.floor(x / cell + 0.5 * row).astype(np.intp)
        height = tall * (0.45 + 0.8 * traits[i % MOST_TREES, 2 + row])
        centre = (i + 0.5 - 0.5 * row + 0.4 * (traits[i % MOST_TREES, 4 + row] - 0.5)) * cell
        below = np.float32(horizon + 0.012) - y
        half = 0.042 * (1 - below / height)
        best = np.minimum(best, np.maximum(np.abs(x - centre) - half, -below))
    # The row thins out where a slow wave falls low.
    wave = np.sin(2.2 * x + 6.28 * scene.layout.place[13])
    gap = 0.0 if scene.draw.kind == "wood" else ramp(wave, 0.45, 0.75)
    return (best + 0.2 * gap).astype(np.float32)


def _trees(scene: Landscape, horizon: float, shore: float) -> list[Tree]:
    values, kind, place = scene.draw.values, scene.draw.kind, scene.layout.place
    wood = kind == "wood"
    count = round(float(np.clip(7 + 2.5 * values["trees"] + 6 * wood, 1, MOST_TREES)))
    grow = float(np.exp(np.clip(values["near"], -0.7, 1.3)))
    share = 1 / (1 + np.exp(-values["conifers"]))
    trees = []
    for traits in scene.layout.trees[:count]:
        u = traits.tolist()
        start = shore + 0.06 if kind == "lake" else horizon + 0.03
        foot = start + (1.12 - start) * u[0] ** 1.3
        depth = float(np.clip((foot - horizon) / (1 - horizon), 0.02, 1.2))
        # Near trees keep to the sides, like the frame of a picture.
        lateral = 2 * u[1] - 1
        x = float(np.sign(lateral) * abs(lateral) ** (1.0 if wood else 1 - 0.6 * min(depth, 1.0)))
        if kind == "stream":
            bend = 0.35 * np.sin(6.28 * place[10] + 2.6 / (min(depth, 1) + 0.42))
            centre = 0.5 * (place[9] - 0.5) + bend
            clear = 0.1 + 0.26 * min(depth, 1.0)
            x += float(np.sign(x - centre) * max(0.0, clear - abs(x - centre)))
        height = (0.16 + 0.62 * depth) * (0.75 + 0.5 * u[2]) * grow
        trees.append(Tree(x * 1.05, foot, height, depth, u[3] < share, traits))
    return sorted(trees, key=lambda tree: tree.foot)
