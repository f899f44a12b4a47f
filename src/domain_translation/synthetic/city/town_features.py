"""Large things that cut through a town's streets, as signed distances (negative inside).

All live in the street grid's coordinates (a, b), tile units. Each function
takes a scene's place numbers, uniform in [0, 1), and reads its own few.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domain_translation.synthetic.canvas import Array

NOWHERE = np.float32(9.0)
RAIL_HALF_WIDTH = 0.045
MOTORWAY_HALF_WIDTH = 0.15
RAMP_HALF_WIDTH = 0.04


def water(kind: str, place: Sequence[float], a: Array, b: Array) -> Array:
    """River, pond, or a lake that leaves only a shore."""
    if kind == "river":
        half = 0.15 + 0.14 * place[0]
        swing = 0.08 + 0.2 * place[1]
        centre = _meander(a, b, 3.14 * place[2], swing, 6.28 * place[3], place[4] - 0.5)
        return np.abs(centre) - np.float32(half)
    if kind == "lake":
        angle = 6.28 * place[2]
        across = np.float32(np.cos(angle)) * a + np.float32(np.sin(angle)) * b
        along = np.float32(np.cos(angle)) * b - np.float32(np.sin(angle)) * a
        shore = 0.75 + 1.0 * place[0]
        wavy = 0.12 * np.sin(2.5 * along + 6.28 * place[3]) + 0.05 * np.sin(6.1 * along + place[1])
        return across - np.float32(shore) + wavy.astype(np.float32)
    if kind in ("park", "fields", "forest") and place[0] < 0.6:
        return _blob(a, b, place[1:5], 0.22 + 0.2 * place[5])
    return np.full_like(a, NOWHERE)


def green_space(kind: str, place: Sequence[float], a: Array, b: Array) -> Array:
    """A large park, the edge of the fields, or woods."""
    if kind == "park":
        return _blob(a, b, place[1:5], 0.62 + 0.25 * place[5])
    if kind == "fields":
        angle = 6.28 * place[6]
        across = np.float32(np.cos(angle)) * a + np.float32(np.sin(angle)) * b
        return np.float32(0.5 * place[7] - 0.35) - across
    if kind == "forest":
        return np.full_like(a, -NOWHERE)
    return np.full_like(a, NOWHERE)


def railway(kind: str, place: Sequence[float], a: Array, b: Array) -> Array:
    """Centre line of a railway, signed; far away where there is none."""
    if kind == "railway" or (kind in ("industry", "river") and place[8] < 0.35):
        return _meander(a, b, 0.5 + 3.14 * place[9], 0.1, 6.28 * place[10], 0.9 * place[11] - 0.45)
    return np.full_like(a, NOWHERE)


def curved_road(kind: str, place: Sequence[float], a: Array, b: Array) -> Array:
    """Centre line of a road that ignores the grid, signed; far away where there is none."""
    share = {"suburb": 0.5, "forest": 1.0, "fields": 0.7, "river": 0.4, "park": 0.3}.get(kind, 0.2)
    if kind != "lake" and place[12] < share:
        offset = 1.0 * place[15] - 0.5
        return _meander(a, b, 3.14 * place[13], 0.15 + 0.2 * place[14], 6.28 * place[16], offset)
    return np.full_like(a, NOWHERE)


def motorway(kind: str, place: Sequence[float], a: Array, b: Array) -> tuple[Array, Array]:
    """Signed distances of the motorway (two of them cross) and of its cloverleaf ramps."""
    if kind != "motorway":
        away = np.full_like(a, NOWHERE)
        return away, away
    angle = np.float32(3.14 * place[17])
    p = np.cos(angle) * a + np.sin(angle) * b - np.float32(0.5 * place[18] - 0.25)
    q = np.cos(angle) * b - np.sin(angle) * a - np.float32(0.5 * place[19] - 0.25)
    p, q = np.abs(p), np.abs(q)
    carriageways = np.minimum(p - np.float32(MOTORWAY_HALF_WIDTH), q - np.float32(0.11))
    reach = np.float32(0.36 + 0.08 * place[20])
    # One circle in each quadrant, tangent to both roads: the leaves of the clover.
    leaf = np.abs(np.hypot(p - reach, q - reach) - (reach - np.float32(0.12)))
    # The slip road outside the leaf: a quarter circle from one road to the other.
    far = np.float32(4.8) * reach
    slip = np.abs(np.hypot(p - far, q - far) - (far - np.float32(0.12)))
    slip = np.where((p < far) & (q < far), slip, NOWHERE)
    return carriageways, np.minimum(leaf, slip) - np.float32(RAMP_HALF_WIDTH)


def _meander(a: Array, b: Array, angle: float, swing: float, phase: float, offset: float) -> Array:
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = c * a + s * b, c * b - s * a
    wave = np.float32(2.2) * along + np.float32(phase)
    slope = np.float32(2.2 * swing) * np.cos(wave)
    gap = across - np.float32(offset) - np.float32(swing) * np.sin(wave)
    return gap / np.sqrt(1 + slope * slope)


def _blob(a: Array, b: Array, place: Sequence[float], radius: float) -> Array:
    u = a - np.float32(1.0 * place[0] - 0.5)
    v = (b - np.float32(1.0 * place[1] - 0.5)) * np.float32(0.75 + 0.5 * place[2])
    angle = np.arctan2(v, u)
    wobble = 0.13 * np.sin(2 * angle + 6.28 * place[3]) + 0.06 * np.sin(5 * angle + 6.28 * place[2])
    return np.hypot(u, v) - np.float32(radius) * (1 + wobble.astype(np.float32))
