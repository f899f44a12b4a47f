"""What every procedural domain hands back: paired scenes with a known rarity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CHUNK = 16  # scenes painted together: enough to vectorise, few enough to stay in cache
Painted = tuple[NDArray[Any], NDArray[Any], NDArray[np.float64] | float]


class Scenes(NamedTuple):
    """The same n scenes in two domains, with how rare each is."""

    source: Tensor
    """(n, 3, size, size) float32 in [-1, 1]."""
    target: Tensor
    """(n, 3, size, size) float32 in [-1, 1]: the ground-truth translation of `source`."""
    surprise: Tensor
    """(n,) float64, −log density in nats of the scene's latent parameters under the default
    law (a tenth of the scenes from the wide tail), up to a constant. Larger is rarer."""


def check_request(n: int, size: int, rare: float) -> None:
    """Raise ValueError, in one sentence, unless n >= 1, size >= 16 and rare lies in [0, 1]."""
    if n < 1:
        raise ValueError(f"n is {n}; ask for at least one scene.")
    if size < 16:
        raise ValueError(f"size is {size} pixels; ask for at least 16 so that shapes can be seen.")
    if not 0.0 <= rare <= 1.0:
        raise ValueError(f"rare is {rare}; it is a share of the scenes, so give it in [0, 1].")


def one_by_one(
    n: int,
    seed: int,
    size: int,
    paint: Callable[[np.random.Generator, np.random.Generator], Painted],
) -> Scenes:
    """Scenes 0 to n - 1, each with a generator of its law and another of its textures.

    From these, `paint` makes source and target (3, size, size) in [0, 1], and the surprise.
    """
    images = np.empty((2, n, 3, size, size), np.float32)
    surprise = np.empty(n)
    for i in range(n):
        law, textures = np.random.default_rng([seed, i]), np.random.default_rng([seed, i, 1])
        images[0, i], images[1, i], surprise[i] = paint(law, textures)
    images *= 2
    images -= 1
    source, target = torch.from_numpy(images)
    return Scenes(source, target, torch.from_numpy(surprise))


def assemble(n: int, size: int, paint: Callable[[range], Painted]) -> Scenes:
    """Scenes 0 to n - 1, painted a few at a time.

    Args:
        n: number of scenes.
        size: side of the images in pixels.
        paint: numbers of some scenes -> their source and target images (b, 3, size, size) in
            [-1, 1], and their surprise (b,).
    """
    source, target = np.empty((2, n, 3, size, size), np.float32)
    surprise = np.empty(n)
    for start in range(0, n, CHUNK):
        scenes = range(start, min(start + CHUNK, n))
        here = slice(scenes.start, scenes.stop)
        source[here], target[here], surprise[here] = paint(scenes)
    return Scenes(torch.from_numpy(source), torch.from_numpy(target), torch.from_numpy(surprise))
