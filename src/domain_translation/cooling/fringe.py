"""Fringe detection: which samples lie where the score is long (L-Cool eq. 10, ImproveIT eq. 9)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from domain_translation.sampling.inputs import answer, asking, events


def score_norms(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Euclidean norm of the score of each sample: (B, *event) -> (B,), left side of eq. 10."""
    x = events(x, "x")
    with asking("the score", x):
        found = answer(score(x), x, "the score", same=True)
    norms: Tensor = torch.linalg.vector_norm(found.flatten(1), dim=1)
    return norms


def fringe_mask(
    norms: Tensor, *, threshold: float | None = None, share: float | None = None
) -> Tensor:
    """The fringe samples of a batch as a boolean mask (B,): L-Cool eq. 10 (lcool.eq10).

    Args:
        norms: score norms (B,), see `score_norms`.
        threshold: xi of eq. 10; samples with a longer score are fringe. The sources never
            give a value.
        share: instead of a threshold, the share in (0, 1] of the batch with the longest
            scores, as in the protocol of L-Cool section 4.3 (lcool.metric.fringe); rounded to
            the nearest number of samples, at least one.

    Raises:
        ValueError: neither or both given, threshold negative, share outside (0, 1], norms not
            a finite non-empty vector.
    """
    if norms.ndim != 1 or len(norms) == 0:
        raise ValueError(f"norms have shape {tuple(norms.shape)}; give one norm per sample, (B,)")
    if not norms.isfinite().all():
        raise ValueError("some score norms are NaN or infinite; check the samples and the score")
    if (threshold is None) == (share is None):
        raise ValueError("give either threshold= (a score norm) or share= (of the batch)")
    if threshold is not None:
        if not threshold >= 0:
            raise ValueError(f"threshold is {threshold}; a score norm is 0 or larger")
        return norms > threshold
    assert share is not None
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; give the fringe share of the batch, in (0, 1]")
    longest = torch.argsort(norms, descending=True, stable=True)
    mask = torch.zeros_like(norms, dtype=torch.bool)
    mask[longest[: max(1, math.floor(share * len(norms) + 0.5))]] = True
    return mask
