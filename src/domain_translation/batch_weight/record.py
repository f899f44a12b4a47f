"""What a training with batch weights writes down about them, in buffers of its checkpoint."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from domain_translation.batch_weight.masses import class_totals
from domain_translation.batch_weight.weighting import BatchWeights, halfway, relaxed


class Record(nn.Module):
    """Step counter, weighted class masses (Fig. 3) and effective shares of a training.

    Args:
        steps: generator steps of the run.
        clip_first, clip_last: bounds on |W| at its beginning and end.
        classes: of the examples of both domains (n,), (k,); None records shares only.
    """

    step: Tensor
    totals: Tensor
    shares: Tensor

    def __init__(
        self,
        steps: int,
        clip_first: float,
        clip_last: float,
        classes: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.classes = classes
        count = 0 if classes is None else 1 + int(max(c.max() for c in classes))
        self._bound = relaxed(clip_first, clip_last, steps)
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self.register_buffer("totals", torch.zeros(steps, 2, count))
        self.register_buffer("shares", torch.zeros(steps, 2))

    def bound(self) -> float:
        """Bound on |W| at this step."""
        return self._bound(int(self.step))

    def add(self, rows_x: Tensor, rows_y: Tensor, weights: BatchWeights) -> None:
        """Enter the weights of a minibatch and go on to the next step."""
        for side, (w, rows) in enumerate(zip(weights, (rows_x, rows_y), strict=True)):
            half = halfway(w.detach())
            self.shares[self.step, side] = half.sum().square() / half.square().sum() / len(half)
            if self.classes is not None:
                count = self.totals.shape[-1]
                self.totals[self.step, side] = class_totals(half, self.classes[side][rows], count)
        self.step += 1


def exactly_equal(shares: Tensor) -> float:
    """Share of the recorded minibatches in which all weights of both domains were one number.

    No trained network says so; a softmax does when the clip has cut all its logits to one value.

    Args:
        shares: (records, 2), effective shares as in `Record.shares`; one record or more.
    """
    return float((shares == 1).all(1).float().mean())
