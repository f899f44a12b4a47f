"""A head with shoulders as cut shapes, in the unit square, y downwards."""

from __future__ import annotations

import numpy as np

from domain_translation.synthetic.wares.cutouts import Array, Part, band, curve, ellipse, moved

Random = np.random.Generator
HAIR = ("bald", "short", "parted", "curly", "long", "bun")
NECK = np.array([0.5, 0.74])  # about which a head tilts


def draw(rng: Random, glasses: bool) -> list[Part]:
    """The parts of a random head, farthest first.

    Slots: skin, shade (of the skin), hair, brow, cloth, collar, white, iris, lip, frame and lens.
    All random numbers are drawn whether or not the head wears glasses.
    """
    yaw, turn = rng.uniform(-1, 1), rng.normal(0, 0.07)
    wide, tall = rng.uniform(0.185, 0.225), rng.uniform(0.245, 0.285)
    style = HAIR[int(rng.integers(len(HAIR)))]
    face = _face(wide, tall, rng.uniform(0.55, 0.75))
    behind, front = _hair(style, wide, tall, rng)
    spectacles = _glasses(rng)
    features = _features(rng, tall, bearded=style not in ("long", "bun"))
    # A turned head shows its features off the middle, and one ear.
    off = np.array([0.06 * yaw, 0.0])
    features = moved(features + (spectacles if glasses else []), 0.0, 1.0, np.zeros(2), off)
    ears = [
        Part(ellipse(0.5 + side * (wide + 0.01), 0.48, 0.03, 0.05), "shade")
        for side in (-1, 1)
        if side * yaw < 0.35
    ]
    head = [*ears, Part(face, "skin", bulge=0.07), *features, *front]
    place = NECK + np.array([rng.normal(0, 0.02), 0.1 + rng.normal(0, 0.015)])
    scale = rng.uniform(1.16, 1.3)
    behind, bust, head = (
        moved(parts, angle, scale, NECK, place)
        for parts, angle in ((behind, turn), (_bust(rng), 0.0), (head, turn))
    )
    return [*behind, *bust, *head]


def _face(wide: float, tall: float, jaw: float) -> Array:
    return curve(
        [
            (0.5, 0.46 - tall), (0.5 + 0.75 * wide, 0.46 - 0.72 * tall), (0.5 + wide, 0.44),
            (0.5 + 0.93 * wide, 0.46 + 0.4 * tall), (0.5 + jaw * wide, 0.46 + 0.8 * tall),
            (0.5, 0.46 + tall),
            (0.5 - jaw * wide, 0.46 + 0.8 * tall), (0.5 - 0.93 * wide, 0.46 + 0.4 * tall),
            (0.5 - wide, 0.44),
            (0.5 - 0.75 * wide, 0.46 - 0.72 * tall),
        ]
    )  # fmt: skip


def _bust(rng: Random) -> list[Part]:
    """Neck, shoulders and one of three collars."""
    neck = rng.uniform(0.085, 0.11)
    slope = rng.uniform(0.84, 0.9)
    throat = [(0.5 - neck, 0.6), (0.5 + neck, 0.6), (0.53 + neck, 0.9), (0.47 - neck, 0.9)]
    shoulders = [(0.03, 1.05), (0.03, 1.05), (0.08, slope + 0.04), (0.36, 0.81), (0.5, 0.87),
                 (0.64, 0.81), (0.92, slope + 0.04), (0.97, 1.05), (0.97, 1.05)]  # fmt: skip
    parts = [Part(np.array(throat), "shade"), Part(curve(shoulders), "cloth", bulge=0.06)]
    style = rng.integers(3)
    if style == 0:
        for side in (-1, 1):
            flap = [
                (0.5, 0.9),
                (0.5 + side * 0.13, 0.8),
                (0.5 + side * 0.16, 0.9),
                (0.5 + side * 0.06, 0.97),
            ]
            parts.append(Part(np.array(flap), "collar"))
    elif style == 1:
        parts.append(
            Part(band(curve([(0.36, 0.81), (0.5, 0.88), (0.64, 0.81)], False), 0.05), "collar")
        )
    return parts


