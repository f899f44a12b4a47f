"""The landscape in summer and in winter: one geometry, two palettes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain_translation.synthetic.canvas import Array, colour, coordinates, cover, ramp
from domain_translation.synthetic.seasons.landscape import Landscape
from domain_translation.synthetic.seasons.landscape_terrain import Terrain
from domain_translation.synthetic.seasons.landscape_trees import plant, seasons_paint

_WARM = colour((0.09, 0.02, -0.10))


class Mood(NamedTuple):
    """Light and season, worked out of the latents."""

    sun: float  # -1 left to 1 right
    dusk: float  # 0 to 1
    night: float  # 0 to 1
    fog: float  # share of the veil at the horizon
    snow: float  # share of the ground under snow in winter
    autumn: float
    lush: float
    cast: Array  # gain of each channel in both seasons, (2, 3, 1, 1)


def mood(scene: Landscape) -> Mood:
    """Ranges the painter can use, from latents on the whole line."""
    values = scene.draw.values
    side = float(np.tanh(2 * values["sun"]))
    warm = np.float32(np.clip(values["warmth"], -1.5, 1.5))
    return Mood(
        sun=side if abs(side) > 0.3 else 0.3 * (1.0 if side >= 0 else -1.0),
        dusk=_unit((values["dusk"] - 0.35) / 0.65),
        night=_unit((values["night"] - 0.35) / 0.65),
        fog=float(1 / (1 + np.exp(-values["fog"]))),
        snow=float(1 / (1 + np.exp(-values["snow"]))),
        autumn=_unit((values["autumn"] - 0.3) / 0.7),
        lush=_unit(0.5 + 0.2 * values["lush"]),
        # Winter light is the colder one whatever the day.
        cast=np.exp(
            seasons_paint(warm * _WARM, (np.float32(0.5) * warm - np.float32(0.25)) * _WARM)
        ),
    )


def paint_pair(scene: Landscape, terrain: Terrain) -> Array:
    """Summer and winter, (2, 3, S, S) in [0, 1]."""
    light = mood(scene)
    size = terrain.depth.shape[0]
    air = _air(light)
    pair = _sky(terrain, light, air, scene)
    _mountains(pair, terrain, light, air)
    pixel = 2.0 / size
    leaves = colour((0.17, 0.25, 0.14)) * (1 + np.float32(0.2) * terrain.grain)
    cold = colour((0.28, 0.34, 0.36)) + light.snow * ramp(terrain.grain, -0.3, 0.6) * np.float32(
        0.35
    )
    far = seasons_paint(leaves, cold)
    _over(
        pair, cover(terrain.treeline, pixel), far + np.float32(0.25 + 0.6 * light.fog) * (air - far)
    )
    above = pair.copy()
    _ground(pair, terrain, light)
    _lake(pair, above, terrain, light, pixel)
    _veil(pair, terrain, light, air)
    _rocks(pair, scene, terrain, light, pixel)
    for tree in terrain.trees:
        plant(pair, tree, terrain.grain, light.sun, light.autumn, light.snow)
    haze = np.float32(0.45 * light.fog)
    pair += haze * (air - pair)
    pair *= light.cast
    pair *= 1 + light.dusk * (colour((0.98, 0.74, 0.62)) - 1)
    pair *= 1 + light.night * (colour((0.34, 0.43, 0.66)) - 1)
    pair += np.float32(0.008) * terrain.grain
    return np.clip(pair, 0.0, 1.0)


def _unit(value: float) -> float:
    return float(np.clip(value, 0.0, 1.0))


def _over(pair: Array, mask: Array, paint: Array) -> None:
    pair += mask * (paint - pair)


def _air(light: Mood) -> Array:
    """Colour of the air at the horizon in both seasons, (2, 3, 1, 1)."""
    clear = seasons_paint(colour((0.80, 0.88, 0.94)), colour((0.86, 0.89, 0.93)))
    glow = seasons_paint(colour((1.25, 0.80, 0.42)), colour((1.2, 0.82, 0.58)))
    return np.asarray(clear + np.float32(light.dusk) * (glow - clear), dtype=np.float32)


def _sky(terrain: Terrain, light: Mood, air: Array, scene: Landscape) -> Array:
    size = terrain.depth.shape[0]
    x, y = coordinates(size)
    up = np.clip((terrain.horizon - y) / np.float32(1 + terrain.horizon), 0, 1) ** np.float32(0.8)
    zenith = seasons_paint(colour((0.24, 0.50, 0.84)), colour((0.50, 0.65, 0.83)))
    evening = seasons_paint(colour((0.42, 0.36, 0.56)), colour((0.50, 0.46, 0.62)))
    zenith = zenith + np.float32(light.dusk) * (evening - zenith)
    pair = np.asarray(air + up * (zenith - air), dtype=np.float32)
    cover_share = float(np.clip(0.35 * scene.draw.values["clouds"], -1.0, 1.0))
    cloud = ramp(terrain.clouds + np.float32(cover_share), 0.35, 1.3) * (0.35 + 0.65 * up)
    lit = seasons_paint(colour((0.98, 0.97, 0.96)), colour((0.88, 0.90, 0.93)))
    burnt = seasons_paint(colour((1.15, 0.62, 0.45)), colour((1.1, 0.72, 0.60)))
    _over(pair, 0.85 * cloud, lit + np.float32(light.dusk) * (burnt - lit))
    if light.dusk > 0.1:
        place = scene.layout.place
        disc = np.hypot(x - light.sun * 0.6, y - (terrain.horizon - 0.25 - 0.2 * place[14]))
        _over(pair, light.dusk * ramp(disc, 0.55, 0.0) ** 2, colour((1.4, 1.0, 0.55)))
        _over(pair, light.dusk * cover(disc - 0.08, 2.0 / size), colour((1.5, 1.3, 0.9)))
    if light.night > 0.1:
        place = scene.layout.place
        moon = np.hypot(x - (1.6 * place[14] - 0.8), y + 0.6 + 0.2 * place[15]) - 0.09
        stars = ramp(terrain.grain, 1.45, 1.9) * up * (1 - cloud)
        _over(pair, light.night * stars, colour((2.0, 2.0, 1.5)))
        _over(pair, light.night * cover(moon, 2.0 / size), colour((2.9, 2.3, 1.5)))
    return pair


def _mountains(pair: Array, terrain: Terrain, light: Mood, air: Array) -> None:
    """Ridges from far to near: rock and woods in summer, snow with bare rock in winter."""
    size = terrain.depth.shape[0]
    y = coordinates(size)[1]
    facing = np.clip(0.5 - 0.45 * np.sign(light.sun) * terrain.folds, 0, 1)
    top = min(float(ridge.min()) for ridge in terrain.ridges)
    height = np.clip((terrain.horizon - y) / np.float32(terrain.horizon - top + 0.05), 0, 1)
    steep = ramp(terrain.folds * np.sign(np.float32(light.sun)) + 0.3 * terrain.grain, 0.9, 1.7)
    rock = colour((0.40, 0.39, 0.40)) + facing * colour((0.30, 0.27, 0.23))
    wood = colour((0.15, 0.24, 0.14)) + facing * colour((0.20, 0.24, 0.13))
    wood = wood * (1 + np.float32(0.16) * terrain.grain)
    snow = colour((0.60, 0.70, 0.86)) + facing * colour((0.42, 0.31, 0.13))
    cold_rock = rock * colour((0.85, 0.9, 1.0))
    dusted = colour((0.30, 0.36, 0.39)) + light.snow * (0.25 + 0.5 * facing) * colour(
        (0.55, 0.52, 0.50)
    )
    dusted = dusted * (1 + np.float32(0.09) * terrain.grain)
    for k, ridge in enumerate(terrain.ridges):
        bare = ramp(height + 0.08 * terrain.folds, 0.30 + 0.12 * k, 0.45 + 0.12 * k)
        summer = wood + bare * (rock - wood)
        cap = ramp(height + 0.06 * terrain.folds, 0.82, 0.95) * (k < 2)
        summer = summer + cap * (snow - summer)
        lying = light.snow * (1 - 0.75 * steep)
        winter = cold_rock + lying * (snow - cold_rock)
        winter = dusted + bare * (winter - dusted) if k >= 2 else winter
        paint = seasons_paint(summer, winter)
        veil = np.float32((0.42, 0.26, 0.14, 0.06)[k])
        thick = veil + (1 - veil) * np.float32(light.fog * (1 - 0.22 * k))
        mask = cover(ridge[None, :] - y, 2.0 / size)
        distant = seasons_paint(colour((0.62, 0.73, 0.86)), colour((0.76, 0.82, 0.90)))
        distant = distant + np.float32(max(0.3 * light.dusk, light.fog)) * (air - distant)
        _over(pair, mask, paint + thick * (distant - paint))


def _ground(pair: Array, terrain: Terrain, light: Mood) -> None:
    """Meadow with flowers; snow with blue hollows and, when it is thin, grass showing through."""
    y = coordinates(pair.shape[-1])[1]
    depth, wave, grain = terrain.depth, terrain.ground, terrain.grain
    straw, deep = colour((0.60, 0.58, 0.27)), colour((0.30, 0.50, 0.17))
    near = straw + np.float32(light.lush) * (deep - straw)
    far = near * colour((1.05, 1.08, 1.1)) + np.float32(0.05)
    grass = far + depth * (near - far)
    grass = grass * (1 + np.float32(0.16) * wave + np.float32(0.12) * grain * (0.4 + depth))
    flowers = ramp(grain + 0.4 * wave, 1.3 + 0.5 * light.lush, 1.6 + 0.5 * light.lush) * depth
    grass = grass + flowers * (colour((0.95, 0.88, 0.55)) - grass)
    bright = colour((0.88, 0.92, 0.97)) + wave * colour((0.075, 0.055, 0.03))
    dead = colour((0.52, 0.47, 0.36)) * (1 + np.float32(0.15) * grain)
    thin = ramp(wave + 0.6 * grain + np.float32(6 * (light.snow - 0.5)), -0.6, 0.9)
    snow = dead + thin * (bright - dead)
    _over(
        pair,
        cover(np.float32(terrain.horizon) - y, 2.0 / pair.shape[-1]),
        seasons_paint(grass, snow),
    )


def _lake(pair: Array, above: Array, terrain: Terrain, light: Mood, pixel: float) -> None:
    """Open water that mirrors what stands above it; in winter, ice with drifts of snow."""
    size = pair.shape[-1]
    middle = (terrain.horizon + 1) * size / 2
    rows = np.clip(np.rint(2 * middle - np.arange(size) - 1), 0, size - 1).astype(np.intp)
    mirror = above[:, :, rows]
    ripple = np.float32(0.05) * terrain.ground
    blue = seasons_paint(colour((0.16, 0.34, 0.48)), colour((0.70, 0.78, 0.86)))
    share = np.array([0.58, 0.22], dtype=np.float32).reshape(2, 1, 1, 1)
    surface = blue + share * (mirror - blue) + ripple
    drift = ramp(terrain.ground, 0.3, 1.0) * np.float32(0.7 * light.snow)
    surface[1] += drift * (colour((0.95, 0.96, 0.98)) - surface[1])
    bank = seasons_paint(colour((0.55, 0.50, 0.38)), colour((0.72, 0.75, 0.80)))
    _over(pair, cover(terrain.water - 0.025, pixel) * (terrain.depth > 0), bank)
    _over(pair, cover(terrain.water, pixel) * (terrain.depth > 0), surface)


def _veil(pair: Array, terrain: Terrain, light: Mood, air: Array) -> None:
    """Fog hides the far ground more than the near."""
    thick = np.float32(light.fog) * (1 - terrain.depth) * (terrain.depth > 0)
    _over(pair, thick, air)


def _rocks(pair: Array, scene: Landscape, terrain: Terrain, light: Mood, pixel: float) -> None:
    """Boulders with a sunlit top; snow lies on them in winter."""
    size = pair.shape[-1]
    x, y = coordinates(size)
    for u in scene.layout.rocks[: 2 + int(4 * scene.layout.place[8])].tolist():
        foot = terrain.horizon + (1 - terrain.horizon) * (0.3 + 0.7 * u[0])
        wide = (0.05 + 0.12 * u[2]) * (0.3 + u[0])
        tall = wide * (0.5 + 0.4 * u[3])
        p = (x - np.float32(2 * u[1] - 1)) / np.float32(wide)
        q = (np.float32(foot) - y) / np.float32(tall)
        body = (np.hypot(p, q) - 1 + 0.12 * terrain.folds) * np.float32(tall)
        mask = cover(np.maximum(body, -q * np.float32(tall)), pixel)
        lit = ramp(0.35 * light.sun * p + 0.3 * q, -0.45, 0.55)
        stone = colour((0.26, 0.25, 0.25)) + lit * colour((0.42, 0.40, 0.36))
        cap = light.snow * ramp(q + 0.25 * p * light.sun, 0.4, 0.65)
        cold = stone + cap * (colour((0.93, 0.95, 0.98)) - stone)
        _over(pair, mask, seasons_paint(stone, cold))
