"""A translator of the planar toy with no GAN loss and no cycle loss, written down by hand.

Every cluster of `toy` is cut like a pie. Each slice goes to one cluster of the other domain, where
it is widened or narrowed until the slices that arrive there fill the pie again. In a round
Gaussian the angle is uniform and independent of the radius, so that the law is exactly that of the
other domain, and no two points meet. The class masses decide how much must change its class.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from domain_translation.reweighting.toy import centres, cluster_of


class Pies:
    """Both directions of the pie translator.

    Args:
        coupling: mass (K, K) that goes from cluster k of the first domain to l of the second; no
            row and no column is empty.

    Raises:
        ValueError: a table that is not square, negative entries, or an empty row or column.
    """

    def __init__(self, coupling: Tensor) -> None:
        table = coupling.double()
        if table.ndim != 2 or table.shape[0] != table.shape[1] or bool((table < 0).any()):
            raise ValueError(
                f"a coupling of shape {tuple(table.shape)}; give a square table of masses of at "
                "least 0"
            )
        if not bool((table.sum(0) > 0).all() and (table.sum(1) > 0).all()):
            raise ValueError("a cluster has no mass; every row and column must have some")
        self.width_x = table / table.sum(1, keepdim=True)  # of slice l in pie k, in turns
        self.width_y = table / table.sum(0, keepdim=True)  # of slice k in pie l
        self.start_x = self.width_x.cumsum(1) - self.width_x
        self.start_y = self.width_y.cumsum(0) - self.width_y

    def forward(self, x: Tensor) -> Tensor:
        """Points (n, 2) of the first domain to the second."""
        return _carry(x, self.start_x, self.width_x, self.start_y, self.width_y, shifted=False)

    def backward(self, y: Tensor) -> Tensor:
        """Points (n, 2) of the second domain to the first: the inverse of `forward`."""
        tables = (
            t.T.contiguous() for t in (self.start_y, self.width_y, self.start_x, self.width_x)
        )
        return _carry(y, *tables, shifted=True)


def _carry(
    points: Tensor,
    start: Tensor,
    width: Tensor,
    to_start: Tensor,
    to_width: Tensor,
    *,
    shifted: bool,
) -> Tensor:
    """Move points from pies cut by rows of `start` to those of the other domain."""
    count = len(start)
    here, there = (centres(count, shifted=s).double() for s in (shifted, not shifted))
    k = cluster_of(points.float(), count, shifted=shifted)
    arm = points.double() - here[k]
    turn = (torch.atan2(arm[:, 1], arm[:, 0]) / math.tau) % 1
    # The last slice that begins at or before this angle; empty slices share a start with the next.
    reached = (start[k] <= turn[:, None]) & (width[k] > 0)
    slice_ = count - 1 - reached.flip(1).int().argmax(1)
    inside = (turn - start[k, slice_]) / width[k, slice_]
    new = math.tau * (to_start[k, slice_] + inside * to_width[k, slice_])
    return there[slice_] + arm.norm(dim=1, keepdim=True) * torch.stack([new.cos(), new.sin()], 1)
