"""Batch weights: how the examples of a minibatch share their domain's mass (JD-BW 3.2, B.1).

Three designs of the weighting network, and none at all. Each takes a batch of real and translated
pairs (x, G(x)) and (F(y), y) and returns w_x (m,) and w_y (m,), which sum to one. Large values of
W mean "rare here, frequent there": W is log dQ/dP up to a constant, with P the domain of x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Pairs(NamedTuple):
    """A minibatch of both domains and its translations; every tensor has m rows.

    Attributes:
        x: sources from P.
        gx: their translations G(x).
        fy: translations F(y).
        y: sources from Q.
    """

    x: Tensor
    gx: Tensor
    fy: Tensor
    y: Tensor


class BatchWeights(NamedTuple):
    """Weights of the pairs (x, G(x)) and of the pairs (F(y), y), (m,) each, summing to one."""

    x: Tensor
    y: Tensor


def batch_softmax(logits: Tensor, bound: float) -> Tensor:
    """Weights (m,) from logits (m,) or (m, 1), clipped to [-bound, bound] first.

    The largest weight is then at most exp(2 bound) times the smallest (JD-BW 4.3). A logit that
    is NaN makes all weights NaN, which the training loop sees in the loss.

    Raises:
        ValueError: a batch of one example, whose weight is 1 whatever the network says.
    """
    flat = logits.flatten()
    if len(flat) < 2:
        raise ValueError(
            "a batch of one example always has weight 1, so that nothing can be learnt; use a "
            "batch of two or more"
        )
    return flat.clamp(-bound, bound).softmax(0)


class Composite(nn.Module):
    """W_x on images of the first domain, W_y on those of the second (B.1, third design)."""

    def __init__(self, weight_x: nn.Module, weight_y: nn.Module) -> None:
        super().__init__()
        self.weight_x, self.weight_y = weight_x, weight_y

    def forward(self, pairs: Pairs, bound: float) -> BatchWeights:
        # jdbw.eqU2: w_x = (s(W_x(x)) + s(-W_y(G(x)))) / 2, w_y = (s(-W_x(F(y))) + s(W_y(y))) / 2
        at_x = batch_softmax(self.weight_x(pairs.x), bound)
        at_gx = batch_softmax(-self.weight_y(pairs.gx), bound)
        at_fy = batch_softmax(-self.weight_x(pairs.fy), bound)
        at_y = batch_softmax(self.weight_y(pairs.y), bound)
        return BatchWeights((at_x + at_gx) / 2, (at_fy + at_y) / 2)


class OneArgument(nn.Module):
    """W on images of the first domain alone (B.1, second design)."""

    def __init__(self, weight: nn.Module) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pairs: Pairs, bound: float) -> BatchWeights:
        # jdbw.eqU3 (2): w_x = s(W(x)), w_y = s(-W(F(y)))
        return BatchWeights(
            batch_softmax(self.weight(pairs.x), bound), batch_softmax(-self.weight(pairs.fy), bound)
        )


class TwoArguments(nn.Module):
    """W on pairs, concatenated as channels (B.1, first design)."""

    def __init__(self, weight: nn.Module) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pairs: Pairs, bound: float) -> BatchWeights:
        # jdbw.eqU3 (1): w_x = s(W(x, G(x))), w_y = s(-W(F(y), y))
        at_p = self.weight(torch.cat([pairs.x, pairs.gx], 1))
        at_q = self.weight(torch.cat([pairs.fy, pairs.y], 1))
        return BatchWeights(batch_softmax(at_p, bound), batch_softmax(-at_q, bound))


class Equal(nn.Module):
    """No weighting: 1/m each, the ablation "joint discriminator alone" (JD-BW 4.2).

    The one weighting without parameters: there is nothing to train.
    """

    def forward(self, pairs: Pairs, bound: float) -> BatchWeights:
        return BatchWeights(_equal(pairs.x), _equal(pairs.y))


def _equal(rows: Tensor) -> Tensor:
    return rows.new_full((len(rows),), 1 / len(rows), dtype=torch.float32)


def halfway(weights: Tensor) -> Tensor:
    """(1/m + w_i) / 2: what an example counts for at the midpoint; no less than half of 1/m.

    JD-BW Algorithm 1 prints (1 + w_i) / 2 next to a softmax that sums to one, which would leave
    the learned part with less than one per cent of the total at m = 128 (jdbw.alg1).
    """
    return (1 / len(weights) + weights) / 2


def check_settings(batch: int, clip_first: float, clip_last: float) -> None:
    """Refuse what no training with batch weights can use.

    Raises:
        ValueError: a batch of one, or bounds on |W| that are negative or reversed.
    """
    if batch < 2:
        raise ValueError(f"batch is {batch}; one example always has weight 1, use two or more")
    if not 0 <= clip_first <= clip_last:
        raise ValueError(
            f"the weight nets are clipped at {clip_first} first and at {clip_last} last; clipping "
            "is relaxed, so give 0 <= first <= last"
        )


def relaxed(start: float, end: float, steps: int) -> Callable[[int], float]:
    """Bound on |W| that grows linearly from `start` to `end` over `steps` (JD-BW 4.3)."""
    return lambda step: start + (end - start) * min(1.0, step / max(1, steps - 1))
