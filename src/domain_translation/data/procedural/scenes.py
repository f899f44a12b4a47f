"""What every procedural domain hands back: paired scenes with a known rarity."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


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
