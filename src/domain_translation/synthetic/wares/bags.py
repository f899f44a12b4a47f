"""Bags as cut shapes: handbags, totes, backpacks, satchels, purses and bucket bags.

A bag's body is about one wide and stands on y = 0; y decreases upwards, as in pictures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from domain_translation.synthetic.wares.cutouts import Array, Part, band, curve, ellipse, up

Random = np.random.Generator


def draw(rng: Random) -> list[Part]:
    """The parts of a random bag, farthest first; slots main, second, sole, lining and trim."""
    return KINDS[int(rng.integers(len(KINDS)))](rng)


def _box(left: float, right: float, low: float, high: float, flare: float, round_: float) -> Array:
    """A rounded box, `flare` narrower at the top on either side."""
    r = round_
    return curve(
        up(
            (left, low + r), (left + 0.3 * r, low + 0.3 * r), (left + r, low), (right - r, low),
            (right - 0.3 * r, low + 0.3 * r), (right, low + r), (right - flare, high - r),
            (right - flare - 0.3 * r, high - 0.3 * r), (right - flare - r, high),
            (left + flare + r, high),
            (left + flare + 0.3 * r, high - 0.3 * r), (left + flare, high - r),
        )
    )  # fmt: skip


def _arch(left: float, right: float, foot: float, top: float) -> Array:
    middle = (left + right) / 2
    return curve(
        up(
            (left, foot),
            (left + 0.02, foot + 0.6 * (top - foot)),
            (middle, top),
            (right - 0.02, foot + 0.6 * (top - foot)),
            (right, foot),
        ),
        closed=False,
    )


def _handbag(rng: Random) -> list[Part]:
    high, flare = rng.uniform(0.55, 0.75), rng.uniform(0.05, 0.16)
    body = _box(0.0, 1.0, 0.0, high, flare, rng.uniform(0.06, 0.16))
    reach = high + rng.uniform(0.22, 0.45)
    inset = flare + rng.uniform(0.1, 0.18)
    handle = _arch(inset, 1 - inset, high - 0.1, reach)
    parts = [Part(band(handle - [0.0, 0.03], 0.05), "lining"), Part(body, "main", bulge=0.08)]
    bottom = _box(0.0, 1.0, 0.0, 0.24 * high, 0.01, 0.06)
    style = rng.integers(3)
    if style == 0:
        parts.append(Part(bottom, "second", bulge=0.04))
        parts.append(
            Part(band(up((0.03 + flare, high - 0.1), (0.97 - flare, high - 0.1)), 0.04), "second")
        )
    elif style == 1:
        flap = curve(
            up(
                (flare, high),
                (flare, high),
                (1 - flare, high),
                (1 - flare, high),
                (0.98 - flare, 0.55 * high),
                (0.5, 0.4 * high),
                (0.02 + flare, 0.55 * high),
            )
        )
        parts.append(Part(flap, "main", bulge=0.05))
    else:
        parts[-1] = parts[-1]._replace(
            seams=(up((0.3, 0.01), (0.33, high)), up((0.7, 0.01), (0.67, high)))
        )
    parts.append(Part(band(handle, rng.uniform(0.05, 0.075)), "second"))
    return [*parts, Part(ellipse(0.5, -0.44 * high, 0.055, 0.045), "trim", bulge=0.02)]


def _tote(rng: Random) -> list[Part]:
    high = rng.uniform(0.8, 1.0)
    flare = -rng.uniform(0.0, 0.08)
    body = _box(0.08, 0.92, 0.0, high, flare, 0.03)
    left, right = rng.uniform(0.24, 0.3), rng.uniform(0.7, 0.76)
    reach = high + rng.uniform(0.3, 0.5)
    front = _arch(left, right, high - rng.uniform(0.08, 0.3), reach)
    parts = [
        Part(band(_arch(left + 0.04, right - 0.04, high - 0.02, reach - 0.09), 0.05), "lining")
    ]
    parts.append(Part(body, "main", bulge=0.06))
    style = rng.integers(3)
    if style == 0:
        parts.append(Part(_box(0.08, 0.92, 0.0, 0.3 * high, 0.01, 0.03), "second", bulge=0.03))
    elif style == 1:
        parts.append(Part(_box(0.3, 0.7, 0.18 * high, 0.6 * high, 0.0, 0.03), "second", bulge=0.02))
    else:
        parts[-1] = parts[-1]._replace(seams=(up((0.06, high - 0.09), (0.94, high - 0.09)),))
    return [*parts, Part(band(front, 0.06), "second")]


def _backpack(rng: Random) -> list[Part]:
    high = rng.uniform(1.0, 1.2)
    body = curve(
        up(
            (0.1, 0.04), (0.14, 0.0), (0.86, 0.0), (0.9, 0.04), (0.93, 0.4), (0.88, 0.8 * high),
            (0.72, 0.97 * high),
            (0.5, high), (0.28, 0.97 * high), (0.12, 0.8 * high), (0.07, 0.4),
        )
    )  # fmt: skip
    loop = _arch(0.38, 0.62, high - 0.05, high + rng.uniform(0.1, 0.16))
    straps = [
        Part(
            band(
                curve(
                    up(
                        (0.5 + s * 0.3, 0.9 * high),
                        (0.5 + s * 0.5, 0.6 * high),
                        (0.5 + s * 0.42, 0.1),
                    ),
                    False,
                ),
                0.07,
            ),
            "second",
        )
        for s in (-1, 1)
    ]
    top = rng.uniform(0.4, 0.5) * high
    pocket = _box(0.2, 0.8, 0.06, top, 0.02, 0.09)
    zip_ = curve(
        up(
            (0.14, 0.55 * high),
            (0.2, 0.8 * high),
            (0.5, 0.91 * high),
            (0.8, 0.8 * high),
            (0.86, 0.55 * high),
        ),
        False,
    )
    parts = [
        Part(band(loop, 0.05), "second"),
        *straps,
        Part(body, "main", bulge=0.09, seams=(zip_,)),
    ]
    parts.append(Part(pocket, "second" if rng.random() < 0.6 else "main", bulge=0.05))
    parts.append(Part(band(up((0.28, top - 0.08), (0.72, top - 0.08)), 0.03), "trim"))
    if rng.random() < 0.5:
        parts.append(Part(_box(0.42, 0.58, 0.66 * high, 0.74 * high, 0.0, 0.02), "trim"))
    return parts


def _satchel(rng: Random) -> list[Part]:
    high = rng.uniform(0.6, 0.75)
    body = _box(0.0, 1.0, 0.0, high, 0.02, 0.06)
    low = rng.uniform(0.25, 0.4) * high
    flap = curve(
        up(
            (-0.01, high),
            (-0.01, high),
            (1.01, high),
            (1.01, high),
            (1.0, low + 0.08),
            (0.92, low),
            (0.08, low),
            (0.0, low + 0.08),
        )
    )
    strap = _arch(0.04, 0.96, high - 0.05, high + rng.uniform(0.3, 0.55))
    parts = [
        Part(band(strap, 0.05), "second"),
        Part(body, "main", bulge=0.06),
        Part(flap, "main", bulge=0.06),
    ]
    for x in (0.25, 0.75) if rng.random() < 0.7 else (0.5,):
        parts.append(Part(band(up((x, high), (x, low - 0.06)), 0.075), "second"))
        parts.append(Part(_box(x - 0.055, x + 0.055, low + 0.03, low + 0.12, 0.0, 0.02), "trim"))
    return parts


def _purse(rng: Random) -> list[Part]:
    high = rng.uniform(0.5, 0.62)
    body = curve(
        up(
            (0.1, high),
            (0.1, high),
            (0.9, high),
            (0.9, high),
            (1.0, 0.4 * high),
            (0.8, 0.03),
            (0.5, 0.0),
            (0.2, 0.03),
            (0.0, 0.4 * high),
        )
    )
    chain = _arch(0.14, 0.86, high, high + rng.uniform(0.35, 0.6))
    parts = [Part(band(chain, 0.035), "trim")]
    parts.append(Part(body, "main", bulge=0.1))
    if rng.random() < 0.5:
        folds = tuple(
            curve(up((x, high - 0.08), (0.5 + 1.25 * (x - 0.5), 0.12)), False)
            for x in (0.3, 0.5, 0.7)
        )
        parts[-1] = parts[-1]._replace(seams=folds)
    parts.append(Part(band(up((0.09, high - 0.02), (0.91, high - 0.02)), 0.06), "trim"))
    parts += [
        Part(ellipse(x, -high - 0.035, 0.035, 0.035), "trim", bulge=0.015) for x in (0.47, 0.53)
    ]
    return parts


def _bucket(rng: Random) -> list[Part]:
    high = rng.uniform(0.8, 0.95)
    waist = rng.uniform(0.0, 0.08)
    body = curve(
        up(
            (0.14, 0.05), (0.3, 0.0), (0.7, 0.0), (0.86, 0.05), (0.9, 0.4),
            (0.86 - waist, high), (0.86 - waist, high),
            (0.5, high - 0.07), (0.14 + waist, high), (0.14 + waist, high), (0.1, 0.4),
        )
    )  # fmt: skip
    mouth = ellipse(0.5, -high, 0.36 - waist, 0.08)
    strap = _arch(0.16 + waist, 0.84 - waist, high - 0.02, high + rng.uniform(0.35, 0.55))
    parts = [
        Part(mouth, "lining"),
        Part(body, "main", bulge=0.1),
        Part(band(strap, 0.06), "second"),
    ]
    base = curve(
        up(
            (0.13, 0.05),
            (0.3, 0.0),
            (0.7, 0.0),
            (0.87, 0.05),
            (0.895, 0.24),
            (0.895, 0.24),
            (0.5, 0.18),
            (0.105, 0.24),
            (0.105, 0.24),
        )
    )
    parts.append(Part(base, "second", bulge=0.04))
    if rng.random() < 0.6:
        cord = curve(
            up((0.15 + waist, high - 0.17), (0.5, high - 0.25), (0.85 - waist, high - 0.17)), False
        )
        parts.append(Part(band(cord, 0.035), "trim"))
        parts.append(Part(band(up((0.5, high - 0.24), (0.46, high - 0.45)), 0.03), "trim"))
    return parts


KINDS: tuple[Callable[[Random], list[Part]], ...] = (
    _handbag,
    _tote,
    _backpack,
    _satchel,
    _purse,
    _bucket,
)
