"""What fruit lies on: a wooden table, a checked cloth, a plate, paper, and odder places."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain_translation.synthetic import shapes
from domain_translation.synthetic.fruit.fruit_law import index
from domain_translation.synthetic.latent import Latents
from domain_translation.synthetic.shapes import Array

KNOTS = {"wall": (7, 7), "grain": (44, 6), "plank": (1, 12), "rough": (40, 40)}


def rows(*colours: tuple[float, float, float]) -> Array:
    return np.array(colours, np.float32)


# In the order of the law's grounds: wood, cloth, plate, studio, slate, moss, velvet.
NEAR = rows(
    (0.56, 0.36, 0.20),
    (0.90, 0.88, 0.84),
    (0.46, 0.30, 0.19),
    (0.86, 0.85, 0.83),
    (0.20, 0.22, 0.24),
    (0.26, 0.38, 0.14),
    (0.42, 0.06, 0.12),
)
FAR = rows(
    (0.66, 0.46, 0.29),
    (0.82, 0.80, 0.78),
    (0.56, 0.39, 0.26),
    (0.78, 0.77, 0.76),
    (0.32, 0.34, 0.36),
    (0.42, 0.52, 0.24),
    (0.30, 0.04, 0.09),
)
ROUGH = np.array([0.03, 0.015, 0.03, 0.0, 0.10, 0.22, 0.05], np.float32)
# In the order of the law's lights: day, candle, night, neon, forest.
KEY = rows(
    (1.02, 1.0, 0.97),
    (1.05, 0.72, 0.42),
    (0.42, 0.52, 0.82),
    (0.98, 0.50, 0.92),
    (0.66, 0.98, 0.62),
)
FALL_OFF = np.array([0.12, 0.75, 0.45, 0.25, 0.3], np.float32)  # darkening towards the corners


class Table(NamedTuple):
    """An empty still life."""

    canvas: Array
    """(b, 3, s, s), before the light is applied."""
    light: Array
    """Colour and strength of the light at each pixel, (b, 3, s, s)."""
    bounce: Array
    """Colour that the ground throws back, (b, 3, 1, 1)."""


def accent(latents: Latents) -> Array:
    """A muted colour from the hue parameter, (b, 3, 1, 1): blue at 0, teal and plum beside it."""
    turn = 3.7 - 0.55 * latents["hue"][:, None] + np.array([0.0, -2.1, -4.2])
    colour: Array = (np.array([0.58, 0.60, 0.62]) + 0.13 * np.cos(turn)).astype(np.float32)
    return colour[:, :, None, None]


def centre(latents: Latents) -> Array:
    """Middle of the arrangement, (b, 2): right and down, kept inside the picture."""
    return np.clip(np.stack([latents["x"], latents["y"]], axis=-1), 0, 1)


def draw(latents: Latents, knots: dict[str, Array], size: int) -> Table:
    """Paint the place and its light."""
    x, y = shapes.pixels(size)
    pixel = np.float32(1 / size)
    edge = np.clip(shapes.per_scene(latents["edge"]), 0.05, 0.9)
    kind = latents["ground"]
    u, v = x[:, 0], y[:, :, 0]
    mottle = 1 + 0.05 * shapes.noise(knots["wall"], 6 * v, 6 * u)
    wall = 0.92 * accent(latents) * (mottle * (0.82 + 0.3 * y))[:, None]
    t = np.clip((y - edge) / (1 - edge), 0, 1)
    top = shapes.blend(shapes.paint(FAR, kind), shapes.paint(NEAR, kind), t)
    rough = shapes.noise(knots["rough"], 39 * np.sqrt(t[:, :, 0]), 39 * u)
    top = top * (1 + shapes.per_scene(ROUGH[kind]) * rough)[:, None]
    wooden = np.isin(kind, [index("ground", "wood"), index("ground", "plate")])
    top = top * (1 - shapes.per_scene(wooden) * _planks(knots, t, u))[:, None]
    cloth = shapes.per_scene(kind == index("ground", "cloth"))
    top = shapes.over(top, 2.2 * accent(latents) - 0.72, cloth * _checks(x, t))
    paper = kind == index("ground", "studio")
    blur = shapes.per_scene(np.where(paper, 0.5, 0.0)) + pixel
    sheet = 0.35 * accent(latents) + 0.62
    wall = np.where(paper[:, None, None, None], sheet * (0.72 + 0.2 * y)[:, None], wall)
    top = np.where(paper[:, None, None, None], sheet * (0.85 + 0.15 * t)[:, None], top)
    canvas = shapes.over(wall, top, shapes.smoothstep(edge - blur / 2, edge + blur / 2, y))
    plate = shapes.per_scene(kind == index("ground", "plate"))
    canvas = _plate(canvas, latents, plate, x, y, pixel)
    bounce = shapes.blend(shapes.paint(NEAR, kind), np.float32(0.9) + 0 * top[:, :, :1, :1], plate)
    return Table(canvas, _light(latents, x, y), bounce)


def _light(latents: Latents, x: Array, y: Array) -> Array:
    axis = np.array([0.16, -0.01, -0.20])
    tint = np.exp(latents["warmth"][:, None] * axis + latents["exposure"][:, None])
    key = shapes.paint(KEY, latents["light"]) * tint.astype(np.float32)[:, :, None, None]
    sun = shapes.per_scene(latents["sun"])
    far = np.square(x - 0.5 - 0.15 * sun) + np.square(y - 0.48)
    strength = 1 - shapes.per_scene(FALL_OFF[latents["light"]]) * np.minimum(2.0 * far, 1)
    strength = strength * (1 + (shapes.per_scene(latents["slope"]) + 0.06 * sun) * (2 * x - 1))
    return np.asarray(key * strength[:, None], np.float32)


def _planks(knots: dict[str, Array], t: Array, u: Array) -> Array:
    """Darkness of the wood's grain and of the joints between planks."""
    depth = np.sqrt(t[:, :, 0])
    grain = shapes.noise(knots["grain"], 43 * depth, 5 * u)
    board = 3.5 * np.sqrt(t) + 0.35
    joint = np.exp(-np.square((board - np.round(board)) / 0.03))
    tone = 0.05 * np.sin(7.3 * np.floor(board + 0.5) + 2.0)
    return np.asarray(0.07 * grain + 0.35 * joint + tone, np.float32)


