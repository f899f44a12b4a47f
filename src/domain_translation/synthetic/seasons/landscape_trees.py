"""Trees of both seasons, drawn from one shape: crown, trunk, branches, snow."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.canvas import Array, colour, coordinates, cover, ramp
from domain_translation.synthetic.seasons.landscape_terrain import Tree


def seasons_paint(summer: Array, winter: Array) -> Array:
    """Two colours, each (3, 1, 1) or (3, h, w), as (2, 3, h, w)."""
    return np.stack(np.broadcast_arrays(summer, winter))


def plant(pair: Array, tree: Tree, grain: Array, sun: float, autumn: float, snow: float) -> None:
    """Draw one tree and its shadow into both seasons, `pair` (2, 3, S, S), in place."""
    _cast_shadow(pair, tree, sun)
    half = tree.height * (0.26 if tree.conifer else 0.44)
    window = _window(tree.x - half, tree.x + half, tree.foot - tree.height, tree.foot + 0.02, pair)
    if window is None:
        return
    size = pair.shape[-1]
    x, y = (line[window] for line in coordinates(size))
    u = (x - np.float32(tree.x)) / np.float32(tree.height)
    v = (np.float32(tree.foot) - y) / np.float32(tree.height)
    view, pixel = pair[(..., *window)], 2.0 / size / tree.height
    if tree.conifer:
        _conifer(view, u, v, pixel, tree, grain[window], sun, snow)
    else:
        _broadleaf(view, u, v, pixel, tree, grain[window], sun, autumn, snow)


def _window(
    left: float, right: float, top: float, bottom: float, pair: Array
) -> tuple[slice, slice] | None:
    size = pair.shape[-1]
    edges = np.array([[top, bottom], [left, right]])
    low, high = np.floor((edges[:, 0] + 1) * size / 2), np.ceil((edges[:, 1] + 1) * size / 2)
    start, stop = np.clip(low, 0, size).astype(int), np.clip(high, 0, size).astype(int)
    if (start >= stop).any():
        return None
    return slice(start[0], stop[0]), slice(start[1], stop[1])


def _over(view: Array, mask: Array, paint: Array) -> None:
    view += mask * (paint - view)


def _cast_shadow(pair: Array, tree: Tree, sun: float) -> None:
    long, flat = 0.34 * tree.height, 0.05 * tree.height
    centre = tree.x - np.sign(sun) * 0.6 * long
    window = _window(centre - long, centre + long, tree.foot - flat, tree.foot + flat, pair)
    if window is None:
        return
    x, y = (line[window] for line in coordinates(pair.shape[-1]))
    distance = ((x - centre) / long) ** 2 + ((y - tree.foot) / flat) ** 2
    dark = np.asarray(0.4 * ramp(np.asarray(distance, dtype=np.float32), 1.0, 0.3))
    tint = seasons_paint(colour((1.0, 0.95, 0.9)), colour((0.8, 0.62, 0.4)))
    pair[(..., *window)] *= 1 - dark * tint


def _conifer(
    view: Array, u: Array, v: Array, pixel: float, tree: Tree, grain: Array, sun: float, snow: float
) -> None:
    """A cone of overhanging tiers; snow lies on the upper part of each tier."""
    traits = tree.traits
    tiers = 6 + int(3 * traits[4])
    down = 1 - v
    phase = down * tiers + np.float32(0.35) * np.abs(u) / (0.05 + 0.2 * down)
    phase = phase - np.floor(phase)
    slender = 0.17 + 0.07 * traits[5]
    half = slender * (0.06 + down) * (0.68 + 0.36 * phase)
    trunk = cover(np.maximum(np.abs(u) - 0.025, np.maximum(v - 0.2, -v)), pixel)
    _over(view, trunk, colour((0.27, 0.20, 0.15)))
    crown = cover(np.maximum(np.abs(u) - half, np.maximum(0.08 - v, v - 1)), pixel)
    lit = np.clip(0.5 + sun * u / (half + 0.02) * 0.5 - 0.35 * (phase - 0.5), 0, 1)
    tone = 0.75 + 0.4 * traits[6] + 0.12 * grain
    green = (colour((0.09, 0.17, 0.10)) + lit * colour((0.20, 0.27, 0.10))) * tone
    cold = (colour((0.13, 0.19, 0.19)) + lit * colour((0.14, 0.18, 0.17))) * tone
    white = colour((0.66, 0.73, 0.84)) + lit * colour((0.32, 0.26, 0.16))
    lying = snow * ramp(phase + 0.15 * grain, 0.85, 0.45)
    _over(view, crown, seasons_paint(green, cold + lying * (white - cold)))


def _broadleaf(
    view: Array,
    u: Array,
    v: Array,
    pixel: float,
    tree: Tree,
    grain: Array,
    sun: float,
    autumn: float,
    snow: float,
) -> None:
    """A crown of overlapping rounds in summer, the bare branches inside it in winter."""
    traits = tree.traits
    distance = np.full_like(u, 9.0)
    shade = np.zeros_like(u)
    for k in range(6):
        angle = 2.4 * k + 6.28 * float(traits[4])
        reach = 0.0 if k == 0 else 0.19
        cx, cy = reach * np.cos(angle), 0.63 + 0.8 * reach * np.sin(angle)
        radius = 0.25 if k == 0 else 0.15 + 0.05 * float(traits[k % 3 + 4])
        du, dv = u - np.float32(cx), v - np.float32(cy)
        ball = np.hypot(du, dv) - np.float32(radius)
        inside = ball < np.minimum(distance, 0.0)
        shade = np.where(inside, (sun * du + 0.8 * dv) / np.float32(radius), shade)
        distance = np.minimum(distance, ball)
    crown = cover(distance + 0.02 * grain, pixel)
    trunk = cover(np.maximum(np.abs(u) - 0.035 + 0.02 * v, np.maximum(v - 0.62, -v)), pixel)
    bark = colour((0.31, 0.26, 0.23))
    _over(view, trunk, bark)
    lit = np.clip(0.5 + 0.42 * shade + 0.14 * grain, 0, 1)
    leaf = colour((0.15, 0.26, 0.09)) + lit * colour((0.33, 0.37, 0.15))
    warm = colour((0.42, 0.22, 0.07)) + lit * colour((0.46, 0.36, 0.10))
    leaf = (leaf + autumn * (warm - leaf)) * (0.85 + 0.3 * traits[6])
    _over(view[0], crown, leaf)
    branches = _branches(u, v, pixel, traits)
    inside = cover(distance - 0.02, pixel)
    twigs = np.clip(0.16 * crown + inside * branches, 0, 1)
    frost = bark + 0.45 * snow * ramp(grain, 0.0, 1.2) * (colour((0.9, 0.93, 0.97)) - bark)
    _over(view[1], twigs, frost)


def _branches(u: Array, v: Array, pixel: float, traits: Array) -> Array:
    """Three fans of thin lines that start on the trunk."""
    total = np.zeros_like(u)
    for k, start in enumerate((0.3, 0.46, 0.6)):
        r = np.hypot(u, v - np.float32(start)) + 1e-4
        angle = np.arctan2(u, v - np.float32(start))
        wave = angle * (5.5 - 0.5 * k) + 6.28 * traits[4 + k] + 1.2 * np.sin(6 * r)
        # Distance to the nearest ray: an angle off times the radius.
        off = np.abs(np.sin(wave)) * r / (5.5 - 0.5 * k)
        line = cover(off - np.float32(0.009), max(pixel, 0.012))
        total = np.maximum(total, line * (np.abs(angle) < 1.9))
    return total
