"""Pictures laid out of cut shapes: painted with colour and shading, or drawn as their contours.

A thing is a list of parts, farthest first, in a unit square (x to the right, y downwards). The
painting and the drawing of a thing use the same outlines, so the one is the true counterpart of
the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from torch import Tensor

from domain_translation.synthetic.canvas import blend, colour

Array = NDArray[Any]
LEAST = 16  # smallest side of a picture in pixels
STEPS = 6  # points of a smooth line from one given point to the next
FINER = 4  # shapes are cut at this multiple of the picture's resolution and averaged
LINE = 1 / 42  # width of a contour, in picture sides
LIGHT = (-0.5, -0.87)  # where the light comes from: above, a little from the left


class Part(NamedTuple):
    """One cut shape."""

    points: Array
    """Corners (k, 2) of its closed outline."""
    slot: str
    """Name of its finish."""
    bulge: float = 0.0
    """How far from its rim a part is rounded, in picture sides; 0 for a flat one."""
    seams: tuple[Array, ...] = ()
    """Lines on the part, each (k, 2)."""


class Finish(NamedTuple):
    """What a slot's surface looks like."""

    rgb: Array
    """Colour (3,) or (3, S, S) in [0, 1]."""
    gloss: float = 0.0
    """Strength of the highlight, in [0, 1]."""


def pictures(
    n: int, seed: int, share: float, paint: Callable[[np.random.Generator, bool], Array]
) -> tuple[Tensor, Tensor]:
    """Pictures x (n, channels, size, size) in [-1, 1], and classes y (n,): 1 by chance `share`.

    Each has a generator of its own, from which `paint` makes it in [0, 1], told if it is a 1.
    """
    x, y = [], []
    for i in range(n):
        rng = np.random.default_rng((seed, i))
        y.append(int(rng.random() < share))
        x.append(torch.from_numpy(2 * paint(rng, bool(y[i])) - 1).float())
    return torch.stack(x), torch.tensor(y)


def check_request(
    n: int, seed: int, size: int, style: str, styles: Sequence[str], share: float
) -> None:
    """Raise ValueError, in one sentence, unless such pictures can be drawn."""
    if n < 1:
        raise ValueError(f"n is {n}; ask for at least one picture")
    if seed < 0:
        raise ValueError(f"seed is {seed}; give an integer, 0 or larger")
    if size < LEAST:
        raise ValueError(f"size is {size} pixels; ask for at least {LEAST} to see shapes")
    if style not in styles:
        raise ValueError(f"style is {style!r}; allowed are {', '.join(styles)}")
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share is {share}; it is a probability, give it in [0, 1]")


@lru_cache
def _hermite(steps: int) -> Array:
    """Weights (steps, 4) of a cubic's start, first slope, stop and last slope."""
    t = np.arange(steps)[:, None] / steps
    return np.concatenate(
        [(1 + 2 * t) * (1 - t) ** 2, t * (1 - t) ** 2, t**2 * (3 - 2 * t), t**2 * (t - 1)], 1
    )


def curve(points: ArrayLike, closed: bool = True) -> Array:
    """A smooth line (m, 2) through `points` (k, 2); a point given twice is a corner."""
    p = np.asarray(points, dtype=np.float64)
    first, last = (p[-1:], p[:1]) if closed else (p[:1], p[-1:])
    steps = np.diff(np.concatenate([first, p, last]), axis=0)
    length = np.sqrt(np.square(steps).sum(1, keepdims=True))
    before, after = length[:-1], length[1:]
    corner = before * after == 0
    ratio = np.where(corner, 1.0, after) / np.where(corner, 1.0, before)
    # The direction of the parabola through three points; as fast as the shorter side allows, so
    # that long sides stay straight and nothing overshoots.
    slope = (steps[:-1] * ratio + steps[1:] / ratio) / np.maximum(before + after, 1e-9)
    slope = np.where(corner, 0.0, slope * np.minimum(before, after))
    stop, leave = np.concatenate([p[1:], p[:1]]), np.concatenate([slope[1:], slope[:1]])
    pieces = np.stack([p, slope, stop, leave], 1)[: None if closed else -1]
    line = (_hermite(STEPS) @ pieces).reshape(-1, 2)
    return line if closed else np.concatenate([line, p[-1:]])


