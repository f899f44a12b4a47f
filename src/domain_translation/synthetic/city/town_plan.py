"""A town's geometry on the pixel grid: what the photograph and the map share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain_translation.synthetic.canvas import Array, coordinates
from domain_translation.synthetic.city import town_features as features
from domain_translation.synthetic.city.town import ROWS, TABLE, Layout, Town

Integers = NDArray[np.intp]

HOUSES, FLATS, PARK, PARKING, GRASS, WORKS = range(6)
"""Uses of a block."""

_STREET, _AVENUE = 0.085, 0.16
_SIDEWALK = 0.02

# Cumulative shares of houses, flats, park, parking, grass; works take the rest.
_USES = {
    "suburb": (0.80, 0.86, 0.92, 0.95, 0.99),
    "river": (0.66, 0.82, 0.89, 0.94, 1.0),
    "park": (0.66, 0.82, 0.90, 0.95, 1.0),
    "railway": (0.50, 0.70, 0.76, 0.82, 0.86),
    "centre": (0.12, 0.76, 0.83, 0.95, 0.97),
    "fields": (0.72, 0.76, 0.84, 0.86, 1.0),
    "lake": (0.80, 0.86, 0.94, 0.97, 1.0),
    "forest": (0.0, 0.0, 0.0, 0.0, 1.0),
    "motorway": (0.35, 0.50, 0.58, 0.66, 0.84),
    "industry": (0.0, 0.08, 0.12, 0.24, 0.28),
}
# Length of a lot, and the height of what stands on it, by use; tile units.
_LOT = np.array([0.2, 0.36, 9.0, 0.6, 9.0, 0.62], dtype=np.float32)
_HEIGHT = np.array([0.05, 0.10, 0.0, 0.06, 0.0, 0.075], dtype=np.float32)


class Plan(NamedTuple):
    """Signed distances (negative inside) and lot data, each (S, S), tile units."""

    street: Array  # minor streets
    avenue: Array  # main roads, straight and curved
    motorway: Array
    ramp: Array
    rail: Array  # centre line, signed
    water: Array
    park: Array  # large park, woods or fields, by the kind of scene
    path: Array  # footpath through a large park
    use: Integers  # of the block, HOUSES ... WORKS
    kerb: Array  # depth inside the block
    building: Array
    height: Array  # of the building of this lot
    across: Array  # position on the roof, -1 to 1, across its ridge
    axis: NDArray[np.bool_]  # whether the ridge runs along b
    lot: Array  # (6, S, S) uniform numbers of the lot
    grid: tuple[Array, Array]  # street coordinates a, b


def lay_out(town: Town, size: int) -> Plan:
    """Every shape of the town at `size` pixels."""
    values, kind, layout = town.draw.values, town.draw.kind, town.layout
    a, b = _grid(values["tilt"], values["bend"], layout, size)
    big = [f(kind, layout.place, a, b) for f in (features.water, features.green_space)]
    water, park = big
    rail = features.railway(kind, layout.place, a, b)
    curve = np.abs(features.curved_road(kind, layout.place, a, b)) - np.float32(_AVENUE / 2)
    motorway, ramp = features.motorway(kind, layout.place, a, b)
    street, avenue, block = _streets(town, a, b)
    building = _buildings(town, a, b, block)
    avenue = np.minimum(avenue, curve) if kind != "forest" else curve
    # Main roads bridge rivers and ponds; they end at a lake and dive under a motorway.
    avenue = np.maximum(avenue, np.float32(0.01) - motorway)
    if kind == "lake":
        avenue = np.maximum(avenue, np.float32(0.04) - water)
    street = np.maximum(street, np.maximum(-park, np.float32(0.03) - water))
    street = np.maximum(street, np.float32(0.02) - np.minimum(motorway, ramp))
    path = np.abs(park + np.float32(0.17)) - np.float32(0.022)
    path = np.maximum(path, np.float32(0.04) - water)
    return Plan(
        street=street,
        avenue=avenue,
        motorway=motorway,
        ramp=ramp,
        rail=rail,
        water=water,
        park=park,
        path=path,
        use=block.use,
        kerb=block.kerb,
        building=building.distance,
        height=building.height,
        across=building.across,
        axis=building.axis,
        lot=building.lot,
        grid=(a, b),
    )


def _grid(tilt: float, bend: float, layout: Layout, size: int) -> tuple[Array, Array]:
    x, y = coordinates(size)
    c, s = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
    a, b = c * x + s * y, c * y - s * x
    bow = np.float32(np.clip(bend, -0.25, 0.25))
    phase = np.float32(6.28 * layout.place[21])
    return a + bow * np.sin(2 * b + phase), b + bow * np.sin(2 * a - phase)


class _Block(NamedTuple):
    column: Integers
    row: Integers
    left: Array  # a of the block's left kerb
    wide: Array
    top: Array
    tall: Array
    kerb: Array
    use: Integers


def _streets(town: Town, a: Array, b: Array) -> tuple[Array, Array, _Block]:
    """Signed distances of streets and avenues, and the block of every pixel."""
    layout, values, kind = town.layout, town.draw.values, town.draw.kind
    block = float(np.clip(np.exp(values["block"]), 0.4, 1.1))
    if kind in ("centre", "industry"):
        block *= 0.9 if kind == "centre" else 1.5
    lines_a = _lines(layout.widths, block, layout.place[22])
    lines_b = _lines(layout.heights, block * 1.25, layout.place[23])
    main_a = int(np.argmin(np.abs(lines_a - np.float32(1.2 * layout.place[13] - 0.6))))
    main_b = int(np.argmin(np.abs(lines_b - np.float32(1.2 * layout.place[14] - 0.6))))
    half_a = np.full(ROWS, _STREET / 2, dtype=np.float32)
    half_b = half_a.copy()
    if layout.place[15] < 0.75:
        half_a[main_a] = _AVENUE / 2
    if layout.place[16] < 0.35:
        half_b[main_b] = _AVENUE / 2
    keep = layout.merge > 0.25
    keep[:, [0, -1, main_b]] = True
    first = np.maximum.accumulate(np.where(keep, np.arange(ROWS), 0), axis=1)
    after = np.minimum.accumulate(np.where(keep, np.arange(ROWS), ROWS - 1)[:, ::-1], axis=1)
    column = np.clip(np.searchsorted(lines_a, a) - 1, 0, ROWS - 2)
    raw = np.clip(np.searchsorted(lines_b, b) - 1, 0, ROWS - 2)
    row = first[column, raw]
    below = after[:, ::-1][column, raw + 1]
    left = lines_a[column] + half_a[column]
    right = lines_a[column + 1] - half_a[column + 1]
    top, bottom = lines_b[row] + half_b[row], lines_b[below] - half_b[below]
    inside_a, inside_b = np.minimum(a - left, right - a), np.minimum(b - top, bottom - b)
    wide_a, wide_b = half_a > _STREET / 2 + 0.01, half_b > _STREET / 2 + 0.01
    avenue = np.full_like(a, features.NOWHERE)
    if wide_a[main_a]:
        avenue = np.abs(a - lines_a[main_a]) - half_a[main_a]
    if wide_b[main_b]:
        avenue = np.minimum(avenue, np.abs(b - lines_b[main_b]) - half_b[main_b])
    kerb = np.minimum(inside_a, inside_b)
    use = np.searchsorted(np.array(_USES[kind]), layout.use, side="right")[column, row]
    block_of = _Block(column, row, left, right - left, top, bottom - top, kerb, use)
    return kerb, avenue, block_of


def _lines(gaps: Array, block: float, start: float) -> Array:
    steps = np.float32(block) * (np.float32(0.7) + np.float32(0.6) * gaps)
    lines = np.cumsum(steps)
    return lines - lines[ROWS // 2] + np.float32(block * (start - 0.5))


class _Building(NamedTuple):
    distance: Array
    height: Array
    across: Array
    axis: NDArray[np.bool_]
    lot: Array


def _buildings(town: Town, a: Array, b: Array, block: _Block) -> _Building:
    """Signed distance to the building of each pixel's lot, and its roof coordinates."""
    kind, place = town.draw.kind, town.layout.place
    margin = np.float32(_SIDEWALK)
    wide, tall = block.wide - 2 * margin, block.tall - 2 * margin
    length = _LOT[block.use]
    across = np.where(wide > 1.4 * length, 2, 1).astype(np.float32)
    along = np.maximum(1, np.rint(tall / length)).astype(np.float32)
    step_a, step_b = wide / across, tall / along
    s, t = (a - block.left - margin) / step_a, (b - block.top - margin) / step_b
    i, j = np.clip(np.floor(s), 0, across - 1), np.clip(np.floor(t), 0, along - 1)
    key_a = (2 * block.column + i.astype(np.intp)) % TABLE
    key_b = (5 * block.row + j.astype(np.intp)) % TABLE
    lot = town.layout.lots[:, key_a, key_b]
    half_a = np.minimum(step_a * (0.30 + 0.14 * lot[0]), 0.6 * length)
    half_b = np.minimum(step_b * (0.30 + 0.14 * lot[1]), 0.6 * length)
    centre_a = block.left + margin + (i + 0.5) * step_a + (step_a / 2 - half_a) * (lot[2] - 0.5)
    centre_b = block.top + margin + (j + 0.5) * step_b + (step_b / 2 - half_b) * (lot[3] - 0.5)
    u, v = a - centre_a, b - centre_b
    distance = np.maximum(np.abs(u) - half_a, np.abs(v) - half_b)
    # Buildings that would stand in the way of something larger are left out whole.
    reach = np.maximum(half_a, half_b) + margin
    free = np.minimum(
        features.water(kind, place, centre_a, centre_b),
        features.green_space(kind, place, centre_a, centre_b),
    )
    line = np.minimum(
        np.abs(features.railway(kind, place, centre_a, centre_b)) - features.RAIL_HALF_WIDTH,
        np.abs(features.curved_road(kind, place, centre_a, centre_b)) - np.float32(_AVENUE / 2),
    )
    free = np.minimum(np.minimum(free, line), _motorway_room(kind, town, centre_a, centre_b))
    skip = np.array([0.07, 0.04, 2.0, 0.5, 2.0, 0.08], dtype=np.float32)[block.use]
    stands = (free > reach) & (lot[4] > skip) & (np.minimum(half_a, half_b) > 0.035)
    distance = np.where(stands, distance, features.NOWHERE)
    axis = half_b >= half_a
    roof = np.where(axis, u / half_a, v / half_b)
    height = _HEIGHT[block.use] * (0.7 + 0.6 * lot[5])
    return _Building(distance, height.astype(np.float32), roof, axis, lot)


def _motorway_room(kind: str, town: Town, a: Array, b: Array) -> Array:
    road, ramp = features.motorway(kind, town.layout.place, a, b)
    return np.minimum(road, ramp)
