"""What a training with batch weights writes down about them, kept in its checkpoint."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from domain_translation.reweighting.masses import class_totals
from domain_translation.reweighting.weighting import relaxed
from domain_translation.sampling.inputs import labels
from domain_translation.training.trained import State


class Record(State):
    """Step counter, weighted class masses (Fig. 3) and effective shares of a training.

    Attributes:
        totals: (steps, sides, K), weighted masses of the K classes, none without classes.
        shares: (steps, sides), effective share of the examples of a minibatch.

    Args:
        steps: generator steps of the run.
        clip_first, clip_last: bounds on |W| at its beginning and end.
        classes: of the examples of each weighted domain, (n,) each; None records shares only.
        sides: number of domains whose examples are weighted.
        device: of the training.
    """

    fields = ("step", "totals", "shares")

    def __init__(
        self,
        steps: int,
        clip_first: float,
        clip_last: float,
        classes: Sequence[Tensor] | None = None,
        *,
        sides: int = 2,
        device: torch.device | str = "cpu",
    ) -> None:
        self.classes = None if classes is None else [c.to(device) for c in classes]
        self.count = 0 if classes is None else 1 + int(max(c.max() for c in classes))
        self.step = 0
        self.totals = torch.zeros(steps, sides, self.count, device=device)
        self.shares = torch.zeros(steps, sides, device=device)
        self._bound = relaxed(clip_first, clip_last, steps)

    def bound(self) -> float:
        """Bound on |W| at this step."""
        return self._bound(self.step)

    def add(self, rows: Sequence[Tensor], weights: Sequence[Tensor]) -> None:
        """Enter the weights of a minibatch and go on to the next step.

        Args:
            rows: of the examples in each weighted domain's data, (m,) each.
            weights: what the examples count for, (m,) each.
        """
        for side, (row, weight) in enumerate(zip(rows, weights, strict=True)):
            w = weight.detach()
            self.shares[self.step, side] = w.sum().square() / w.square().sum() / len(w)
            if self.classes is not None:
                of = self.classes[side][row]
                self.totals[self.step, side] = class_totals(w, of, self.count)
        self.step += 1


def check_classes(classes: Sequence[Tensor] | None, *data: Tensor) -> list[Tensor] | None:
    """Classes (n,) each as int64, if they fit the examples (n, *event) of their domains.

    Raises:
        ValueError: not one whole number per example, 0 or larger.
    """
    if classes is None:
        return None
    if not isinstance(classes, Sequence) or len(classes) != len(data):
        raise ValueError("give one class per example of each domain, or no classes at all")
    return [labels(c, d, "classes") for c, d in zip(classes, data, strict=True)]


def exactly_equal(shares: Tensor) -> float:
    """Share of the recorded minibatches in which all weights of both domains were one number.

    No trained network says so; a softmax does when the clip has cut all its logits to one value.

    Args:
        shares: (records, 2), effective shares as in `Record.shares`; one record or more.
    """
    return float((shares == 1).all(1).float().mean())
