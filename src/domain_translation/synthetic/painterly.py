"""Photographs turned into something like oil paintings: broad strokes, few tones, warm colours.

The filter is that of Kuwahara et al. (1976), softened: a pixel becomes the mean of four windows
beside it, of which the calmest counts by far the most, so that edges stay and everything between
them becomes flat. A palette, a darkened rim and the weave of a canvas follow. It imitates the
look of a painting and nothing else about one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

STROKE = 1 / 21  # side of a window in image sides
STREAM = 1  # random numbers of its own: a hand owes nothing to a picture drawn by the same seed
TONES = 9  # levels of brightness
# Colours of shadows, middle tones and lights in [0, 1], as painters of three schools mixed them.
SCHOOLS = (
    ((0.10, 0.06, 0.04), (0.66, 0.44, 0.26), (0.97, 0.86, 0.62)),  # umber and ochre
    ((0.13, 0.05, 0.06), (0.70, 0.43, 0.35), (0.99, 0.84, 0.72)),  # madder and flesh
    ((0.09, 0.09, 0.05), (0.60, 0.51, 0.30), (0.95, 0.90, 0.66)),  # olive and straw
)


class _Hands(NamedTuple):
    """What differs from one painting to the next, each field (n,)."""

    school: Tensor
    strength: Tensor  # how far the palette replaces the photograph's own colours, in [0, 1]
    vignette: Tensor  # darkness of the corners, in [0, 1]
    weave: Tensor  # contrast of the canvas
    phase: Tensor  # of its threads, radians


def painted(x: Tensor, seed: int) -> Tensor:
    """Images (n, 3, S, S) in [-1, 1] as paintings of the same shape and range.

    The composition stays where it is. Image i is painted by a hand, palette and canvas, that
    depends on `seed` and i only.

    Args:
        x: images of at least 8x8 pixels; they are not changed.
        seed: 0 or larger.

    Raises:
        ValueError: not a batch of square images of three channels and at least 8x8 pixels, or a
            negative seed.
    """
    if x.ndim != 4 or x.shape[1] != 3 or x.shape[2] != x.shape[3] or x.shape[2] < 8:
        raise ValueError(f"images have shape {tuple(x.shape)}; give (n, 3, S, S) with S at least 8")
    if seed < 0:
        raise ValueError(f"seed is {seed}; give an integer, 0 or larger")
    hands = _Hands(*(field.to(x) for field in _hands(len(x), seed)))
    window = max(2, round(STROKE * x.shape[2]))
    picture = _stretched((x.detach() + 1) / 2)
    for _ in range(2):  # once leaves the noise of thin lines, twice closes them to strokes
        picture = kuwahara(picture, window)
    picture = _toned(picture, hands)
    return (2 * (picture * _canvas(x.shape[2], hands)) - 1).clamp(-1, 1)


def kuwahara(picture: Tensor, window: int) -> Tensor:
    """Each pixel becomes a mean of the four windows whose corner it is, mostly of the calmest.

    Args:
        picture: (n, C, S, S) in [0, 1]; outside, its border goes on.
        window: side of a window in pixels, at least 2.

    Returns:
        (n, C, S, S); a window with variance v, summed over the channels, has weight
        (v + 0.001)^-3.
    """
    reach = window - 1
    size = picture.shape[-1]
    wide = pad(picture, [reach] * 4, mode="replicate")
    mean = avg_pool2d(wide, window, stride=1)
    variance = (avg_pool2d(wide.square(), window, stride=1) - mean.square()).sum(1, keepdim=True)
    weight = (variance.clamp(min=0) / 1e-3 + 1) ** -3
    corners = [
        (..., slice(top, top + size), slice(left, left + size))
        for top in (0, reach)
        for left in (0, reach)
    ]
    total = torch.stack([weight[here] * mean[here] for here in corners]).sum(0)
    return total / torch.stack([weight[here] for here in corners]).sum(0)


def _hands(n: int, seed: int) -> _Hands:
    drawn = np.empty((n, 5), np.float32)
    for i in range(n):
        drawn[i] = np.random.default_rng((seed, i, STREAM)).random(5)
    u = torch.from_numpy(drawn)
    return _Hands(
        school=(len(SCHOOLS) * u[:, 0]).floor(),
        strength=0.5 + 0.25 * u[:, 1],
        vignette=0.2 + 0.35 * u[:, 2],
        weave=0.015 + 0.025 * u[:, 3],
        phase=2 * math.pi * u[:, 4],
    )


def _stretched(picture: Tensor) -> Tensor:
    """Full contrast: the darkest and the lightest fiftieth of an image's pixels at 0 and 1."""
    ranked = picture.mean(1).flatten(1).sort(dim=1).values
    rank = ranked.shape[1] // 50
    dark, light = (ranked[:, k, None, None, None] for k in (rank, -1 - rank))
    return ((picture - dark) / (light - dark).clamp(min=0.1)).clamp(0, 1)


def _toned(picture: Tensor, hands: _Hands) -> Tensor:
    """Few levels of brightness, in the colours of a school."""
    grey = (picture * picture.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    level = grey * TONES
    # Steps between the tones are steep but not sharp, as wet paint is.
    step = level.floor() + ((level - level.floor() - 0.5) * 3 + 0.5).clamp(0, 1)
    tone = (step / TONES).clamp(0, 1)
    own = picture + (tone - grey)
    schools = picture.new_tensor(SCHOOLS)[hands.school.long()][..., None, None]
    shadow, middle, light = schools.unbind(1)
    lower = shadow + (2 * tone).clamp(0, 1) * (middle - shadow)
    palette = lower + (2 * tone - 1).clamp(0, 1) * (light - middle)
    return own + hands.strength[:, None, None, None] * (palette - own)


def _canvas(size: int, hands: _Hands) -> Tensor:
    """Brightness (n, 1, size, size) of the canvas: its threads, and its dark rim."""
    line = torch.arange(size, device=hands.weave.device, dtype=hands.weave.dtype) + 0.5
    # Threads are two and a half pixels wide at any size: finer ones cannot be seen.
    phase = hands.phase[:, None]
    warp = (2 * math.pi * line / 2.5 + phase).sin()[:, None, None, :]
    weft = (2 * math.pi * line / 2.5 + 2 * phase).sin()[:, None, :, None]
    away = (2 * line / size - 1).square()
    rim = ((away[:, None] + away[None, :]) / 2).square()
    threads = 1 + hands.weave[:, None, None, None] * (warp + weft)
    return threads * (1 - hands.vignette[:, None, None, None] * rim)
