"""The place an animal stands in: sky, clouds, hills or trees, and ground."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain_translation.synthetic import shapes
from domain_translation.synthetic.animals.animals_law import LAW
from domain_translation.synthetic.latent import Latents
from domain_translation.synthetic.shapes import Array


def colours(rows: list[tuple[float, float, float]]) -> Array:
    return np.array(rows, np.float32)


class Light(NamedTuple):
    """One kind of weather."""

    zenith: tuple[float, float, float]
    skyline: tuple[float, float, float]
    key: tuple[float, float, float]
    """Colour of the light on what stands in it."""
    ambient: float
    """Share of the light that comes from everywhere."""
    direct: float
    """Share that comes from the sun."""
    rim: float
    """Glow along the outline, from behind."""


LIGHTS = {
    "sun": Light((0.33, 0.57, 0.86), (0.80, 0.89, 0.95), (1.06, 1.01, 0.92), 0.62, 0.62, 0.0),
    "overcast": Light((0.66, 0.71, 0.77), (0.87, 0.89, 0.89), (0.95, 0.97, 1.0), 0.82, 0.30, 0.0),
    "dusk": Light((0.30, 0.27, 0.48), (0.99, 0.64, 0.38), (0.92, 0.66, 0.52), 0.62, 0.55, 0.2),
    "backlit": Light((0.66, 0.72, 0.80), (1.0, 0.94, 0.78), (0.80, 0.70, 0.58), 0.50, 0.12, 0.9),
    "moon": Light((0.05, 0.08, 0.19), (0.20, 0.28, 0.45), (0.36, 0.45, 0.70), 0.62, 0.62, 0.3),
    "storm": Light((0.24, 0.27, 0.33), (0.60, 0.60, 0.55), (0.82, 0.80, 0.70), 0.66, 0.45, 0.0),
}


class Ground(NamedTuple):
    """One kind of ground."""

    near: tuple[float, float, float]
    far: tuple[float, float, float]
    patch: float
    """Strength of the large patches."""
    fine: float
    """Strength of the fine texture."""
    blades: float
    """Height of the grass, in heights of the animal."""
    shine: float
    """Share of the sky that it reflects."""


GROUNDS = {
    "meadow": Ground((0.31, 0.46, 0.15), (0.55, 0.66, 0.34), 0.09, 0.11, 0.07, 0.0),
    "dry grass": Ground((0.68, 0.56, 0.27), (0.82, 0.74, 0.48), 0.08, 0.10, 0.08, 0.0),
    "sand": Ground((0.82, 0.68, 0.47), (0.90, 0.80, 0.62), 0.05, 0.04, 0.0, 0.0),
    "snow": Ground((0.90, 0.93, 0.98), (0.94, 0.96, 0.99), 0.035, 0.02, 0.0, 0.0),
    "red earth": Ground((0.60, 0.27, 0.15), (0.72, 0.42, 0.28), 0.10, 0.07, 0.0, 0.0),
    "lavender": Ground((0.46, 0.34, 0.62), (0.64, 0.54, 0.76), 0.12, 0.16, 0.10, 0.0),
    "shallows": Ground((0.25, 0.42, 0.48), (0.52, 0.66, 0.72), 0.05, 0.09, 0.0, 0.5),
    "lava": Ground((0.17, 0.16, 0.17), (0.30, 0.29, 0.31), 0.12, 0.12, 0.0, 0.0),
}
# Far and near silhouettes on the horizon: hazy hills, then green slopes or trees.
FAR_HEIGHT = np.array([0.012, 0.075, 0.03], np.float32)
NEAR_HEIGHT = np.array([0.004, 0.02, 0.055], np.float32)
ROUGHNESS = np.array([0.1, 0.15, 0.9], np.float32)
HAZE, LEAF = colours([(0.50, 0.60, 0.72)]), colours([(0.20, 0.32, 0.16)])

# White noise per scene, by use.
KNOTS = {
    "cloud": (6, 6),
    "wisp": (14, 10),
    "hill": (1, 7),
    "slope": (1, 9),
    "tree": (1, 44),
    "patch": (12, 8),
    "fine": (40, 40),
    "blade": (1, 64),
}


class Place(NamedTuple):
    """A drawn background and what its light does to a body in it."""

    canvas: Array
    """(b, 3, s, s) in [0, 1] or a little outside."""
    key: Array
    """(b, 3, 1, 1)."""
    ambient: Array
    direct: Array
    rim: Array
    """(b, 1, 1), as in Light."""
    turf: Array
    """Colour of the ground's own grass, (b, 3, s, s)."""
    blades: Array
    """Height of the grass at each column, share of an animal's height, (b, 1, s)."""


def field(kind: dict[str, Any], name: str, choice: NDArray[np.int64]) -> Array:
    """One number or colour of each scene's kind: (b, 1, 1) or (b, 3, 1, 1)."""
    values = np.array([getattr(one, name) for one in kind.values()], np.float32)[choice]
    return values[:, None, None] if values.ndim == 1 else values[:, :, None, None]


