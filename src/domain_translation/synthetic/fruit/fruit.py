"""Apples, and the same still lifes with oranges."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic import latent, shapes
from domain_translation.synthetic.fruit import skin, table
from domain_translation.synthetic.fruit.fruit_law import LAW, index
from domain_translation.synthetic.latent import Latents
from domain_translation.synthetic.scenes import Scenes
from domain_translation.synthetic.shapes import Array

# Where the fruits stand, back row first, in radii (right, down), and their radius, by count.
LAYOUTS = {
    "one": (0.265, [(0.0, 0.0)]),
    "two": (0.205, [(0.92, -0.12), (-0.92, 0.12)]),
    "three": (0.185, [(0.08, -0.55), (-1.02, 0.25), (1.0, 0.42)]),
    "crowd": (
        0.175,
        [(-0.95, -0.85), (0.95, -0.8), (0.0, -0.25), (-1.85, 0.35), (1.9, 0.4), (-0.3, 0.9)],
    ),
}
MOST = 6


def sample(n: int, seed: int, *, size: int = 64, rare: float = 0.1) -> Scenes:
    """Still lifes with apples, the same with oranges, and how rare each is.

    Each orange has the place, size and light of its apple; table, shadows and leaves are
    shared. Scene i depends on `seed` and i only.

    Args:
        n: number of scenes, at least 1.
        seed: 0 or larger.
        size: side of the images in pixels, at least 16.
        rare: share of scenes from the wide tail (odd light, partial, tiny or huge views,
            crowds, a leaf in front, unusual grounds), in [0, 1].

    Raises:
        ValueError: n, size or rare out of range.
    """
    return latent.sample(LAW, draw, render, n, seed, size, rare)


def draw(scenes: range, seed: int, size: int, rare: float) -> tuple[Latents, dict[str, Array]]:
    """Latent parameters of the numbered scenes, and the noise of their textures."""
    textures = {
        **table.KNOTS,
        "whims": (MOST, skin.WHIMS),
        "pores": skin.PORES,
        "film": (size, size),
    }
    return latent.draw_textured(LAW, scenes, seed, rare, textures)


def render(latents: Latents, knots: dict[str, Array], size: int) -> tuple[Array, Array, Array]:
    """Draw scenes.

    Returns:
        (source, target, mask): images (b, 3, s, s) in [-1, 1]; mask (b, s, s) in [0, 1], the
        share of each pixel that an apple or an orange covers.
    """
    place = table.draw(latents, knots, size)
    centres, radius = _arrange(latents, knots["whims"])
    ground = place.canvas * (1 - _shadows(latents, centres, radius, size))[:, None]
    pair = [ground, ground.copy()]
    mask = np.zeros((len(radius), size, size), np.float32)
    for slot in range(MOST):
        here = np.flatnonzero(~np.isnan(centres[:, slot, 0]))
        if len(here) == 0:
            continue
        some = {name: values[here] for name, values in latents.items()}
        whims, bounce = knots["whims"][here, slot], place.bounce[here]
        fruit = _place(some, whims, centres[here, slot], radius[here], size)
        leaf = skin.leaf(fruit, some)
        kinds = (
            skin.apple(fruit, some, whims, bounce),
            skin.orange(fruit, some, whims, knots["pores"][here], bounce),
        )
        for image, layers in zip(pair, kinds, strict=True):
            for layer in (*layers, leaf):
                image[here] = shapes.over(image[here], layer.colour, layer.alpha)
            for layer in layers:
                mask[here] = np.maximum(mask[here], layer.alpha)
    x, y = shapes.pixels(size)
    here = np.flatnonzero(latents["veil"] != index("veil", "none"))
    veil = _veil({name: values[here] for name, values in latents.items()}, x, y)
    for image in pair:
        image[here] = shapes.over(image[here], veil.colour, veil.alpha)
    film = 0.012 * knots["film"][:, None]
    source, target = (np.clip(2 * image * place.light - 1 + film, -1, 1) for image in pair)
    return source, target, mask


def _arrange(latents: Latents, whims: Array) -> tuple[Array, Array]:
    """Centres (b, MOST, 2), right and down in shares of the image, NaN where there is no fruit;
    radii (b,)."""
    centres = np.full((len(LAYOUTS), MOST, 2), np.nan)
    for row, name in enumerate(LAW.choices["count"]):
        spots = LAYOUTS[name][1]
        centres[row, : len(spots)] = spots
    radii = np.array([LAYOUTS[name][0] for name in LAW.choices["count"]])
    radius = radii[latents["count"]] * np.exp(latents["log_scale"])
    offset = centres[latents["count"]] + 0.07 * np.clip(whims[:, :, 6:8], -2, 2)
    placed = table.centre(latents)[:, None] + radius[:, None, None] * offset
    return placed.astype(np.float32), radius.astype(np.float32)


def _place(latents: Latents, whims: Array, centre: Array, radius: Array, size: int) -> skin.Fruit:
    """Coordinates of one fruit of each scene."""
    x, y = shapes.pixels(size)
    wide = np.exp(latents["plump"])
    r = shapes.per_scene(radius)
    fx = (x - shapes.per_scene(centre[:, 0])) / (r * shapes.per_scene(wide))
    fy = -(y - shapes.per_scene(centre[:, 1])) / (r * shapes.per_scene(1 / wide))
    fx, fy = np.broadcast_arrays(fx, fy)
    tilt = latents["tilt"] + 0.15 * whims[:, 4]
    c, s = shapes.per_scene(np.cos(tilt)), shapes.per_scene(np.sin(tilt))
    return skin.Fruit(fx, fy, c * fx - s * fy, s * fx + c * fy, 1 / (size * r))


def _shadows(latents: Latents, centres: Array, radius: Array, size: int) -> Array:
    """Darkness of the soft shadows on the table, in [0, 1]."""
    x, y = shapes.pixels(size)
    sun, r = shapes.per_scene(latents["sun"]), shapes.per_scene(radius)
    light = np.ones((len(radius), size, size), np.float32)
    for slot in range(MOST):
        here = ~np.isnan(centres[:, slot, 0])
        centre = np.nan_to_num(centres[:, slot])
        dx = (x - shapes.per_scene(centre[:, 0])) / r
        dy = (y - shapes.per_scene(centre[:, 1])) / r - 0.88
        cast = np.square((dx + 0.55 * sun) / 1.15) + np.square((dy - 0.02) / 0.30)
        touch = np.square(dx / 0.72) + np.square(dy / 0.14)
        dark = 1 - (1 - 0.50 * np.exp(-cast)) * (1 - 0.55 * np.exp(-touch))
        light = light * (1 - shapes.per_scene(here) * dark)
    return 1 - light


def _veil(latents: Latents, x: Array, y: Array) -> skin.Layer:
    """A large leaf close to the eye, from a lower corner, in front of everything."""
    right = latents["veil"] == index("veil", "right")
    u = np.where(right[:, None, None], 1.06 - x, x + 0.06).astype(np.float32) + 0 * y
    v = 1.02 - y + 0 * u
    pixel = np.full((1, 1, 1), 3.0 / x.shape[-1], np.float32)
    slant = 0.75 + 0.6 * shapes.per_scene(np.clip(latents["tilt"], -0.5, 0.5))
    colour, alpha = skin.blade(u, v, slant, 0.95, 0.22, pixel)
    return skin.Layer(0.8 * colour, alpha)