def _checks(x: Array, t: Array) -> Array:
    """Opacity of a gingham's colour: stripes both ways, lines converging into the distance."""
    across = np.sin(2 * np.pi * (x - 0.5) * 6 / (0.62 + 0.38 * t))
    down = np.sin(2 * np.pi * 4.6 * (0.4 + 0.6 * t) * t)
    return np.asarray(0.34 * (np.tanh(4 * across) + np.tanh(4 * down) + 2) / 2 + 0.02, np.float32)


def _plate(
    canvas: Array, latents: Latents, share: Array, x: Array, y: Array, pixel: np.float32
) -> Array:
    """A white plate under the fruit, seen at a slant, with its rim and shadow."""
    zoom = shapes.per_scene(np.exp(0.6 * latents["log_scale"]))
    middle = centre(latents)
    dx = (x - shapes.per_scene(middle[:, 0])) / (0.44 * zoom)
    dy = (y - shapes.per_scene(middle[:, 1]) - 0.19 * zoom) / (0.185 * zoom)
    r = np.sqrt(dx * dx + dy * dy)
    low = np.sqrt(dx * dx + np.square(dy - 0.16))
    canvas = (
        canvas * (1 - 0.5 * share * np.exp(-np.square(np.maximum(low - 0.9, 0) / 0.12)))[:, None]
    )
    step = pixel / (0.25 * zoom)
    inside = share * np.clip(0.5 + (1 - r) / step, 0, 1)
    glaze = 0.93 - 0.10 * shapes.smoothstep(0.68, 0.76, r) + 0.12 * shapes.smoothstep(0.76, 0.95, r)
    glaze = glaze + 0.05 * dy
    china = np.array([1.0, 0.99, 0.97], np.float32)[None, :, None, None] * glaze[:, None]
    return shapes.over(canvas, china, inside)
