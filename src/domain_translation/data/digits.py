"""scikit-learn's handwritten digits: 1,797 real 8x8 images that need no download.

Slanted, they are a second domain in which the true translation of each image is known.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from sklearn import datasets
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


class Split(NamedTuple):
    """Images x (n, 1, 8, 8), float32 in [0, 1], and their digits y (n,), int64 in 0..9."""

    x: Tensor
    y: Tensor


class Digits(NamedTuple):
    """Three disjoint parts; every digit has the same share in each, up to rounding."""

    train: Split
    validation: Split
    test: Split


def load_digits(seed: int = 0, held_out: int = 360) -> Digits:
    """The digits, split at random by `seed` with equal class shares.

    Args:
        seed: of the split.
        held_out: size of the validation part and of the test part, each.

    Raises:
        ValueError: `held_out` leaves a part without every digit.
    """
    images, labels = datasets.load_digits(return_X_y=True)
    if not 10 <= held_out <= (len(labels) - 10) // 2:
        raise ValueError(f"held_out is {held_out}; give 10 to {(len(labels) - 10) // 2} images")
    x = torch.tensor(images / 16.0, dtype=torch.float32).reshape(-1, 1, 8, 8)
    y = torch.tensor(labels, dtype=torch.int64)
    rows = range(len(y))
    rest, test = train_test_split(rows, test_size=held_out, stratify=y, random_state=seed)
    train, val = train_test_split(rest, test_size=held_out, stratify=y[rest], random_state=seed)
    return Digits(*(Split(x[i], y[i]) for i in (train, val, test)))


def slant(x: Tensor, shear: float = 0.35) -> Tensor:
    """Lean images (B, C, H, W) to the right, like italics, by bilinear resampling.

    Args:
        x: images; what is sampled from outside is 0.
        shear: pixels of sideways shift per pixel of height, about the middle row.
    """
    to_source = x.new_tensor([[1.0, shear, 0.0], [0.0, 1.0, 0.0]]).expand(len(x), 2, 3)
    grid = affine_grid(to_source, list(x.shape), align_corners=False)
    return grid_sample(x, grid, align_corners=False)
