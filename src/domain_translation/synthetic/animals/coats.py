"""The same horses in every coat: what a striped picture of them cannot show.

A zebra has no coat colour, so five horses that differ in nothing else have one and the same true
translation. Whatever tells their translations apart was put there by the translator.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from domain_translation.synthetic.animals import animals
from domain_translation.synthetic.animals.animals_law import LAW
from domain_translation.synthetic.scenes import check_request

COATS = tuple(LAW.choices["coat"])


class Recoloured(NamedTuple):
    """n scenes, each with the animal in all of `COATS`.

    Attributes:
        horses: (C, n, 3, size, size) float32 in [-1, 1].
        zebra: their common true translation, (n, 3, size, size).
        animal: share of each pixel that the animal covers, (n, size, size) in [0, 1].
    """

    horses: Tensor
    zebra: Tensor
    animal: Tensor


def in_every_coat(n: int, seed: int, *, size: int = 64, rare: float = 0.0) -> Recoloured:
    """Draw scenes of `animals.sample` in every coat; by default ordinary scenes only.

    Args:
        n: number of scenes, at least 1; scene i depends on `seed` and i only.
        seed, size, rare: see `animals.sample`.

    Raises:
        ValueError: see `animals.sample`.
    """
    check_request(n, size, rare)
    latents, knots = animals.draw(range(n), seed, size, rare)
    pictures = [
        animals.render({**latents, "coat": np.full(n, k)}, knots, size) for k in range(len(COATS))
    ]
    horses = torch.from_numpy(np.stack([source for source, _, _ in pictures]))
    _, zebra, animal = pictures[0]
    return Recoloured(horses, torch.from_numpy(zebra), torch.from_numpy(animal))
