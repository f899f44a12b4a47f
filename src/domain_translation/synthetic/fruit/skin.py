"""One apple and the orange in its place: outline, skin, stem and leaf."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain_translation.synthetic import shapes
from domain_translation.synthetic.fruit.fruit_law import index
from domain_translation.synthetic.fruit.table import rows
from domain_translation.synthetic.latent import Latents
from domain_translation.synthetic.shapes import Array, Solid

# In the order of the law's varieties: red, green, yellow, blushed.
BASE = rows((0.78, 0.10, 0.09), (0.52, 0.70, 0.16), (0.94, 0.79, 0.24), (0.86, 0.74, 0.28))
BLUSH = rows((0.50, 0.02, 0.06), (0.72, 0.78, 0.28), (0.92, 0.50, 0.16), (0.80, 0.14, 0.12))
BLUSH_BIAS = np.array([-0.1, -0.2, -0.5, 0.35], np.float32)
CROWN = rows((0.86, 0.58, 0.22), (0.66, 0.78, 0.26), (0.82, 0.78, 0.28), (0.72, 0.76, 0.26))
ORANGE, DEEP = rows((1.0, 0.60, 0.08)), rows((0.99, 0.48, 0.03))
STEM, GREEN, VEIN = rows((0.30, 0.19, 0.10)), rows((0.25, 0.46, 0.13)), rows((0.48, 0.66, 0.28))
CALYX = rows((0.42, 0.46, 0.18))
PORES = (48, 48)  # knots of the peel's noise, 22 to a radius
WHIMS = 8  # further random numbers of each fruit: lean, place, colour, streaks


class Fruit(NamedTuple):
    """One fruit of each scene that has it, in units of its radius, centred, y up."""

    x: Array
    y: Array
    """Upright coordinates, (b, s, s)."""
    u: Array
    v: Array
    """The same, turned so that the stem points along v."""
    pixel: Array
    """Side of a pixel, (b, 1, 1)."""


class Layer(NamedTuple):
    """Something to lay over a canvas."""

    colour: Array
    """(b, 3, s, s) or broadcastable, before the light is applied."""
    alpha: Array
    """(b, s, s)."""


def apple(f: Fruit, latents: Latents, whims: Array, bounce: Array) -> list[Layer]:
    """Layers of an apple, from the back."""
    radius = np.sqrt(f.u**2 + f.v**2) + 1e-6
    angle = np.arctan2(np.abs(f.u), f.v)  # 0 at the stem, π below
    outline = 1 + 0.05 * np.sin(angle) - 0.13 * np.exp(-np.square(angle / 0.36))
    outline = (
        outline - 0.05 * np.exp(-np.square((angle - np.pi) / 0.35)) - 0.03 * (1 - np.cos(angle))
    )
    solid = _ball(f, radius - outline, outline)
    nz = _depth(solid)
    kind = latents["variety"]
    longitude = np.arctan2(f.u / outline, nz + 0.15)
    streaks = sum(
        np.sin(rate * longitude + 9.0 * shapes.per_scene(whims[:, i]))
        for i, rate in enumerate((7.0, 13.0, 23.0))
    )
    side = f.u * np.sign(shapes.per_scene(whims[:, 3])) + 0.3 * f.v
    spread = side + 0.09 * streaks + shapes.per_scene(BLUSH_BIAS[kind] + latents["blush"])
    skin = shapes.blend(
        shapes.paint(BASE, kind), shapes.paint(BLUSH, kind), shapes.smoothstep(-0.4, 0.8, spread)
    )
    bowl = np.square(f.u / 0.42) + np.square((f.v - 0.70) / 0.20)
    skin = shapes.blend(skin, shapes.paint(CROWN, kind), 0.75 * np.exp(-bowl))
    dimple = np.exp(-np.square(f.u / 0.24) - np.square((f.v - 0.72) / 0.10))
    skin = skin * np.exp(latents["ripe"]).astype(np.float32)[:, None, None, None]
    light = _shade(solid, nz, latents) * (1 - 0.6 * dimple)
    shine = 0.75 * _gloss(solid, nz, latents, 60.0) + 0.10 * _gloss(solid, nz, latents, 6.0)
    colour = skin * light[:, None] + shine[:, None] + _bounced(solid, bounce, skin)
    lean = 0.10 * np.sign(whims[:, 4])
    ends = np.zeros((2, len(lean), 2))
    ends[0, :, 1], ends[1, :, 0], ends[1, :, 1] = 0.68, lean, 1.12
    radii = np.broadcast_to(np.array([0.035, 0.05]), (len(lean), 2))
    stem, _ = shapes.cone(f.u, f.v, ends[0], ends[1], radii)
    bark = STEM[:, :, None, None] * (1.0 + 0.5 * np.clip(stem.nx, -1, 1))[:, None]
    return [
        Layer(colour, shapes.coverage(solid.distance, f.pixel)),
        Layer(bark, shapes.coverage(stem.distance, f.pixel)),
    ]


def orange(f: Fruit, latents: Latents, whims: Array, pores: Array, bounce: Array) -> list[Layer]:
    """Layers of an orange as large as the apple, from the back; pores is (b, *PORES)."""
    radius = np.sqrt(f.u**2 + f.v**2) + 1e-6
    outline = 1 - 0.02 * np.square(f.v / radius)
    solid = _ball(f, radius - outline, outline)
    nz = _depth(solid)
    peel = np.tanh(_pores(f, pores)) / (1 + 10.0 * f.pixel)
    skin = shapes.blend(
        DEEP[:, :, None, None],
        ORANGE[:, :, None, None],
        np.clip(0.75 + 0.15 * shapes.per_scene(whims[:, 5]) + 0.25 * f.v, 0, 1),
    )
    skin = skin * np.exp(0.5 * latents["ripe"]).astype(np.float32)[:, None, None, None]
    navel = np.square(f.u / 0.115) + np.square((f.v - 0.74) / 0.06)
    crease = np.exp(-np.square((np.sqrt(navel) - 1.7) / 0.8))
    light = (0.2 + 0.86 * _shade(solid, nz, latents)) * (1 - 0.07 * peel) * (1 - 0.25 * crease)
    shine = (0.20 * _gloss(solid, nz, latents, 14.0) + 0.22 * _gloss(solid, nz, latents, 50.0)) * (
        1 - 0.45 * peel
    )
    colour = skin * light[:, None] + shine[:, None] + _bounced(solid, bounce, skin)
    button = CALYX[:, :, None, None] * _shade(solid, nz, latents)[:, None]
    inside = shapes.coverage(solid.distance, f.pixel)
    return [
        Layer(colour, inside),
        Layer(button, inside * np.clip((1.3 - np.sqrt(navel)) / (8 * f.pixel + 0.3), 0, 1)),
    ]


def leaf(f: Fruit, latents: Latents) -> Layer:
    """The leaf at the stem, the same on apple and orange; transparent where there is none."""
    side = np.where(latents["leaf"] == index("leaf", "left"), -1.0, 1.0)
    shown = shapes.per_scene(latents["leaf"] != index("leaf", "none"))
    u, v = shapes.per_scene(side) * f.u, f.v - 0.80
    colour, alpha = blade(u, v, 0.42, 0.85, 0.21, f.pixel)
    return Layer(colour, alpha * shown)


def blade(
    u: Array, v: Array, slant: float | Array, length: float, width: float, pixel: Array
) -> Layer:
    """A pointed leaf from the origin, `slant` radians above u, with a vein and a curl."""
    along = (np.cos(slant) * u + np.sin(slant) * v) / length
    across = (np.cos(slant) * v - np.sin(slant) * u) / width + 0.35 * np.square(along - 0.5)
    t = np.clip(along, 0, 1)
    half = 2.6 * np.sqrt(t) * (1 - t)
    distance = np.maximum(
        (np.abs(across) - half * 0.75) * width, np.abs(along - 0.5) * length - 0.5 * length
    )
    tone = 1.0 + 0.28 * np.tanh(3 * across) + 0.12 * np.sin(26 * (along - 0.5 * np.abs(across)))
    vein = np.exp(-np.square(across / (0.07 + 0.8 * pixel / width)))
    colour = shapes.blend(
        GREEN[:, :, None, None] * tone[:, None], VEIN[:, :, None, None], 0.6 * vein
    )
    return Layer(colour, shapes.coverage(distance, pixel))


def _ball(f: Fruit, distance: Array, outline: Array) -> Solid:
    return Solid(distance, f.x / outline, f.y / outline, np.zeros_like(distance))


def _depth(solid: Solid) -> Array:
    """The normal's third component, towards the eye."""
    return np.asarray(np.sqrt(np.clip(1 - solid.nx**2 - solid.ny**2, 0, 1)), np.float32)