def band(line: ArrayLike, width: float) -> Array:
    """Outline (2m, 2) of a band of the given width along a line (m, 2)."""
    p = np.asarray(line, dtype=np.float64)
    along = np.gradient(p, axis=0)
    length = np.maximum(np.sqrt(np.square(along).sum(1, keepdims=True)), 1e-9)
    across = along[:, ::-1] * (-1.0, 1.0) / length
    return np.concatenate([p + 0.5 * width * across, (p - 0.5 * width * across)[::-1]])


def up(*points: tuple[float, float]) -> Array:
    """Points (k, 2) that were given with y upwards."""
    return np.array(points) * (1.0, -1.0)


def ellipse(x: float, y: float, rx: float, ry: float) -> Array:
    """Points (24, 2) around an ellipse."""
    angle = np.arange(24) * (2 * np.pi / 24)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)


def moved(parts: Sequence[Part], turn: float, scale: float, start: Array, end: Array) -> list[Part]:
    """Parts turned (radians) and scaled about the point `start` (2,), which goes to `end` (2,)."""
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[c, s], [-s, c]])

    def go(points: Array) -> Array:
        return np.asarray((points - start) @ matrix + end)

    return [
        part._replace(
            points=go(part.points),
            bulge=part.bulge * scale,
            seams=tuple(go(seam) for seam in part.seams),
        )
        for part in parts
    ]


def box(parts: Sequence[Part]) -> tuple[Array, Array]:
    """Upper left and lower right corners (2,) of the box around all parts."""
    every = np.concatenate([part.points for part in parts])
    return every.min(0), every.max(0)


def coverage(parts: Sequence[Part], size: int) -> Array:
    """Share of each pixel (size, size) that any of the parts covers, float32 in [0, 1]."""
    image = Image.new("L", (FINER * size, FINER * size))
    pen = ImageDraw.Draw(image)
    for part in parts:
        pen.polygon(_corners(part.points, FINER * size), fill=255)
    return _averaged(image)


def painting(parts: Sequence[Part], finishes: Mapping[str, Finish], ground: Array) -> Array:
    """Parts laid over a ground (3, S, S) in [0, 1], shaded and seamed; a new picture."""
    image: Array = ground.astype(np.float32)
    for part in parts:
        finish = finishes[part.slot]
        mask = coverage([part], image.shape[-1])
        rgb = np.asarray(finish.rgb, np.float32)
        paint: Array = rgb if rgb.ndim == 3 else colour(rgb)
        if part.bulge > 0:
            light, shine = _shading(mask, part.bulge)
            paint = paint * light + finish.gloss * shine
        blend(image, mask, paint)
        if part.seams:
            image *= 1 - 0.45 * mask * _seam_cover(part.seams, image.shape[-1])
    return np.clip(image, 0, 1)


def drawing(parts: Sequence[Part], size: int) -> Array:
    """Contours and seams (size, size) in [0, 1]: black lines on white; near parts hide far ones."""
    side = FINER * size
    image = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(image)
    thick = max(1, round(LINE * side))
    for part in parts:
        corners = _corners(part.points, side)
        pen.polygon(corners, fill=255)
        pen.line([*corners, *corners[:2]], fill=0, width=thick)
        for seam in part.seams:
            pen.line(_corners(seam, side), fill=0, width=max(1, round(0.8 * thick)))
    return _averaged(image)


def _corners(points: Array, side: int) -> list[tuple[float, float]]:
    return [(x, y) for x, y in (points * side).tolist()]


def _averaged(image: Image.Image) -> Array:
    return np.asarray(image.reduce(FINER), np.float32) / 255


def _seam_cover(seams: Sequence[Array], size: int) -> Array:
    image = Image.new("L", (FINER * size, FINER * size))
    pen = ImageDraw.Draw(image)
    for seam in seams:
        pen.line(_corners(seam, FINER * size), fill=255, width=max(1, round(LINE * 2 * size)))
    return _averaged(image)


def _shading(mask: Array, bulge: float) -> tuple[Array, Array]:
    """Brightness and highlight (S, S) of a part that is rounded towards its rim."""
    sd = bulge * mask.shape[-1]
    soft = gaussian_filter(mask, sd)
    down, right = np.gradient(soft)
    # The blurred mask falls fastest at the rim, by 1 / (sd sqrt(2 pi)) a pixel at a straight one.
    facing = -(LIGHT[0] * right + LIGHT[1] * down) * (sd * np.sqrt(2 * np.pi))
    light = 1 + 0.5 * facing - 0.28 * np.clip(1 - soft, 0, 1)
    shine = np.exp(-np.square((facing - 0.5) / 0.16))
    return light.astype(np.float32), shine.astype(np.float32)
