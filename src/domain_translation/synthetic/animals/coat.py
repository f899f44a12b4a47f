"""A horse's body as soft solids, its plain coats, and a zebra's stripes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain_translation.synthetic import shapes
from domain_translation.synthetic.animals.skeleton import Points, Skeleton
from domain_translation.synthetic.latent import Latents
from domain_translation.synthetic.shapes import Array, Solid

COATS = np.array(  # bay, chestnut, grey, black, cream
    [
        (0.46, 0.25, 0.13),
        (0.56, 0.29, 0.15),
        (0.66, 0.66, 0.68),
        (0.15, 0.14, 0.15),
        (0.90, 0.79, 0.60),
    ],
    np.float32,
)
MANES = np.array(
    [
        (0.08, 0.06, 0.06),
        (0.44, 0.20, 0.09),
        (0.36, 0.36, 0.39),
        (0.07, 0.06, 0.07),
        (0.97, 0.92, 0.80),
    ],
    np.float32,
)
POINTS = np.array(  # lower legs
    [
        (0.11, 0.08, 0.07),
        (0.52, 0.25, 0.12),
        (0.45, 0.45, 0.48),
        (0.12, 0.11, 0.12),
        (0.84, 0.72, 0.54),
    ],
    np.float32,
)
BLACK, WHITE = (
    np.array([(0.07, 0.06, 0.07)], np.float32),
    np.array([(0.97, 0.95, 0.91)], np.float32),
)
MANE = np.array([(0.10, 0.08, 0.08)], np.float32)
HOOF = np.array([(0.16, 0.13, 0.12)], np.float32)
TRUNK_STRIPES, LEG_STRIPES, NECK_STRIPES, HEAD_STRIPES = 46.0, 58.0, 54.0, 62.0  # radians a unit


class Body(NamedTuple):
    """Layers of an animal, from the back: far legs, tail, trunk with near legs, mane, eye."""

    far: Solid
    tail: Solid
    trunk: Solid
    mane: Solid
    eye: Array
    """Signed distance."""
    low_far: Array
    low: Array
    """How far down a leg a pixel is: 0 on the trunk, 1 below knee and hock, on both layers."""
    hoof_far: Array
    hoof: Array
    """Signed distance to the hooves."""
    face: Array
    """0 at the poll, 1 at the muzzle, 0 off the head."""


def model(bones: Skeleton, latents: Latents, x: Array, y: Array) -> Body:
    """Solids of each animal on its own grid (b, s, s), in heights of the animal, y up."""
    fat = latents["girth"]
    trunk = _trunk(bones, fat, x, y)
    neck, t = _cone(x, y, bones.crest, bones.poll, 0.175 * fat, 0.085)
    neck = neck._replace(tone=np.sin(_bands(NECK_STRIPES, t, bones.crest, bones.poll) + 4.0))
    head, face = _cone(x, y, bones.poll, bones.muzzle, 0.092, 0.052)
    head = head._replace(tone=np.sin(_bands(HEAD_STRIPES, face, bones.poll, bones.muzzle) + 4.5))
    near, low, hoof = _legs(bones, "near", x, y)
    far, low_far, hoof_far = _legs(bones, "far", x, y)
    body = shapes.join(shapes.join(trunk, near, 0.07), neck, 0.10)
    on_head = head.distance < body.distance
    body = shapes.join(body, head, 0.04)
    for ear in _ears(bones, x, y):
        body = shapes.join(body, ear._replace(tone=head.tone), 0.02)
    gaze = bones.muzzle - bones.poll
    side = np.stack([-gaze[:, 1], gaze[:, 0]], axis=-1)
    eye = bones.poll + 0.28 * gaze + 0.09 * side
    spot, _ = _cone(x, y, eye, eye + 0.01, 0.021, 0.021)
    low = np.where(near.distance < trunk.distance, low, 0).astype(np.float32)
    face = np.where(on_head, face, 0).astype(np.float32)
    return Body(
        far,
        _tail(bones, x, y),
        body,
        _mane(bones, x, y),
        spot.distance,
        low_far,
        low,
        hoof_far,
        hoof,
        face,
    )


def stripes(solid: Solid, pixel: Array) -> Array:
    """0 on a white stripe, 1 on a black one; fades to grey where stripes are finer than pixels."""
    blur = 0.2 + 12.0 * pixel
    return np.asarray(0.5 + 0.5 * np.tanh((solid.tone + 0.1) / blur), np.float32)


def _cone(
    x: Array, y: Array, a: Points, b: Points, ra: Points | float, rb: Points | float
) -> tuple[Solid, Array]:
    radii = np.stack([np.broadcast_to(ra, len(a)), np.broadcast_to(rb, len(a))], axis=-1)
    return shapes.cone(x, y, a, b, radii)


def _bands(rate: float, t: Array, a: Points, b: Points) -> Array:
    """Phase of bands across a bone: `rate` radians per unit of its length."""
    return rate * t * shapes.per_scene(np.hypot(*(b - a).T))


def _trunk(bones: Skeleton, fat: Points, x: Array, y: Array) -> Solid:
    back, _ = _cone(x, y, bones.hip, bones.loin, 0.215 * fat, 0.205 * fat)
    front, _ = _cone(x, y, bones.loin, bones.shoulder, 0.205 * fat, 0.218 * fat)
    trunk = shapes.join(back, front, 0.05)
    axis = bones.shoulder - bones.hip
    axis = axis / np.hypot(axis[:, 0], axis[:, 1])[:, None]
    along = (x - shapes.per_scene(bones.loin[:, 0])) * shapes.per_scene(axis[:, 0])
    along = along + (y - shapes.per_scene(bones.loin[:, 1])) * shapes.per_scene(axis[:, 1])
    # Curved round the barrel, and swept back towards the croup, as on a plains zebra.
    curve = 0.035 * trunk.ny**2 + 0.10 * trunk.ny * shapes.smoothstep(0.0, 0.45, -along)
    return trunk._replace(tone=np.sin(TRUNK_STRIPES * (along + curve)))


def _legs(bones: Skeleton, side: str, x: Array, y: Array) -> tuple[Solid, Array, Array]:
    legs, lows, hooves = [], [], []
    for kind, widths in (
        ("hind", (0.135, 0.052, 0.034, 0.036)),
        ("fore", (0.098, 0.048, 0.033, 0.036)),
    ):
        a, b, c, d = bones.legs[f"{side} {kind}"]
        upper, t0 = _cone(x, y, a, b, widths[0], widths[1])
        cannon, t1 = _cone(x, y, b, c, widths[1] - 0.006, widths[2])
        foot, t2 = _cone(x, y, c, d, widths[2], widths[3])
        one = np.ones_like(t0[:, :1, :1])
        knee = _bands(LEG_STRIPES, one, a, b)
        ankle = knee + _bands(LEG_STRIPES, one, b, c)
        upper = upper._replace(tone=np.sin(_bands(LEG_STRIPES, t0, a, b)))
        cannon = cannon._replace(tone=np.sin(knee + _bands(LEG_STRIPES, t1, b, c)))
        foot = foot._replace(tone=np.sin(ankle + _bands(LEG_STRIPES, t2, c, d)))
        legs.append(shapes.join(shapes.join(upper, cannon, 0.03), foot, 0.02))
        lows.append(np.where(upper.distance < cannon.distance, 0.45 * t0, 0.45 + 0.55 * t1))
        hoof, _ = _cone(x, y, c + 0.75 * (d - c), d + 0.1 * (d - c), 0.034, 0.042)
        hooves.append(hoof.distance)
    first = legs[0].distance < legs[1].distance
    return (
        shapes.join(legs[0], legs[1], 0.01),
        np.where(first, lows[0], lows[1]),
        np.minimum(hooves[0], hooves[1]),
    )


def _ears(bones: Skeleton, x: Array, y: Array) -> list[Solid]:
    gaze = bones.muzzle - bones.poll
    gaze = gaze / np.hypot(gaze[:, 0], gaze[:, 1])[:, None]
    up = np.stack([-gaze[:, 1], gaze[:, 0]], axis=-1)
    ears = []
    for lean, back in ((0.02, -0.02), (-0.45, -0.06)):
        root = bones.poll + back * gaze + 0.06 * up
        tip = root + 0.105 * (up + lean * gaze)
        ears.append(_cone(x, y, root, tip, 0.040, 0.012)[0])
    return ears


def _tail(bones: Skeleton, x: Array, y: Array) -> Solid:
    middle, end = bones.tail
    top, _ = _cone(x, y, bones.dock, middle, 0.036, 0.060)
    tip, _ = _cone(x, y, middle, end, 0.060, 0.018)
    return shapes.join(top, tip, 0.04)


def _mane(bones: Skeleton, x: Array, y: Array) -> Solid:
    neck = bones.poll - bones.crest
    neck = neck / np.hypot(neck[:, 0], neck[:, 1])[:, None]
    nape = np.stack([-neck[:, 1], neck[:, 0]], axis=-1)
    low, high = bones.crest + 0.135 * nape + 0.02 * neck, bones.poll + 0.07 * nape
    crest, t = _cone(x, y, low, high, 0.035, 0.048)
    crest = crest._replace(distance=crest.distance + 0.004 * np.sin(75.0 * t))  # tufts
    gaze = bones.muzzle - bones.poll
    lock = bones.poll + 0.22 * gaze + 0.06 * np.stack([-gaze[:, 1], gaze[:, 0]], axis=-1)
    fore, _ = _cone(x, y, high, lock, 0.045, 0.018)
    return shapes.join(crest, fore, 0.03)
