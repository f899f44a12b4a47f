"""Second domains made from a first one, so that the true translation of each sample is known."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def slant(x: Tensor, shear: float = 0.35) -> Tensor:
    """Lean images (B, C, H, W) to the right, like italics, by bilinear resampling.

    Args:
        x: images; what is sampled from outside is 0.
        shear: pixels of sideways shift per pixel of height, about the middle row.
    """
    to_source = x.new_tensor([[1.0, shear, 0.0], [0.0, 1.0, 0.0]]).expand(len(x), 2, 3)
    grid = affine_grid(to_source, list(x.shape), align_corners=False)
    return grid_sample(x, grid, align_corners=False)
