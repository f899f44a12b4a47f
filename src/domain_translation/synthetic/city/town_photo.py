"""The town as a camera sees it from above: light, shadows, texture, haze."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.canvas import (
    Array,
    blend,
    colour,
    coordinates,
    cover,
    graded,
    grain,
    noise,
    octaves,
    ramp,
    shifted,
)
from domain_translation.synthetic.city.town import TABLE, Town
from domain_translation.synthetic.city.town_plan import (
    FLATS,
    GRASS,
    HOUSES,
    PARK,
    PARKING,
    WORKS,
    Plan,
)

_ROOFS = np.array(
    [
        (0.64, 0.34, 0.25),
        (0.56, 0.29, 0.22),
        (0.70, 0.43, 0.31),
        (0.47, 0.37, 0.33),
        (0.38, 0.39, 0.42),
        (0.52, 0.50, 0.48),
        (0.60, 0.38, 0.27),
        (0.44, 0.31, 0.27),
    ],
    dtype=np.float32,
)
_FLAT_ROOFS = np.array(
    [
        (0.80, 0.79, 0.76),
        (0.66, 0.65, 0.63),
        (0.88, 0.87, 0.85),
        (0.53, 0.53, 0.54),
        (0.73, 0.68, 0.60),
        (0.62, 0.45, 0.38),
        (0.55, 0.63, 0.68),
        (0.76, 0.76, 0.78),
    ],
    dtype=np.float32,
)
_FIELDS = np.array(
    [
        (0.52, 0.58, 0.30),
        (0.70, 0.64, 0.40),
        (0.40, 0.50, 0.25),
        (0.55, 0.45, 0.33),
        (0.62, 0.63, 0.37),
        (0.36, 0.46, 0.27),
        (0.74, 0.69, 0.47),
        (0.47, 0.55, 0.30),
    ],
    dtype=np.float32,
)
_TREE_HEIGHT = 0.055
# Cell width, offset into the table of uniform numbers, and turn in radians.
_TREE_LATTICES = ((0.16, 0, 0.4), (0.135, 7, 1.1), (0.105, 17, 1.9))


def photograph(plan: Plan, town: Town, rng: np.random.Generator) -> Array:
    """The aerial photograph, (3, S, S) in [0, 1]; `rng` supplies texture only."""
    values, kind = town.draw.values, town.draw.kind
    size = plan.street.shape[0]
    pixel = 2.0 / size
    coarse, ripples, fine = octaves(rng, size, 4, 3), noise(rng, size, 24, 48), grain(rng, size)
    image = _ground(plan, town, coarse, fine)
    _water(image, plan, coarse, ripples, pixel)
    _roads(image, plan, kind, fine, pixel)
    sun = (float(np.cos(values["sun"])), float(np.sin(values["sun"])))
    roofs = cover(plan.building, pixel)
    blend(image, roofs, _roof_paint(plan, town, sun, fine))
    height = roofs * plan.height
    _cars(image, plan, town, pixel)
    crowns = _trees(image, plan, town, sun, pixel)
    height = np.maximum(height, np.float32(_TREE_HEIGHT) * crowns)
    image *= 1 - _shadows(height, values["shadow"], sun) * colour((0.62, 0.57, 0.48))
    _season(image, plan, values["season"], coarse, roofs)
    image += np.float32(0.018) * fine
    warm = np.float32(np.clip(values["warmth"], -2.5, 2.5))
    cast = np.exp(warm * colour((0.10, 0.01, -0.13)))
    haze = 0.85 / (1 + np.exp(-values["haze"]))
    gain = 1.13 * float(np.exp(np.clip(values["exposure"], -0.5, 0.4)))
    return graded(image, haze, colour((0.76, 0.80, 0.84)), cast, gain)


def _ground(plan: Plan, town: Town, coarse: Array, fine: Array) -> Array:
    """Lawns, yards, parks, car parks, woods and fields."""
    kind = town.draw.kind
    lush = np.float32(np.clip(0.5 + 0.18 * town.draw.values["green"], 0.1, 0.95))
    lawn = colour((0.53, 0.56, 0.36)) + lush * colour((-0.20, 0.00, -0.12))
    yard = colour((0.57, 0.54, 0.45)) + lush * colour((-0.18, -0.04, -0.13))
    table = np.empty((6, 3, 1, 1), dtype=np.float32)
    table[HOUSES], table[FLATS] = yard, colour((0.57, 0.56, 0.53))
    table[PARK], table[GRASS] = lawn, lawn * np.float32(1.1)
    table[PARKING], table[WORKS] = colour((0.43, 0.43, 0.44)), colour((0.55, 0.53, 0.50))
    image = np.ascontiguousarray(np.moveaxis(table[:, :, 0, 0][plan.use], -1, 0))
    inside = plan.park < 0
    if kind == "fields":
        a, b = plan.grid
        turn = 6.28 * town.layout.place[6] + 0.3
        p, q = np.cos(turn) * a + np.sin(turn) * b, np.cos(turn) * b - np.sin(turn) * a
        i = np.floor(p / 0.55 + 7.3).astype(np.intp)
        j = np.floor(q / 0.9 + 5.1 + 0.37 * i).astype(np.intp)
        pick = (8 * town.layout.lots[0, i % TABLE, j % TABLE]).astype(np.intp)
        furrows = 1 + np.float32(0.05) * np.sin(np.float32(60.0) * p.astype(np.float32))
        image = np.where(inside, np.moveaxis(_FIELDS[pick], -1, 0) * furrows, image)
    elif kind == "forest":
        image = np.where(inside, colour((0.23, 0.29, 0.17)), image)
    else:
        image = np.where(inside, lawn, image)
    image = image * (1 + np.float32(0.10) * coarse + np.float32(0.05) * fine)
    return np.asarray(image, dtype=np.float32)


def _water(image: Array, plan: Plan, coarse: Array, ripples: Array, pixel: float) -> None:
    depth = ramp(-plan.water, 0.0, 0.25)
    paint = colour((0.26, 0.37, 0.38)) + depth * colour((-0.10, -0.10, -0.02))
    paint = paint + np.float32(0.012) * coarse + np.float32(0.007) * ripples
    blend(image, cover(plan.water - np.float32(0.03), pixel), colour((0.55, 0.51, 0.42)))
    blend(image, cover(plan.water, pixel), paint)


def _roads(image: Array, plan: Plan, kind: str, fine: Array, pixel: float) -> None:
    asphalt = colour((0.52, 0.52, 0.53)) + np.float32(0.02) * fine
    if kind == "park":
        blend(image, cover(np.maximum(plan.path, plan.park), pixel), colour((0.72, 0.67, 0.57)))
    # The pavement on both sides of a street is paler than the asphalt.
    blend(image, cover(plan.street, pixel), colour((0.63, 0.62, 0.60)))
    blend(image, cover(plan.street + np.float32(0.015), pixel), asphalt)
    rail = np.abs(plan.rail)
    blend(image, cover(rail - np.float32(0.06), pixel), colour((0.42, 0.37, 0.32)))
    ties = np.abs(rail - np.float32(0.022)) - np.float32(0.008)
    blend(image, cover(ties, pixel), colour((0.66, 0.62, 0.58)))
    for road, line in ((plan.avenue, 0.08), (plan.ramp, 9.0), (plan.motorway, 9.0)):
        blend(image, cover(road, pixel), colour((0.70, 0.69, 0.67)))
        paved = asphalt + np.float32(0.05)
        blend(image, cover(road + np.float32(0.018), pixel), paved)
        if line < 1:
            middle = np.abs(road + np.float32(line)) - np.float32(0.006)
            blend(image, cover(middle, pixel), colour((0.86, 0.84, 0.76)))
    if kind == "motorway":
        depth = -plan.motorway
        median = np.abs(depth - np.float32(0.11)) - np.float32(0.012)
        blend(image, cover(median, pixel), colour((0.43, 0.47, 0.33)))


def _roof_paint(plan: Plan, town: Town, sun: tuple[float, float], fine: Array) -> Array:
    """Gabled houses with a sunlit and a shaded side; flat roofs with a parapet."""
    pick = (8 * plan.lot[5] * np.float32(0.999)).astype(np.intp)
    pitched = plan.use == HOUSES
    paint = np.moveaxis(np.where(pitched[..., None], _ROOFS[pick], _FLAT_ROOFS[pick]), -1, 0)
    tilt = town.draw.values["tilt"]
    towards_a = sun[0] * np.cos(tilt) + sun[1] * np.sin(tilt)
    towards_b = sun[1] * np.cos(tilt) - sun[0] * np.sin(tilt)
    facing = np.where(plan.axis, np.float32(towards_a), np.float32(towards_b))
    side = np.clip(plan.across * 8, -1, 1) * facing
    gable = 1.05 + np.float32(0.26) * side
    edge = np.where(plan.building > -0.02, np.float32(1.12), np.float32(1.0))
    box = (np.abs(plan.across - 0.2) < 0.2) & (plan.building < -0.045)
    flat = np.where(box, np.float32(0.86), edge)
    return np.asarray(
        paint * np.where(pitched, gable, flat) + np.float32(0.01) * fine, dtype=np.float32
    )


def _specks(
    town: Town, size: int, cell: float, channel: int, turn: float
) -> tuple[Array, Array, Array, Array, Array]:
    """One speck per cell of a turned lattice, seen from every pixel.

    Returns the pixel's offset from its cell's speck in x and y, the cell's
    uniform numbers (6, S, S), and the row and column of the speck's centre.
    """
    x, y = coordinates(size)
    c, s = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    p, q = (c * x + s * y) / np.float32(cell), (c * y - s * x) / np.float32(cell)
    j = np.floor(q)
    stagger = np.float32(0.5) * (j % 2)
    i = np.floor(p + stagger)
    key_i, key_j = i.astype(np.intp) + channel, j.astype(np.intp) + 3 * channel
    uniform = town.layout.lots[:, key_i % TABLE, key_j % TABLE]
    # The centre keeps a distance from the cell's border: a crown must fit.
    centre_p = (i - stagger + 0.36 + 0.28 * uniform[0]) * np.float32(cell)
    centre_q = (j + 0.36 + 0.28 * uniform[1]) * np.float32(cell)
    centre_x, centre_y = c * centre_p - s * centre_q, s * centre_p + c * centre_q
    column = np.clip((centre_x + 1) * (size / 2), 0, size - 1).astype(np.intp)
    row = np.clip((centre_y + 1) * (size / 2), 0, size - 1).astype(np.intp)
    return x - centre_x, y - centre_y, uniform, row, column


def _trees(image: Array, plan: Plan, town: Town, sun: tuple[float, float], pixel: float) -> Array:
    """Round crowns, lit from the sun's side; returns the share of each pixel they cover."""
    kind, size = town.draw.kind, image.shape[-1]
    lush = float(np.clip(1 + 0.35 * town.draw.values["green"], 0.25, 2.0))
    share = np.array([0.30, 0.14, 0.38, 0.05, 0.12, 0.05], dtype=np.float32) * np.float32(lush)
    density = share[plan.use]
    wanted = {"park": 0.3 * lush, "fields": 0.02, "forest": 0.97}.get(kind, 0.3)
    density = np.where(plan.park < 0, np.float32(wanted), density)
    room = np.minimum(np.minimum(plan.building, plan.water), np.abs(plan.rail) - 0.05)
    roads = np.minimum(np.minimum(plan.street, plan.avenue), np.minimum(plan.motorway, plan.ramp))
    density = np.where(np.minimum(room, roads) > 0.015, density, 0)
    total = np.zeros((size, size), dtype=np.float32)
    for cell, channel, turn in _TREE_LATTICES:
        u, v, uniform, row, column = _specks(town, size, cell, channel, turn)
        radius = np.float32(cell) * (0.32 + 0.16 * uniform[2])
        mask = cover(np.hypot(u, v) - radius, pixel) * (uniform[3] < density[row, column])
        lit = 0.5 + np.float32(0.5) * (u * np.float32(sun[0]) + v * np.float32(sun[1])) / radius
        green = colour((0.16, 0.24, 0.13)) + np.clip(lit, 0, 1) * colour((0.22, 0.25, 0.12))
        green = green * (0.8 + 0.4 * uniform[4])
        blend(image, mask, np.asarray(green, dtype=np.float32))
        total = np.maximum(total, mask)
    return total


