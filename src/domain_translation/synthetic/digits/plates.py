"""House-number plates: coloured digits with their neighbours at the sides, in place of SVHN.

The street-view house numbers (jdbw.data.svhn) are digits cut out of whole numbers: the wanted one
is in the middle, others peek in, and fonts, colours, light and sharpness vary. Here the digits
are those of `glyphs`, laid on a shaded plate, so that the class of every picture is known. Plates
are painted at 64x64 and averaged down: a plate of 16x16 is that of 64x64 after average pooling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from domain_translation.synthetic.digits import glyphs
from domain_translation.synthetic.digits.glyphs import CUTS, FINE, HEIGHT, Poses, distances

# Digits 0 to 9 of the 73,257 images that SVHN trains on (Netzer et al. 2011).
SVHN_COUNTS = (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659)
UNIFORMS, KNOTS = 32, 6  # random numbers of a plate, and its knots of stains in either direction
RELIEF = 2  # pixels of 64 by which a raised digit throws its shadow
CHUNK = 256


class Plates(NamedTuple):
    """Pictures x (n, 3, size, size), float32 in [-1, 1], and their middle digits y (n,), int64."""

    x: Tensor
    y: Tensor


def sample(n: int, seed: int, *, size: int = 16, shares: Sequence[float] | None = None) -> Plates:
    """Draw n house-number plates, each cut out around one digit.

    Plate i depends on `seed` and i only, and on the shares through its digit alone: font, pose,
    colours, neighbours and light of plate i are the same whatever the shares.

    Args:
        n: number of plates, at least 1.
        seed: 0 or larger.
        size: side of the pictures in pixels: 8, 16, 32 or 64.
        shares: probabilities of the digits 0 to 9; None takes SVHN's, where 18.9 % are ones.

    Raises:
        ValueError: n, seed or size out of range, shares that are not ten masses.
        FileNotFoundError: matplotlib came without its DejaVu fonts.
    """
    glyphs.check_request(n, seed, size, "plate")
    x, digits = torch.empty(n, 3, size, size), torch.empty(n, dtype=torch.int64)
    for start in range(0, n, CHUNK):
        u, knots = _draw(range(start, min(start + CHUNK, n)), seed)
        here = slice(start, start + len(u))
        digits[here] = _digits(u[:, 0].contiguous(), shares)
        x[here] = 2 * avg_pool2d(_painted(digits[here], u, knots), FINE // size) - 1
    return Plates(x, digits)


def _digits(u: Tensor, shares: Sequence[float] | None) -> Tensor:
    """Digits (n,) of SVHN's or other shares, by uniform numbers (n,)."""
    mass = torch.tensor(_svhn() if shares is None else list(shares), dtype=torch.float64)
    if len(mass) != 10:
        raise ValueError(f"{len(mass)} shares given; give ten, one for each digit from 0 to 9")
    if not (mass >= 0).all() or abs(float(mass.sum()) - 1) > 1e-6:
        raise ValueError(f"shares sum to {float(mass.sum()):.6g}; give ten of at least 0, sum 1")
    return torch.searchsorted(mass.cumsum(0)[:-1], u, right=True)


def _svhn() -> list[float]:
    return [count / sum(SVHN_COUNTS) for count in SVHN_COUNTS]


def _draw(plates: range, seed: int) -> tuple[Tensor, Tensor]:
    """Uniform numbers (b, UNIFORMS) and normal knots (b, 1, KNOTS, KNOTS) of numbered plates."""
    u = np.empty((len(plates), UNIFORMS))
    knots = np.empty((len(plates), 1, KNOTS, KNOTS), np.float32)
    for row, i in enumerate(plates):
        generator = np.random.default_rng((seed, i))
        generator.random(out=u[row])
        generator.standard_normal(out=knots[row], dtype=np.float32)
    return torch.from_numpy(u), torch.from_numpy(knots)


def _painted(digit: Tensor, u: Tensor, knots: Tensor) -> Tensor:
    """Plates (b, 3, FINE, FINE) in [0, 1]."""
    distance = _written(digit, u)
    ground, ink = _colours(u[:, 12:19])
    picture = _plate(ground, u[:, 19:22], knots)
    # Out of focus, the edge of a stroke becomes a wide ramp and thin strokes fade.
    soft = _each(0.02 + 0.09 * u[:, 22].square())
    raised = _each(0.6 * u[:, 23] * (u[:, 24] < 0.4))
    shadow = torch.roll(distance, (RELIEF, RELIEF), (2, 3))
    picture = picture * (1 - raised * _ramp(shadow, 2 * soft))
    picture = picture + _ramp(distance, soft) * (ink - picture)
    return (picture * _light(u[:, 25:29])).clamp(0, 1)


