"""Sneakers, high-tops and boots as cut shapes, in the frame of `shoes`."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.wares.cutouts import Array, Part, band, curve, up

Random = np.random.Generator


def outsole(thick: float, heel: float, spring: float) -> Part:
    """A sole of one piece; `spring` lifts the toe, `heel` thickens the back."""
    back = thick + heel
    return Part(
        curve(
            up(
                (0.0, spring + 0.6 * thick),
                (0.03, spring + 0.1 * thick),
                (0.16, 0.0),
                (0.97, 0.0),
                (1.0, 0.4 * back),
                (0.98, back),
                (0.98, back),
                (0.6, thick + 0.6 * heel),
                (0.2, thick + 0.3 * spring),
                (0.02, thick + spring),
                (0.02, thick + spring),
            )
        ),
        "sole",
        bulge=0.02,
        seams=(
            curve(
                up((0.02, spring + 0.55 * thick), (0.3, 0.5 * thick), (0.98, 0.5 * thick)), False
            ),
        ),
    )


def _low(rng: Random, collar: float, sole: float) -> tuple[Array, float, float]:
    """Outline of a laced upper whose collar is `collar` high; where its tongue ends."""
    toe = sole + rng.uniform(0.13, 0.19)
    rise = collar + rng.uniform(0.02, 0.1)
    front = rng.uniform(0.46, 0.56)
    dip = max(collar - rng.uniform(0.04, 0.12), sole + 0.2)
    outline = curve(
        up(
            (0.02, sole),
            (0.02, sole),
            (0.025, toe - 0.03),
            (0.12, toe + 0.03),
            (0.28, toe + 0.09),
            (front, rise),
            (front, rise),
            (0.74, dip),
            (0.93, collar + 0.05),
            (0.97, collar),
            (0.95, 0.5 * (collar + sole)),
            (0.97, sole),
            (0.97, sole),
        )
    )
    return outline, front, rise


def _laces(front: float, top: float, toe: float, count: int) -> list[Part]:
    parts = []
    for t in np.linspace(0.15, 0.88, count):
        x, y = 0.26 + t * (front - 0.26), toe + t * (top - toe)
        line = up((x - 0.015, y + 0.015), (x + 0.1, y - 0.045))
        parts.append(Part(band(line, 0.032), "trim"))
    return parts


def sneaker(rng: Random) -> list[Part]:
    """A low laced shoe with cap and counter, and stripes or a swish on its side."""
    sole = rng.uniform(0.09, 0.16)
    outline, front, rise = _low(rng, rng.uniform(0.4, 0.52), sole)
    tongue = curve(
        up(
            (front - 0.1, rise - 0.1),
            (front - 0.03, rise + 0.09),
            (front + 0.09, rise + 0.06),
            (front + 0.14, rise - 0.12),
        )
    )
    cap = curve(
        up(
            (0.02, sole),
            (0.02, sole),
            (0.025, sole + 0.12),
            (0.13, sole + 0.17),
            (0.2, sole + 0.09),
            (0.24, sole),
            (0.24, sole),
        )
    )
    counter = curve(
        up(
            (0.97, sole),
            (0.97, sole),
            (0.95, 0.36),
            (0.88, 0.37),
            (0.8, 0.24),
            (0.77, sole),
            (0.77, sole),
        )
    )
    parts = [Part(tongue, "second", bulge=0.03), Part(outline, "main", bulge=0.06)]
    parts += [Part(cap, "second", bulge=0.03), Part(counter, "second", bulge=0.03)]
    parts += _laces(front, rise, sole + 0.2, int(rng.integers(3, 5)))
    mark = rng.integers(3)
    if mark == 0:
        parts += [
            Part(band(up((0.42 + d, sole + 0.03), (0.54 + d, sole + 0.24)), 0.035), "trim")
            for d in (0.0, 0.08, 0.16)
        ]
    elif mark == 1:
        swish = up((0.33, sole + 0.14), (0.4, sole + 0.07), (0.55, sole + 0.1), (0.8, sole + 0.25))
        parts.append(Part(band(curve(swish, False), 0.04), "trim"))
    return [*parts, outsole(sole, 0.02, rng.uniform(0.0, 0.06))]


def hightop(rng: Random) -> list[Part]:
    """A laced shoe that reaches over the ankle."""
    sole = rng.uniform(0.09, 0.14)
    collar = rng.uniform(0.72, 0.9)
    outline = curve(
        up(
            (0.02, sole), (0.02, sole), (0.03, sole + 0.12), (0.14, sole + 0.18),
            (0.32, sole + 0.26),
            (0.45, 0.55), (0.52, collar), (0.52, collar), (0.94, collar + 0.02),
            (0.94, collar + 0.02),
            (0.95, 0.45), (0.97, sole), (0.97, sole),
        )
    )  # fmt: skip
    cap = curve(
        up(
            (0.02, sole),
            (0.02, sole),
            (0.03, sole + 0.12),
            (0.14, sole + 0.17),
            (0.22, sole + 0.1),
            (0.25, sole),
            (0.25, sole),
        )
    )
    tongue = curve(up((0.42, 0.5), (0.47, collar + 0.08), (0.6, collar + 0.08), (0.62, 0.6)))
    laces = [
        Part(band(up((x, y), (x + 0.13, y - 0.03)), 0.03), "trim")
        for x, y in zip(
            (0.33, 0.39, 0.435, 0.465, 0.49),
            np.linspace(sole + 0.25, collar - 0.06, 5),
            strict=True,
        )
    ]
    badge = Part(
        curve(
            up(*[(0.77 + 0.07 * np.cos(a), 0.62 * collar + 0.07 * np.sin(a)) for a in np.arange(6)])
        ),
        "trim",
    )
    parts = [Part(tongue, "second", bulge=0.03), Part(outline, "main", bulge=0.07)]
    parts += [Part(cap, "sole", bulge=0.03), *laces]
    return [*parts, *([badge] if rng.random() < 0.5 else []), outsole(sole, 0.01, 0.02)]


def boot(rng: Random) -> list[Part]:
    """A boot, from ankle boot to knee boot, with heel; some have a cuff, a strap or a side seam."""
    tall = rng.uniform(0.75, 1.25)
    heel = rng.uniform(0.05, 0.2)
    thick = 0.06
    wide = rng.uniform(0.0, 0.05)
    base = thick + heel
    outline = curve(
        up(
            (0.02, thick), (0.02, thick), (0.03, 0.15), (0.14, 0.2), (0.34, 0.27 + 0.4 * heel),
            (0.5, 0.45 + 0.3 * heel), (0.53 - wide, tall), (0.53 - wide, tall),
            (0.98 + wide, tall + 0.03),
            (0.98 + wide, tall + 0.03), (0.93, 0.5), (0.97, base), (0.97, base),
            (0.6, base - 0.3 * heel), (0.4, thick),
        )
    )  # fmt: skip
    seams: list[Array] = []
    if rng.random() < 0.6:
        seams.append(curve(up((0.6, base), (0.62, 0.45), (0.74, tall)), False))
    cuff = Part(
        up(
            (0.52 - wide, tall - 0.1),
            (0.52 - wide, tall + 0.01),
            (0.985 + wide, tall + 0.04),
            (0.97 + wide, tall - 0.07),
        ),
        "second",
        bulge=0.03,
    )
    strap = Part(band(curve(up((0.44, 0.4), (0.7, 0.36), (0.95, 0.42)), False), 0.05), "trim")
    parts = [Part(outline, "main", bulge=0.09, seams=tuple(seams))]
    parts += [cuff] if rng.random() < 0.5 else []
    parts += [strap] if rng.random() < 0.45 else []
    block = rng.uniform(0.7, 0.8)
    heels = Part(
        up((block, base - 0.06), (block + 0.04, 0.0), (0.98, 0.0), (0.98, base)),
        "sole",
        bulge=0.02,
    )
    tread = up((0.0, 0.04), (0.04, 0.0), (0.36, 0.0), (0.62, base - 0.3 * heel - 0.06),
    (0.8, base - 0.06),
                (0.98, base - 0.02), (0.97, base + 0.02), (0.6, base - 0.3 * heel + 0.01),
                (0.38, thick + 0.01), (0.02, thick + 0.02))  # fmt: skip
    return [*parts, heels, Part(tread, "sole", bulge=0.02)]