def _cars(image: Array, plan: Plan, town: Town, pixel: float) -> None:
    """Moving cars as specks on the roads, parked ones in rows."""
    size, tilt = image.shape[-1], town.draw.values["tilt"]
    bustle = float(np.clip(0.35 + 0.15 * town.draw.values["bustle"], 0.05, 0.9))
    roads = np.minimum(np.minimum(plan.street, plan.avenue), plan.motorway)
    u, v, uniform, row, column = _specks(town, size, 0.1, 11, tilt)
    body = np.maximum(np.abs(u), np.abs(v)) - np.float32(0.016)
    present = (roads[row, column] < -0.025) & (uniform[2] < bustle)
    tint = np.where(uniform[3] < 0.55, np.float32(0.93), np.float32(0.18))
    blend(image, cover(body, pixel) * present, tint)
    lot = (plan.use == PARKING) & (plan.kerb > 0.04) & (plan.building > 0.03)
    lot &= np.minimum(np.minimum(plan.water, plan.park), np.minimum(plan.avenue, roads)) > 0.02
    if lot.any():
        a, b = plan.grid
        i, j = np.floor(a / 0.1).astype(np.intp), np.floor(b / 0.06).astype(np.intp)
        uniform = town.layout.lots[:, i % TABLE, j % TABLE]
        body = np.maximum(np.abs(a - (i + 0.5) * 0.1) - 0.028, np.abs(b - (j + 0.5) * 0.06) - 0.016)
        mask = cover(body.astype(np.float32), pixel) * lot * (uniform[2] < bustle + 0.3)
        paint = colour((0.9, 0.9, 0.92)) - uniform[3] * colour((0.45, 0.7, 0.7))
        blend(image, mask, np.asarray(paint, dtype=np.float32))


