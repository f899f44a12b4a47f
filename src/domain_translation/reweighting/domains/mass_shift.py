"""Domains made out of balance: classes resampled, images shrunk, turned and moved (SR-MNIST)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from domain_translation.data.digits import Split
from domain_translation.reweighting.masses import masses

TURN = math.pi / 12  # largest angle of SR-MNIST, jdbw.data.srmnist
SHRINK = 0.85  # side of the shrunk image; "slightly smaller", declared


def resample(data: Split, shares: Sequence[float] | Tensor, n: int, seed: int) -> Split:
    """Draw n examples whose classes have the given shares, with replacement within a class.

    Class k gets round(n * share) examples, the first classes one more where rounding falls short.

    Args:
        data: images and their classes 0..K-1.
        shares: mass of each class (K,).
        n: number of examples to draw, at least 1.
        seed: of the draw and the order.

    Raises:
        ValueError: masses that are negative or do not sum to one, n below 1, or a class with a
            mass and no examples.
    """
    mass = masses(shares)
    if n < 1:
        raise ValueError(f"cannot draw {n} examples; give at least 1")
    edges = (mass.cumsum(0) * n).round().long().diff(prepend=torch.zeros(1, dtype=torch.int64))
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for k, count in enumerate(edges.tolist()):
        own = (data.y == k).nonzero().flatten()
        if count and len(own) == 0:
            raise ValueError(f"class {k} has mass {float(mass[k]):.3g} and no examples")
        if count:
            rows.append(own[torch.randint(len(own), (count,), generator=generator)])
    order = torch.cat(rows)[torch.randperm(n, generator=generator)]
    return Split(data.x[order], data.y[order])


def shrunk_and_turned(x: Tensor, seed: int) -> Tensor:
    """Each image shrunk, turned by up to 15 degrees and moved within its frame, at random.

    SR-MNIST pads, rotates and crops (JD-BW 4.1); the sizes are not in the paper.

    Args:
        x: images (n, C, S, S) in [-1, 1]; what comes in from outside is -1, black.
        seed: of angles and places.
    """
    generator = torch.Generator().manual_seed(seed)
    n = len(x)
    angle = TURN * (2 * torch.rand(n, generator=generator) - 1)
    room = 1 / SHRINK - 1  # how far a shrunk image can move before it leaves the frame
    place = room * (2 * torch.rand(n, 2, generator=generator) - 1)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).reshape(n, 2, 2)
    to_source = torch.cat([turn / SHRINK, place[:, :, None]], 2)
    grid = affine_grid(to_source, list(x.shape), align_corners=False)
    return grid_sample(x + 1, grid, align_corners=False) - 1