def _aim(latents: Latents) -> tuple[Array, float, float, Array]:
    """Direction of the light (right, up, towards the eye) and its length."""
    sun = shapes.per_scene(latents["sun"])
    return sun, 0.9, 0.75, np.sqrt(sun**2 + 0.9**2 + 0.75**2)


def _shade(solid: Solid, nz: Array, latents: Latents) -> Array:
    sx, sy, sz, norm = _aim(latents)
    facing = np.maximum(sx * solid.nx + sy * solid.ny + sz * nz, 0) / norm
    floor = 0.62 + 0.38 * shapes.smoothstep(-1.05, -0.45, solid.ny)  # little light near the ground
    return (0.40 + 0.70 * facing) * floor


def _gloss(solid: Solid, nz: Array, latents: Latents, sharp: float) -> Array:
    sx, sy, sz, norm = _aim(latents)
    hx, hy, hz = sx / norm, sy / norm, sz / norm + 1  # halfway to the eye
    length = np.sqrt(hx**2 + hy**2 + hz**2)
    cosine = (hx * solid.nx + hy * solid.ny + hz * nz) / length
    return np.exp(sharp * 2 * (np.minimum(cosine, 1) - 1))


def _bounced(solid: Solid, bounce: Array, skin: Array) -> Array:
    low = shapes.smoothstep(0.25, 1.0, -solid.ny)
    return 0.22 * bounce * (0.3 + 0.7 * skin) * low[:, None]


def _pores(f: Fruit, pores: Array) -> Array:
    """Bumps of the peel, variance about 1, tied to the fruit and foreshortened at its limb."""
    middle = (np.array(PORES, np.float32) - 1) / 2
    v = np.clip(middle[0] + 22 * f.y[:, :, 0], 0, 2 * middle[0])
    u = np.clip(middle[1] + 22 * f.x[:, 0, :], 0, 2 * middle[1])
    return shapes.noise(pores, v, u)