def _written(digit: Tensor, u: Tensor) -> Tensor:
    """Distance (b, 1, FINE, FINE) to the nearest digit: the one in the middle and those beside.

    The digits of a number share cut, size, slant and weight, and stand on one line.
    """
    around = 2 * u - 1
    scale = 1.27 + 0.12 * around[:, 1]
    turn = 0.11 * around[:, 2]
    middle = Poses(
        digit=digit,
        cut=(len(CUTS) * u[:, 3]).long(),
        turn=turn,
        shear=0.12 * around[:, 4],
        scale=scale,
        shift=0.035 * around[:, 5:7],
        weight=0.014 + 0.014 * around[:, 7],
    )
    advance = HEIGHT * scale * (0.86 + 0.08 * around[:, 8])
    along = torch.stack([turn.cos(), turn.sin()], 1)
    nearest = distances(middle)
    for side, drawn, present in ((-1, u[:, 9], u[:, 30]), (1, u[:, 10], u[:, 31])):
        there = present < 0.6
        beside = middle._replace(
            digit=(10 * drawn).long(), shift=middle.shift + side * advance[:, None] * along
        )
        # A missing neighbour is moved out of reach instead.
        nearest = torch.minimum(nearest, distances(beside) + _each((~there).double()))
    return nearest


def _colours(u: Tensor) -> tuple[Tensor, Tensor]:
    """Colours (b, 3, 1, 1) of plate and ink, whose brightnesses differ by 0.35 to 0.75."""
    contrast = 0.35 + 0.4 * u[:, 0]
    dark = 0.06 + (0.88 - contrast) * u[:, 1]
    light_ink = u[:, 2] < 0.5
    ground = torch.where(light_ink, dark, dark + contrast)
    ink = torch.where(light_ink, dark + contrast, dark)
    return _tinted(ground, u[:, 3], 0.9 * u[:, 4]), _tinted(ink, u[:, 5], 0.8 * u[:, 6].square())


def _tinted(brightness: Tensor, hue: Tensor, strength: Tensor) -> Tensor:
    """A colour (b, 3, 1, 1) of the given brightness; `hue` in [0, 1), browns twice as often."""
    turns = torch.where(hue < 0.5, 0.16 * hue, 2 * hue - 1)
    away = torch.stack([(2 * math.pi * (turns - k / 3)).cos() for k in range(3)], 1)
    room = 0.5 * torch.minimum(brightness, 1 - brightness) + 0.04
    return (brightness[:, None] + (strength * room)[:, None] * away).float()[..., None, None]


def _plate(ground: Tensor, u: Tensor, knots: Tensor) -> Tensor:
    """The ground with its stains and, on some, the wall above and below the plate."""
    stains = interpolate(knots, (FINE, FINE), mode="bicubic", align_corners=True)
    picture = ground * (1 + 0.05 * stains)
    _, y = _coordinates()
    height, tone = _each(0.86 + 0.12 * u[:, 0]), _each(0.55 + 0.9 * u[:, 1])
    wall = _each((u[:, 2] < 0.35).double()) * _ramp(height - y.abs(), torch.full_like(tone, 0.06))
    return picture * (1 + wall * (tone - 1))


def _light(u: Tensor) -> Tensor:
    """Brightness (b, 1, FINE, FINE) that falls off across the picture."""
    x, y = _coordinates()
    angle, slope = 2 * math.pi * u[:, 0], 0.35 * u[:, 1]
    slanted = _each(slope * angle.cos()) * x + _each(slope * angle.sin()) * y
    return _each(0.85 + 0.3 * u[:, 2]) * (1 + slanted)


def _coordinates() -> tuple[Tensor, Tensor]:
    """Centres of the pixels in [-1, 1]: x (1, 1, 1, FINE) rightwards, y (1, 1, FINE, 1) down."""
    line = (torch.arange(FINE) + 0.5) * (2 / FINE) - 1
    return line.reshape(1, 1, 1, FINE), line.reshape(1, 1, FINE, 1)


def _ramp(distance: Tensor, width: Tensor) -> Tensor:
    """1 inside, 0 outside, smooth over `width` across the edge."""
    t = (0.5 - distance / width).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _each(values: Tensor) -> Tensor:
    """One number a plate, ready to broadcast over its pixels: (b, 1, 1, 1)."""
    return values.float()[:, None, None, None]