def _shadows(height: Array, log_length: float, sun: tuple[float, float]) -> Array:
    """Where something taller stands between the ground and the sun."""
    length = float(np.exp(np.clip(log_length, -1.0, 1.7)))
    farthest = float(height.max()) * length
    steps = int(np.ceil(farthest / 0.035))
    dark = np.zeros_like(height)
    for k in range(1, steps + 1):
        away = farthest * k / steps
        caster = shifted(height, away * sun[0], away * sun[1])
        dark = np.maximum(dark, ramp(caster - height - np.float32(0.8 * away / length), 0.0, 0.02))
    return dark


def _season(image: Array, plan: Plan, season: float, coarse: Array, roofs: Array) -> None:
    """Negative: dried out and brown. Positive: snow on open ground and roofs."""
    dry, snow = np.clip((-season - 0.5) / 1.5, 0, 1), np.clip((season - 0.7) / 1.3, 0, 1)
    if dry > 0:
        greenness = ramp(image[1] - np.maximum(image[0], image[2]), -0.03, 0.05)
        brown = image.mean(axis=0) * colour((1.35, 1.05, 0.68))
        blend(image, np.float32(dry) * greenness, brown)
    if snow > 0:
        roads = np.minimum(
            np.minimum(plan.street, plan.avenue), np.minimum(plan.motorway, plan.ramp)
        )
        open_ground = ramp(np.minimum(roads, plan.water), 0.0, 0.03)
        bright = image.mean(axis=0)
        white = colour((0.62, 0.66, 0.72)) + bright * colour((0.4, 0.38, 0.34))
        share = (
            np.clip(0.75 + 0.25 * coarse, 0, 1)
            * open_ground
            * (0.35 + 0.65 * ramp(bright, 0.2, 0.4))
        )
        blend(image, np.float32(snow) * share, white)