def _hair(style: str, wide: float, tall: float, rng: Random) -> tuple[list[Part], list[Part]]:
    """What hangs behind the face and what lies on it."""
    top, line = 0.46 - tall, rng.uniform(0.52, 0.7)
    side = rng.uniform(0.4, 0.48)
    part = rng.uniform(-0.6, 0.6)
    if style == "bald":
        return [Part(ellipse(0.5, 0.45, wide + 0.018, 0.12), "hair")], []
    low = {"long": rng.uniform(0.72, 0.86), "bun": 0.5}.get(style, side + 0.06)
    out = 0.06 if style in ("long", "curly") else 0.025
    behind = curve(
        [
            (0.5, top - out), (0.5 + wide, top + 0.08), (0.5 + wide + out, 0.45),
            (0.5 + wide + out, low),
            (0.5 + 0.6 * wide, low + 0.03), (0.5 - 0.6 * wide, low + 0.03), (0.5 - wide - out, low),
            (0.5 - wide - out, 0.45), (0.5 - wide, top + 0.08),
        ]
    )  # fmt: skip
    fringe = 0.46 - line * tall
    front = curve(
        [
            (0.5 - wide - 0.012, side), (0.5 - wide - 0.02, top + 0.1),
            (0.5 - 0.6 * wide, top - 0.01),
            (0.5, top - 0.04), (0.5 + 0.6 * wide, top - 0.01), (0.5 + wide + 0.02, top + 0.1),
            (0.5 + wide + 0.012, side), (0.5 + 0.86 * wide, fringe + 0.05),
            (0.5 + part * wide, fringe - (0.03 if style == "parted" else 0.0)),
            (0.5 - 0.86 * wide, fringe + 0.05),
        ]
    )  # fmt: skip
    far, near = [Part(behind, "hair", bulge=0.05)], [Part(front, "hair", bulge=0.04)]
    if style == "bun":
        far.append(Part(ellipse(0.5, top - 0.05, 0.085, 0.07), "hair", bulge=0.03))
    if style == "curly":
        near += [
            Part(ellipse(0.5 + x * wide, 0.47 - tall * y, 0.055, 0.05), "hair", bulge=0.02)
            for x, y in ((-1, 0.55), (-0.65, 0.92), (0, 1.08), (0.65, 0.92), (1, 0.55))
        ]
    return far, near


def _features(rng: Random, tall: float, bearded: bool) -> list[Part]:
    """Brows, eyes, nose, mouth and what grows around it."""
    smile, brow, open_ = (
        rng.uniform(-0.01, 0.03),
        rng.uniform(-0.012, 0.01),
        rng.uniform(0.014, 0.022),
    )
    parts: list[Part] = []
    growth = rng.random()
    if bearded and growth < 0.2:
        beard = [(0.36, 0.56), (0.42, 0.58), (0.5, 0.57), (0.58, 0.58), (0.64, 0.56),
                 (0.6, 0.46 + 0.9 * tall), (0.5, 0.48 + tall),
                 (0.4, 0.46 + 0.9 * tall)]  # fmt: skip
        parts.append(Part(curve(beard), "hair", bulge=0.04))
    for x in (0.415, 0.585):
        side = np.sign(x - 0.5)
        parts.append(Part(ellipse(x, 0.45, 0.038, open_), "white"))
        parts.append(Part(ellipse(x, 0.45, 0.019, open_), "iris"))
        arch = [(x - 0.05 * side, 0.405 + brow), (x, 0.395), (x + 0.05 * side, 0.41)]
        parts.append(Part(band(curve(arch, False), 0.024), "brow"))
    nose = [(0.49, 0.45), (0.47, 0.54), (0.5, 0.56), (0.535, 0.54), (0.51, 0.5)]
    parts.append(Part(curve(nose), "shade"))
    mouth = [
        (0.425, 0.62 - smile),
        (0.46, 0.612),
        (0.5, 0.618),
        (0.54, 0.612),
        (0.575, 0.62 - smile),
        (0.5, 0.645 + smile),
    ]
    parts.append(Part(curve(mouth), "lip"))
    if bearded and growth < 0.35:
        parts.append(
            Part(band(curve([(0.42, 0.6), (0.5, 0.578), (0.58, 0.6)], False), 0.035), "hair")
        )
    return parts


def _glasses(rng: Random) -> list[Part]:
    """Two rims with a bridge and temples; some are dark glasses."""
    rx, ry = rng.uniform(0.062, 0.072), rng.uniform(0.045, 0.062)
    thick = rng.uniform(0.028, 0.036)
    dark = rng.random() < 0.3
    parts = []
    for x in (0.415, 0.585):
        ring = ellipse(x, 0.452, rx, ry)
        if dark:
            parts.append(Part(ring, "lens"))
        parts.append(Part(band(np.concatenate([ring, ring[:2]]), thick), "frame"))
    parts.append(Part(band([(0.415 + rx, 0.44), (0.585 - rx, 0.44)], thick), "frame"))
    for side in (-1, 1):
        temple = [(0.5 + side * (0.085 + rx), 0.44), (0.5 + side * 0.2, 0.43)]
        parts.append(Part(band(temple, thick), "frame"))
    return parts
