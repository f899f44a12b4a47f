"""Horses, and the same horses as zebras: side views in a landscape."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic import latent, shapes
from domain_translation.synthetic.animals import coat, pasture, skeleton
from domain_translation.synthetic.animals.animals_law import LAW, index
from domain_translation.synthetic.latent import Latents
from domain_translation.synthetic.scenes import Scenes
from domain_translation.synthetic.shapes import Array, Solid


def sample(n: int, seed: int, *, size: int = 64, rare: float = 0.1) -> Scenes:
    """Horses in a landscape, the same scenes with zebras, and how rare each is.

    The stripes are a function of the animal's own shape, so the target is a function of the
    source; nothing but the coat differs. Scene i depends on `seed` and i only.

    Args:
        n: number of scenes, at least 1.
        seed: 0 or larger.
        size: side of the images in pixels, at least 16.
        rare: share of scenes from the wide tail (rare poses, odd light, partial or very small
            and very large views, unusual grounds), in [0, 1].

    Raises:
        ValueError: n, size or rare out of range.
    """
    return latent.sample(LAW, draw, render, n, seed, size, rare)


def draw(scenes: range, seed: int, size: int, rare: float) -> tuple[Latents, dict[str, Array]]:
    """Latent parameters of the numbered scenes, and the noise of their textures."""
    textures = {**pasture.KNOTS, "grain": (size, size)}
    return latent.draw_textured(LAW, scenes, seed, rare, textures)


def render(latents: Latents, knots: dict[str, Array], size: int) -> tuple[Array, Array, Array]:
    """Draw scenes.

    Returns:
        (source, target, mask): images (b, 3, s, s) in [-1, 1]; mask (b, s, s) in [0, 1], the
        share of each pixel that the animal covers.
    """
    place = pasture.draw(latents, knots, size)
    x, y = shapes.pixels(size)
    # However odd the view, some of the animal's trunk stays in the picture.
    scale = shapes.per_scene(np.clip(np.exp(latents["log_scale"]), 0.12, 1.25))
    flip = shapes.per_scene(np.where(latents["facing"] == index("facing", "left"), -1.0, 1.0))
    across = np.clip(shapes.per_scene(latents["x"]), -0.05 * scale, 1 + 0.05 * scale)
    down = np.clip(shapes.per_scene(latents["y"]), 0.7 * scale, 1 + 0.3 * scale)
    bx, by = flip * (x - across) / scale, (down - y) / scale
    bx, by = np.broadcast_arrays(bx, by)
    pixel = 1 / (size * scale)
    bones = skeleton.build(latents)
    body = coat.model(bones, latents, bx, by)
    sun = flip * shapes.per_scene(latents["sun"])
    ground = place.canvas * (1 - _shadow(bones, latents, sun, bx, by))[:, None]
    layers = _layers(body, pixel, by, place.blades)
    mask = 1 - np.prod([1 - alpha for alpha in layers.values()], axis=0)
    lit = {
        name: _lit(getattr(body, name), sun, place, pixel)
        for name in ("far", "tail", "trunk", "mane")
    }
    lit["far"] = lit["far"] * 0.68
    finish = _finish(latents, knots["grain"], x, y)
    images = []
    for paint in (_plain(latents, body), _striped(body, pixel)):
        image = ground
        for name in ("far", "tail", "trunk", "mane"):
            image = shapes.over(image, paint[name] * place.key * lit[name][:, None], layers[name])
        image = shapes.over(image, coat.HOOF[:, :, None, None] * place.key, layers["hoof"])
        image = shapes.over(image, coat.BLACK[:, :, None, None], layers["eye"])
        images.append(np.clip(2 * image * finish[0] + finish[1] - 1, -1, 1))
    return images[0], images[1], mask


def _layers(body: coat.Body, pixel: Array, by: Array, blades: Array) -> dict[str, Array]:
    """Share of each pixel covered by each layer, less the grass that stands in front."""
    open_ = np.clip((by - blades) / pixel + 0.5, 0, 1)
    distances = {
        "far": body.far.distance,
        "tail": body.tail.distance,
        "trunk": body.trunk.distance,
        "mane": body.mane.distance,
        "hoof": body.hoof,
        "eye": body.eye,
    }
    return {name: shapes.coverage(d, pixel) * open_ for name, d in distances.items()}


def _lit(solid: Solid, sun: Array, place: pasture.Place, pixel: Array) -> Array:
    """Brightness of a surface: light from all sides, from the sun above, and from behind."""
    nz = np.sqrt(np.clip(1 - solid.nx**2 - solid.ny**2, 0, 1))
    norm = np.sqrt(1 + sun**2 + 0.36)
    facing = (solid.ny + sun * solid.nx + 0.6 * nz) / norm
    edge = np.exp(-np.square((solid.distance + pixel) / (0.03 + pixel))) * np.clip(
        solid.ny + 0.4, 0, 1
    )
    sky = 0.85 + 0.15 * solid.ny
    light = place.ambient * sky + place.direct * np.maximum(facing, 0) + place.rim * edge
    return np.asarray(light, np.float32)


def _shadow(bones: skeleton.Skeleton, latents: Latents, sun: Array, bx: Array, by: Array) -> Array:
    """Darkness of the soft shadow on the ground, in [0, 1]."""
    feet = np.stack([leg[3][:, 0] for leg in bones.legs.values()])
    centre = shapes.per_scene(0.5 * bones.loin[:, 0] + 0.5 * feet.mean(0)) - 0.25 * sun
    q = np.square((bx - centre) / 0.50) + np.square(by / 0.085)
    diffuse = np.isin(latents["light"], [index("light", "overcast"), index("light", "moon")])
    strength = shapes.per_scene(np.where(diffuse, 0.34, 0.55))
    return np.asarray(strength * np.exp(-q * np.sqrt(q)), np.float32)


def _plain(latents: Latents, body: coat.Body) -> dict[str, Array]:
    kind = latents["coat"]
    shade = np.exp(latents["shade"]).astype(np.float32)[:, None, None, None]
    base, points = shapes.paint(coat.COATS, kind) * shade, shapes.paint(coat.POINTS, kind) * shade
    mane = shapes.paint(coat.MANES, kind) * shade
    trunk = shapes.blend(base, points, shapes.smoothstep(0.35, 0.6, body.low))
    trunk = shapes.blend(trunk, points, 0.8 * shapes.smoothstep(0.8, 1.0, body.face))
    far = shapes.blend(base, points, shapes.smoothstep(0.35, 0.6, body.low_far))
    return {"far": far, "tail": mane, "trunk": trunk, "mane": mane}


def _striped(body: coat.Body, pixel: Array) -> dict[str, Array]:
    black, white = coat.BLACK[:, :, None, None], coat.WHITE[:, :, None, None]
    mane = coat.MANE[:, :, None, None]
    trunk = shapes.blend(white, black, coat.stripes(body.trunk, pixel))
    trunk = shapes.blend(trunk, black, 0.85 * shapes.smoothstep(0.85, 1.0, body.face))
    far = shapes.blend(white, black, coat.stripes(body.far, pixel))
    return {"far": far, "tail": mane, "trunk": trunk, "mane": mane}


def _finish(latents: Latents, grain: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Exposure with a slight gradient, (b, 1, s, s), and faint grain in units of [-1, 1]."""
    slope = shapes.per_scene(latents["slope"])
    gain = shapes.per_scene(np.exp(latents["exposure"])) * (1 + slope * (2 * x - 1) + 0 * y)
    return gain[:, None], (0.012 * grain)[:, None]
