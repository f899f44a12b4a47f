"""Pumps, loafers and sandals as cut shapes, in the frame of `shoes`."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.wares.cutouts import Part, band, curve, up
from domain_translation.synthetic.wares.shoes_closed import outsole

Random = np.random.Generator


def pump(rng: Random) -> list[Part]:
    """A shoe on a high heel; some have a bow or a strap."""
    high = rng.uniform(0.22, 0.5)
    point = rng.uniform(0.0, 0.05)
    back = high + rng.uniform(0.26, 0.34)
    throat = rng.uniform(0.3, 0.4)
    slim = rng.uniform(0.02, 0.09)
    lining = curve(
        up(
            (throat, 0.2),
            (0.5, 0.28 + 0.5 * high),
            (0.9, back),
            (0.93, back - 0.1),
            (0.6, 0.14 + 0.4 * high),
            (throat, 0.12),
        )
    )
    outline = curve(
        up(
            (0.0, 0.05), (0.0, 0.05), (0.08 - point, 0.13), (0.2, 0.2), (throat, 0.24),
            (throat, 0.24),
            (0.5, 0.13 + 0.42 * high), (0.75, 0.12 + 0.85 * high), (0.94, back), (0.94, back),
            (0.98, high + 0.16),
            (0.94, high), (0.94, high), (0.7, 0.72 * high), (0.45, 0.1 * high + 0.02),
            (0.3, 0.02), (0.1, 0.02),
        )
    )  # fmt: skip
    heel = curve(
        up(
            (0.76, 0.8 * high), (0.76, 0.8 * high), (0.86 - slim / 2, 0.5 * high),
            (0.9 - slim, 0.0), (0.9 - slim, 0.0), (0.93, 0.0), (0.93, 0.0),
            (0.965, high + 0.03), (0.965, high + 0.03),
        )
    )  # fmt: skip
    tread = curve(
        up(
            (0.0, 0.05), (0.1, 0.015), (0.3, 0.015), (0.45, 0.1 * high + 0.015),
            (0.7, 0.72 * high), (0.94, high),
        ),
        False,
    )  # fmt: skip
    parts = [
        Part(lining, "lining"),
        Part(heel, "second", bulge=0.025),
        Part(outline, "main", bulge=0.05),
    ]
    parts.append(Part(band(tread, 0.03), "sole"))
    mark = rng.integers(3)
    if mark == 0:
        bow = up((0.2, 0.28), (0.2, 0.16), (0.27, 0.21), (0.34, 0.16), (0.34, 0.29), (0.27, 0.24))
        parts.append(Part(bow, "trim", bulge=0.02))
    elif mark == 1:
        strap = curve(
            up((0.5, 0.16 + 0.42 * high), (0.56, 0.45 + 0.6 * high), (0.9, back - 0.04)), False
        )
        parts.insert(1, Part(band(strap, 0.045), "main"))
    return parts


def loafer(rng: Random) -> list[Part]:
    """A low slip-on; some have a saddle or a tassel."""
    sole, heel = rng.uniform(0.04, 0.07), rng.uniform(0.03, 0.08)
    top = rng.uniform(0.38, 0.46)
    outline = curve(
        up(
            (0.02, sole), (0.02, sole), (0.03, sole + 0.11), (0.13, sole + 0.17),
            (0.3, sole + 0.25), (0.42, top),
            (0.42, top), (0.6, sole + 0.22), (0.8, sole + 0.24), (0.94, top),
            (0.97, top - 0.03), (0.95, 0.22),
            (0.97, sole + heel), (0.97, sole + heel), (0.6, sole + 0.5 * heel), (0.3, sole),
        )
    )  # fmt: skip
    lining = curve(up((0.4, top), (0.66, top - 0.02), (0.95, top), (0.9, 0.3), (0.5, 0.25)))
    apron = curve(
        up((0.07, sole + 0.1), (0.16, sole + 0.09), (0.32, sole + 0.13), (0.44, top - 0.1)), False
    )
    parts = [Part(lining, "lining"), Part(outline, "main", bulge=0.06, seams=(apron,))]
    if rng.random() < 0.7:
        parts.append(
            Part(
                band(
                    curve(up((0.29, sole + 0.26), (0.38, sole + 0.14), (0.46, sole + 0.02)), False),
                    0.09,
                ),
                "second",
            )
        )
    if rng.random() < 0.4:
        parts.append(
            Part(
                up((0.3, sole + 0.2), (0.24, sole + 0.13), (0.3, sole + 0.09), (0.34, sole + 0.15)),
                "trim",
            )
        )
    return [*parts, outsole(sole, heel, 0.01)]


def sandal(rng: Random) -> list[Part]:
    """A mule or a sandal with an ankle strap, flat or on a wedge."""
    thick, wedge = rng.uniform(0.06, 0.1), rng.uniform(0.0, 0.3)
    heel = thick + wedge
    base = curve(
        up(
            (0.0, thick), (0.02, 0.01), (0.02, 0.01), (0.97, 0.0), (0.97, 0.0), (1.0, heel),
            (1.0, heel),
            (0.7, thick + 0.75 * wedge), (0.4, thick + 0.15 * wedge), (0.15, thick + 0.01),
        )
    )  # fmt: skip
    end = rng.uniform(0.42, 0.52)
    rise = thick + rng.uniform(0.2, 0.26) + 0.2 * wedge
    foot = thick + 0.3 * wedge
    dome = up(
        (0.1, thick),
        (0.1, thick),
        (0.19, rise - 0.08),
        (0.34, rise),
        (end, rise + 0.03),
        (end, rise + 0.03),
        (end + 0.06, foot),
        (end + 0.06, foot),
    )
    slits = tuple(up((0.2 + d, rise - 0.07 + 0.2 * d), (0.24 + d, foot)) for d in (0.0, 0.11))
    parts = [Part(curve(dome), "main", bulge=0.05, seams=slits if rng.random() < 0.6 else ())]
    if rng.random() < 0.7:
        counter = up(
            (0.78, heel),
            (0.78, heel),
            (0.84, heel + 0.15),
            (0.97, heel + 0.3),
            (1.0, heel + 0.28),
            (1.0, heel),
            (1.0, heel),
        )
        ankle = up((0.62, heel + 0.27), (0.8, heel + 0.22), (0.98, heel + 0.27))
        bridge = up((end - 0.05, rise), (0.56, 0.5 * (rise + heel + 0.27)), (0.65, heel + 0.28))
        buckle = up(
            (0.71, heel + 0.28), (0.71, heel + 0.2), (0.79, heel + 0.19), (0.79, heel + 0.27)
        )
        parts += [Part(band(curve(bridge, False), 0.07), "main", bulge=0.02)]
        parts += [Part(curve(counter), "main", bulge=0.03)]
        parts += [
            Part(band(curve(ankle, False), 0.075), "second", bulge=0.02),
            Part(buckle, "trim"),
        ]
    return [*parts, Part(base, "sole", bulge=0.03)]
