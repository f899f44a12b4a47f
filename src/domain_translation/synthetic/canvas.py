"""Drawing on small arrays: coverage, blending, smooth noise and shifts.

A picture is a float32 array (3, S, S) in [0, 1]; a mask is (S, S) in [0, 1].
Lengths are in tile units: the picture spans [-1, 1] in both directions, x to
the right and y downwards, so a pixel is 2 / S wide.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]


@lru_cache(maxsize=8)
def coordinates(size: int) -> tuple[Array, Array]:
    """Pixel centres x and y, each (size, size), read-only."""
    line = ((np.arange(size) + 0.5) * (2.0 / size) - 1.0).astype(np.float32)
    x, y = np.meshgrid(line, line)
    x.flags.writeable = y.flags.writeable = False
    return x, y


def cover(distance: Array, pixel: float) -> Array:
    """Share of each pixel inside a shape, from its signed distance (negative inside)."""
    return np.clip(0.5 - distance / np.float32(pixel), 0.0, 1.0)


def ramp(value: Array, low: float, high: float) -> Array:
    """0 at `low`, 1 at `high`, straight in between (low may exceed high)."""
    return np.clip((value - np.float32(low)) / np.float32(high - low), 0.0, 1.0)


def colour(rgb: ArrayLike) -> Array:
    """A colour as a (3, 1, 1) array."""
    return np.asarray(rgb, dtype=np.float32).reshape(3, 1, 1)


def blend(image: Array, mask: Array, paint: Array) -> None:
    """Lay `paint` (3, 1, 1) or (3, S, S) over `image` where `mask` says so, in place."""
    image += mask * (paint - image)


@lru_cache(maxsize=64)
def _weights(cells: int, size: int) -> Array:
    """Smooth interpolation from cells + 1 knots to `size` pixels, (size, cells + 1)."""
    position = (np.arange(size) + 0.5) / size * cells
    left = np.minimum(position.astype(int), cells - 1)
    t = position - left
    t = t * t * (3 - 2 * t)
    weights = np.zeros((size, cells + 1), dtype=np.float32)
    rows = np.arange(size)
    weights[rows, left] = 1 - t
    weights[rows, left + 1] = t
    return weights


def noise(rng: np.random.Generator, size: int, cells: int, tall: int | None = None) -> Array:
    """Smooth noise (size, size) of unit scale with `cells` cells across, `tall` (or as many) down.

    The random numbers do not depend on `size`: the same field at any resolution.
    """
    tall = cells if tall is None else tall
    knots = rng.standard_normal((tall + 1, cells + 1), dtype=np.float32)
    field = _weights(tall, size) @ knots @ _weights(cells, size).T
    return np.asarray(field, dtype=np.float32)


def grain(rng: np.random.Generator, size: int) -> Array:
    """The finest noise of a picture (size, size), about two pixels wide and at most 128 cells.

    Draw it last: a larger picture uses up more random numbers.
    """
    field = noise(rng, size, 56)
    if size > 96:
        field = np.float32(0.65) * field + np.float32(0.85) * noise(rng, size, 112)
    return field


def octaves(
    rng: np.random.Generator, size: int, first: int, count: int, gain: float = 0.6
) -> Array:
    """Sum of `count` noises, each twice as fine and `gain` times as strong, of unit scale."""
    total = np.zeros((size, size), dtype=np.float32)
    for k in range(count):
        total += np.float32(gain**k) * noise(rng, size, first * 2**k)
    scale = 0.6 * np.sqrt(sum(gain ** (2 * k) for k in range(count)))
    return total / np.float32(scale)


def profile(rng: np.random.Generator, size: int, first: int, count: int, gain: float) -> Array:
    """One-dimensional `octaves`, (size,)."""
    total = np.zeros(size, dtype=np.float32)
    for k in range(count):
        cells = first * 2**k
        knots = rng.standard_normal(cells + 1, dtype=np.float32)
        total += np.float32(gain**k) * (_weights(cells, size) @ knots)
    return total


def shifted(field: Array, dx: float, dy: float) -> Array:
    """The field read at (x + dx, y + dy), tile units; beyond the edge its border value."""
    size = field.shape[0]
    reach = size / 2.0
    index = np.arange(size)
    return _read(_read(field, index + dy * reach, 0), index + dx * reach, 1)


def _read(field: Array, position: NDArray[np.float64], axis: int) -> Array:
    last = field.shape[axis] - 1
    floor = np.floor(position)
    weight = (position - floor).astype(np.float32)
    low = np.clip(floor, 0, last).astype(np.intp)
    high = np.clip(floor + 1, 0, last).astype(np.intp)
    if axis == 0:
        weight = weight[:, None]
    near = field.take(low, axis)
    return near + weight * (field.take(high, axis) - near)


def graded(image: Array, haze: float, haze_paint: Array, cast: Array, exposure: float) -> Array:
    """Camera and air: haze mixes a veil in, `cast` scales the channels, `exposure` is a gain."""
    veiled = image + np.float32(haze) * (haze_paint - image)
    return np.clip(veiled * cast * np.float32(exposure), 0.0, 1.0)
