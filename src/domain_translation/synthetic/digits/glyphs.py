"""Digits set in the twelve upright and slanted cuts of the DejaVu fonts, filled or as outlines.

Each digit of each cut is drawn once, large, and kept as a signed distance to its edge. A glyph
is that distance map, moved and bent by a random affine map, cut at a random stroke weight, and
averaged down: all styles and all sizes of a glyph come from the same distances, so the outline
of a glyph is its true translation, and a glyph of 8x8 is that of 16x16 after average pooling.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

CUTS = tuple(
    f"{family}{cut}.ttf"
    for family, cuts in {
        "DejaVuSans": ("", "-Bold", "-Oblique", "-BoldOblique"),
        "DejaVuSerif": ("", "-Bold", "-Italic", "-BoldItalic"),
        "DejaVuSansMono": ("", "-Bold", "-Oblique", "-BoldOblique"),
    }.items()
    for cut in cuts
)
STYLES = ("plain", "outline")
SIZES = (8, 16, 32, 64)

# Distance maps are made at MASTER pixels and glyphs painted at FINE pixels, then averaged.
MASTER, FINE = 160, 64
HEIGHT = 0.62  # of a digit, in image sides, before its pose
# Width of the contour line in image sides: one pixel of a 16x16 picture.
LINE = 1 / 16
CHUNK = 512


class Glyphs(NamedTuple):
    """Pictures x (n, 1, size, size), float32 in [-1, 1], and their digits y (n,), int64."""

    x: Tensor
    y: Tensor


class Poses(NamedTuple):
    """What distinguishes n glyphs, each field (n,); lengths in image sides, angles in radians."""

    digit: Tensor
    cut: Tensor  # place in CUTS
    turn: Tensor
    shear: Tensor
    scale: Tensor
    shift: Tensor  # (n, 2), to the right and down
    weight: Tensor  # by how much the edge moves outwards


def sample(n: int, seed: int, *, size: int = 16, style: str = "plain") -> Glyphs:
    """Draw n random digits, white on black.

    Glyph i depends on `seed` and i only. Digits and cuts are uniform; turns, shears, scales,
    shifts and stroke weights are uniform in small intervals.

    Args:
        n: number of glyphs, at least 1.
        seed: 0 or larger.
        size: side of the pictures in pixels: 8, 16, 32 or 64.
        style: "plain" for filled strokes; "outline" for the line around the same strokes,
            which are black themselves.

    Raises:
        ValueError: n, seed, size or style out of range.
        FileNotFoundError: matplotlib came without its DejaVu fonts.
    """
    check_request(n, seed, size, "glyph")
    if style not in STYLES:
        raise ValueError(f"style is {style!r}; allowed are {', '.join(STYLES)}")
    poses = _poses(n, seed)
    x = torch.empty(n, 1, size, size)
    for start in range(0, n, CHUNK):
        some = slice(start, start + CHUNK)
        fine = _ink(distances(Poses(*(field[some] for field in poses))), style)
        x[some] = 2 * avg_pool2d(fine, FINE // size) - 1
    return Glyphs(x, poses.digit)


def check_request(n: int, seed: int, size: int, what: str) -> None:
    """Raise ValueError, in one sentence, unless so many of `what` can be drawn."""
    if n < 1:
        raise ValueError(f"n is {n}; ask for at least one {what}")
    if seed < 0:
        raise ValueError(f"seed is {seed}; give an integer, 0 or larger")
    if size not in SIZES:
        raise ValueError(f"size is {size} pixels; allowed are {', '.join(map(str, SIZES))}")


def _poses(n: int, seed: int) -> Poses:
    """Poses 0 to n - 1; each has a generator of its own, seeded by (seed, i)."""
    drawn = np.stack([np.random.default_rng((seed, i)).random(8) for i in range(n)])
    u = torch.from_numpy(drawn)
    around = 2 * u - 1  # in [-1, 1)
    return Poses(
        digit=(10 * u[:, 0]).long(),
        cut=(len(CUTS) * u[:, 1]).long(),
        turn=0.14 * around[:, 2],
        shear=0.15 * around[:, 3],
        scale=1 + 0.1 * around[:, 4],
        shift=0.04 * around[:, 5:7],
        weight=0.012 + 0.01 * around[:, 7],
    )


@functools.cache
def masters() -> Tensor:
    """Signed distances to the edge, negative inside, in image sides: (cuts, 10, M, M)."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    maps = np.empty((len(CUTS), 10, MASTER, MASTER), np.float32)
    for k, cut in enumerate(CUTS):
        if not (folder / cut).is_file():
            raise FileNotFoundError(f"{cut} is not among matplotlib's fonts; reinstall matplotlib")
        for digit in range(10):
            maps[k, digit] = _signed_distance(_drawn(str(digit), folder / cut))
    return torch.from_numpy(maps)


def _drawn(text: str, font: Path) -> NDArray[np.bool_]:
    """The character on an empty square, its box centred and of the given height."""
    pen = ImageFont.truetype(font, MASTER, layout_engine=ImageFont.Layout.BASIC)
    _, top, _, bottom = pen.getbbox("8")
    points = round(MASTER * HEIGHT * MASTER / (bottom - top))
    pen = ImageFont.truetype(font, points, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = pen.getbbox(text)
    canvas = Image.new("L", (MASTER, MASTER))
    corner = ((MASTER - left - right) / 2, (MASTER - top - bottom) / 2)
    ImageDraw.Draw(canvas).text(corner, text, fill=255, font=pen)
    return np.asarray(canvas) > 127


def _signed_distance(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Distance to the edge in image sides, negative inside (pixels' centres, hence the half)."""
    out, within = distance_transform_edt(~inside), distance_transform_edt(inside)
    return np.asarray(np.where(inside, 0.5 - within, out - 0.5) / MASTER)


def distances(poses: Poses) -> Tensor:
    """Signed distances (n, 1, FINE, FINE) of posed glyphs in image sides, the edge at 0.

    They are exact up to the size of the master's frame: what lies outside it is farther away.
    """
    digit, cut, turn, shear, scale, shift, weight = poses
    cos, sin = turn.cos(), turn.sin()
    # From the glyph to the picture, first sheared, then turned, in coordinates of [-1, 1].
    rows = torch.stack([cos, cos * shear - sin, sin, sin * shear + cos], dim=1)
    back = torch.linalg.inv(scale[:, None, None] * rows.reshape(-1, 2, 2))
    theta = torch.cat([back, -back @ (2 * shift)[:, :, None]], dim=2).float()
    grid = affine_grid(theta, [len(theta), 1, FINE, FINE], align_corners=False)
    # Beyond the border of its map a glyph is farther away still, so the border's value will do.
    picked = masters()[cut, digit][:, None]
    moved = grid_sample(picked, grid, padding_mode="border", align_corners=False)
    return moved * scale.float()[:, None, None, None] - weight.float()[:, None, None, None]


def _ink(distance: Tensor, style: str) -> Tensor:
    """Share of each fine pixel that is white, in [0, 1]."""
    filled = (0.5 - distance * FINE).clamp(0, 1)
    if style == "plain":
        return filled
    return (0.5 - (distance - LINE) * FINE).clamp(0, 1) - filled