def draw(latents: Latents, knots: dict[str, Array], size: int) -> Place:
    """Paint the empty place of each scene."""
    x, y = shapes.pixels(size)
    horizon = np.clip(shapes.per_scene(latents["horizon"]), 0.08, 0.92)
    key = field(LIGHTS, "key", latents["light"]) * tint(latents)
    sky = _sky(latents, knots, x, y, horizon)
    ground = _ground(latents, knots, x, y, horizon) * key
    shine = field(GROUNDS, "shine", latents["ground"])
    ground = ground + (sky[:, :, ::-1] - ground) * shine[:, None]
    canvas = _skyline(sky, latents, knots, x, y, horizon, key)
    canvas = shapes.over(canvas, ground, shapes.coverage(horizon - y, 1 / size))
    column = (x[:, 0] * (KNOTS["blade"][1] - 1)).astype(np.float32)
    tall = 0.55 + 0.45 * shapes.ridge(knots["blade"][:, 0], column)
    return Place(
        canvas,
        key,
        field(LIGHTS, "ambient", latents["light"]),
        field(LIGHTS, "direct", latents["light"]),
        field(LIGHTS, "rim", latents["light"]),
        ground,
        field(GROUNDS, "blades", latents["ground"]) * np.maximum(tall, 0),
    )


def tint(latents: Latents) -> Array:
    """Gain of each colour from the light's warmth, (b, 3, 1, 1)."""
    axis = np.array([0.16, -0.01, -0.20])
    gain: Array = np.exp(latents["warmth"][:, None] * axis).astype(np.float32)
    return gain[:, :, None, None]


def _sky(latents: Latents, knots: dict[str, Array], x: Array, y: Array, horizon: Array) -> Array:
    light = latents["light"]
    t = np.clip(y / horizon, 0, 1)
    sky = shapes.blend(field(LIGHTS, "zenith", light), field(LIGHTS, "skyline", light), t)
    u, v = x[:, 0], np.minimum((y / horizon)[:, :, 0], 1)
    cloud = 0.75 * shapes.noise(knots["cloud"], 4.8 * v, 4.0 * u + 0.5)
    cloud = cloud + 0.42 * shapes.noise(knots["wisp"], 12.8 * v, 8.5 * u)
    cover = shapes.smoothstep(0.1, 1.5, cloud + 0.5 * shapes.per_scene(latents["clouds"]))
    white = field(LIGHTS, "skyline", light) * 0.6 + 0.42 * field(LIGHTS, "key", light)
    return shapes.over(sky, white, 0.85 * cover * (0.35 + 0.65 * (1 - t)))


def _skyline(
    sky: Array,
    latents: Latents,
    knots: dict[str, Array],
    x: Array,
    y: Array,
    horizon: Array,
    key: Array,
) -> Array:
    kind, pixel, u = latents["distance"], 1 / x.shape[-1], x[:, 0]
    skyline = field(LIGHTS, "skyline", latents["light"])
    hill = 1 + 0.55 * shapes.ridge(knots["hill"][:, 0], 6 * u)
    top = horizon - shapes.per_scene(FAR_HEIGHT[kind]) * np.maximum(hill, 0)
    haze = 0.55 * HAZE[:, :, None, None] * key + 0.45 * skyline
    canvas = shapes.over(sky, haze, shapes.coverage(top - y, pixel))
    slope = 1 + 0.4 * shapes.ridge(knots["slope"][:, 0], 8 * u)
    crowns = shapes.per_scene(ROUGHNESS[kind]) * np.abs(shapes.ridge(knots["tree"][:, 0], 43 * u))
    top = horizon - shapes.per_scene(NEAR_HEIGHT[kind]) * np.maximum(slope + 0.6 * crowns, 0)
    bare = field(GROUNDS, "far", latents["ground"])
    tree = (kind == list(LAW.choices["distance"]).index("trees"))[:, None, None, None]
    green = np.where(tree, 0.8 * LEAF[:, :, None, None] + 0.2 * bare, 0.75 * bare) * key
    green = 0.75 * green + 0.25 * haze
    return shapes.over(canvas, green, shapes.coverage(top - y, pixel))


def _ground(latents: Latents, knots: dict[str, Array], x: Array, y: Array, horizon: Array) -> Array:
    kind, u = latents["ground"], x[:, 0]
    t = np.clip((y - horizon) / (1 - horizon), 0, 1)
    colour = shapes.blend(field(GROUNDS, "far", kind), field(GROUNDS, "near", kind), t)
    # Rows crowd towards the horizon, as they do in perspective.
    depth = np.sqrt(t[:, :, 0])
    patch = shapes.noise(knots["patch"], 11 * depth, 7 * u)
    fine = shapes.noise(knots["fine"], 39 * depth, 39 * u)
    mottle = field(GROUNDS, "patch", kind) * patch + field(GROUNDS, "fine", kind) * fine * (
        0.35 + 0.65 * t
    )
    return np.asarray(colour * (1 + mottle)[:, None], np.float32)
