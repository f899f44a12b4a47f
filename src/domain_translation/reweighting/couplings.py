"""Couplings of class masses: how much mass must change class when P is carried to Q (JD-BW 2.3).

A coupling of p and q is a table (K, K) of masses with row sums p and column sums q: entry (k, l) is
the share of examples that leave class k and arrive in class l. Its diagonal keeps its class.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from domain_translation.reweighting.masses import masses

_ROUNDING = 1e-6


def total_variation(p: Sequence[float] | Tensor, q: Sequence[float] | Tensor) -> float:
    """Half the sum of |p_k - q_k|: the least share of mass that changes class (0.4 for SR-MNIST).

    Raises:
        ValueError: bad masses, or different numbers of classes.
    """
    return 1 - float(torch.minimum(*_pair(p, q)).sum())


def maximal_coupling(p: Sequence[float] | Tensor, q: Sequence[float] | Tensor) -> Tensor:
    """A coupling (K, K) that keeps as much mass in its class as any can, 1 - TV(p, q).

    What a class has too much is shared among the classes that have too little, in proportion.

    Raises:
        ValueError: bad masses, or different numbers of classes.
    """
    a, b = _pair(p, q)
    kept = torch.minimum(a, b)
    surplus, lack = a - kept, b - kept
    moved = (
        torch.outer(surplus, lack) / lack.sum() if lack.sum() > 0 else torch.outer(surplus, lack)
    )
    return kept.diag() + moved


def class_change(coupling: Tensor) -> float:
    """Share of the mass of a coupling (K, K) that is off its diagonal.

    Raises:
        ValueError: a table that is not square, has negative entries or does not sum to one.
    """
    t = coupling.double()
    if t.ndim != 2 or t.shape[0] != t.shape[1] or bool((t < 0).any()):
        raise ValueError(
            f"a coupling of shape {tuple(t.shape)} with least entry {float(t.min()):.3g}; give a "
            "square table of masses of at least 0"
        )
    if abs(float(t.sum()) - 1) > _ROUNDING:
        raise ValueError(f"the coupling sums to {float(t.sum()):.6g}; divide it by its sum")
    return float(t.sum() - t.diag().sum())


def _pair(p: Sequence[float] | Tensor, q: Sequence[float] | Tensor) -> tuple[Tensor, Tensor]:
    a, b = masses(p), masses(q)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} classes in one domain, {len(b)} in the other; give as many")
    return a, b
