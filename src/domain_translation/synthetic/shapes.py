"""Soft-edged solids, smooth noise and compositing, batched over scenes, in NumPy.

Shapes are signed distances (negative inside) on a pixel grid, so that an edge is blended over
one pixel whatever the size of the image. Arrays are float32; `b` counts scenes, `s` pixels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # of float32: NumPy's annotations lose the precision in most arithmetic


class Solid(NamedTuple):
    """A rounded solid seen from the side, on a (b, s, s) grid."""

    distance: Array
    """Signed distance to the outline, in the units of the grid, negative inside."""
    nx: Array
    """First component of the surface's unit normal (right), meaningful inside."""
    ny: Array
    """Second component of the normal (up)."""
    tone: Array
    """Sine of the stripes' phase: a black stripe where positive, a white one where negative."""


def pixels(size: int) -> tuple[Array, Array]:
    """Centres of the pixels of a unit square: X (1, 1, s) rightwards, Y (1, s, 1) downwards."""
    centre = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return centre[None, None, :], centre[None, :, None]


def per_scene(values: NDArray[np.generic]) -> Array:
    """One number per scene, (b,), ready to broadcast over its pixels: (b, 1, 1)."""
    return values.astype(np.float32)[:, None, None]


def cone(x: Array, y: Array, start: Array, end: Array, radii: Array) -> tuple[Solid, Array]:
    """A capsule whose radius changes along its axis, with a coordinate t in [0, 1] along it.

    Args:
        x, y: grid, (b, s, s) or broadcastable to it; y points up.
        start, end: ends of the axis, (b, 2).
        radii: at both ends, (b, 2), positive.

    Returns:
        (solid, t); the solid's tone is zero, for the caller to set.
    """
    ax, ay = per_scene(start[:, 0]), per_scene(start[:, 1])
    dx, dy = per_scene(end[:, 0]) - ax, per_scene(end[:, 1]) - ay
    length2 = np.maximum(dx * dx + dy * dy, 1e-8)
    qx, qy = x - ax, y - ay
    t = np.clip((qx * dx + qy * dy) / length2, 0, 1)
    qx = qx - t * dx
    qy = qy - t * dy
    r0, r1 = per_scene(radii[:, 0]), per_scene(radii[:, 1])
    r = r0 + (r1 - r0) * t
    return Solid(np.sqrt(qx * qx + qy * qy) - r, qx / r, qy / r, np.zeros_like(t)), t


def join(a: Solid, b: Solid, fillet: float) -> Solid:
    """Union of two solids, rounded over a distance of `fillet` where they meet.

    Normals and tones are blended with the weights of the rounding, so that light and stripes
    run on across the seam.
    """
    h = np.clip(0.5 + 0.5 * (b.distance - a.distance) / fillet, 0, 1)
    distance = b.distance + (a.distance - b.distance) * h - fillet * h * (1 - h)
    return Solid(distance, *(q + (p - q) * h for p, q in zip(a[1:], b[1:], strict=True)))


def coverage(distance: Array, pixel: Array | float) -> Array:
    """Share of each pixel inside an outline, in [0, 1], by a ramp one pixel wide.

    Args:
        distance: signed distance (b, s, s).
        pixel: side of a pixel in the same units, broadcastable.
    """
    return np.clip(0.5 - distance / pixel, 0, 1)


def smoothstep(low: float | Array, high: float | Array, x: Array) -> Array:
    """0 below `low`, 1 above `high`, with a smooth cubic between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def noise(knots: Array, v: Array, u: Array) -> Array:
    """A smooth random field with variance 1 from white noise on a coarse grid.

    Each knot spreads as a Gaussian of width 0.6 knots; dividing by the root of the summed
    squared weights keeps the variance at 1 everywhere.

    Args:
        knots: standard normal, (b, rows, columns).
        v: row coordinate of each image row, (b or 1, s), in [0, rows - 1].
        u: column coordinate of each image column, (b or 1, s), in [0, columns - 1].

    Returns:
        (b, s, s).
    """
    left = _weights(v, knots.shape[1])
    right = _weights(u, knots.shape[2])
    return np.asarray(left @ knots @ right.transpose(0, 2, 1), dtype=np.float32)


def ridge(knots: Array, u: Array) -> Array:
    """The same in one dimension: knots (b, columns), u (b or 1, s) -> (b, 1, s)."""
    weights = _weights(u, knots.shape[1])
    return np.asarray((weights @ knots[:, :, None]).transpose(0, 2, 1), dtype=np.float32)


def _weights(u: Array, count: int) -> Array:
    offset = u[:, :, None] - np.arange(count, dtype=np.float32)
    weights = np.exp(-0.5 * np.square(offset / 0.6))
    return np.asarray(weights / np.sqrt(np.square(weights).sum(-1, keepdims=True)), np.float32)


def over(canvas: Array, colour: Array, alpha: Array) -> Array:
    """Lay a colour over a canvas: (b, 3, s, s), (b or 1, 3, s or 1, s or 1), (b, s, s)."""
    return np.asarray(canvas + (colour - canvas) * alpha[:, None], np.float32)


def paint(table: Array, choice: NDArray[np.int64]) -> Array:
    """Each scene's row of a colour table (k, 3), as (b, 3, 1, 1)."""
    return table[choice][:, :, None, None]


def blend(a: Array, b: Array, t: Array) -> Array:
    """a where t is 0, b where t is 1: colours (b, 3, 1, 1) or (b, 3, s, s), t (b, s, s)."""
    return np.asarray(a + (b - a) * t[:, None], np.float32)
