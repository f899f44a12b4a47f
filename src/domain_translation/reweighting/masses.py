"""Class masses of two domains and the weights that carry them to one another (JD-BW 3.1, 3.2).

Where the classes of the domains are known, so are the best weights: ratios of class masses.
Everything here is arithmetic on vectors of masses, in float64; it is what learned weights are
measured against. P is the first domain, Q the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from domain_translation.sampling.inputs import floats

_ROUNDING = 1e-6


class Weights(NamedTuple):
    """Weights per class of samples from P and from Q, both (K,)."""

    p: Tensor
    q: Tensor


def masses(values: Sequence[float] | Tensor) -> Tensor:
    """Class masses (K,) as float64, checked.

    Raises:
        ValueError: not a vector, negative or not finite values, or a sum other than 1.
    """
    found = torch.as_tensor(values, dtype=torch.float64)
    if found.ndim != 1 or len(found) == 0 or not bool(found.isfinite().all() & (found >= 0).all()):
        raise ValueError(
            f"class masses are {found.tolist()}; give one finite mass of at least 0 per class"
        )
    total = float(found.sum())
    if abs(total - 1) > _ROUNDING:
        raise ValueError(f"class masses sum to {total:.6g}; divide them by their sum")
    return found


def _pair(p: Sequence[float] | Tensor, q: Sequence[float] | Tensor) -> tuple[Tensor, Tensor]:
    a, b = masses(p), masses(q)
    if len(a) != len(b):
        raise ValueError(f"{len(a)} classes in one domain, {len(b)} in the other; give as many")
    return a, b


def skewed(first: float, classes: int = 10) -> Tensor:
    """Mass `first` on class 0 and the rest shared equally (SR-MNIST: 0.5, jdbw.data.srmnist).

    Raises:
        ValueError: `first` outside [0, 1], or fewer than two classes.
    """
    if not 0 <= first <= 1 or classes < 2:
        raise ValueError(
            f"mass {first} on the first of {classes} classes; give 0 to 1 and two classes or more"
        )
    return masses([first, *[(1 - first) / (classes - 1)] * (classes - 1)])


def one_sided(p: Sequence[float] | Tensor, q: Sequence[float] | Tensor) -> Tensor:
    """W = q / p per class: translated samples of P counted so stand for Q (JD-BW eq. 5).

    Classes that neither domain has get weight 1.

    Raises:
        ValueError: bad masses, or a class that Q has and P has not: no weight makes up for it
            (the support assumption, JD-BW eq. 2).
    """
    a, b = _pair(p, q)
    lost = ((a == 0) & (b > 0)).nonzero().flatten().tolist()
    if lost:
        raise ValueError(
            f"class {lost[0]} has mass {float(b[lost[0]]):.3g} in the target and none in the "
            "source; no weight on the source can make it appear"
        )
    return torch.where(a > 0, b / a.clamp_min(torch.finfo(a.dtype).tiny), 1.0)


def two_sided(p: Sequence[float] | Tensor, q: Sequence[float] | Tensor) -> Weights:
    """(1 + w) / 2 and (1 + 1/w) / 2 with w = q / p: both domains at their midpoint.

    JD-BW eq. 10, read with w = dQ/dP; with the printed w = dP/dQ the masses do not sum to 1.

    Raises:
        ValueError: as `one_sided`, in both directions.
    """
    return Weights((1 + one_sided(p, q)) / 2, (1 + one_sided(q, p)) / 2)


def midpoint(p: Sequence[float] | Tensor, q: Sequence[float] | Tensor) -> Tensor:
    """Class masses (p + q) / 2 at which two-sided weights meet: 0.30 and 0.0778 for SR-MNIST."""
    a, b = _pair(p, q)
    return (a + b) / 2


def effective_share(weights: Tensor) -> float:
    """Kish's effective sample size of weights (n,), divided by n: 1 when all are equal, 1/n at
    worst.

    Raises:
        ValueError: weights that are negative, not finite or all 0.
    """
    w = floats(weights, "weights", "(n,)").double()
    if w.ndim != 1 or len(w) == 0 or not bool((w >= 0).all() & w.isfinite().all()) or w.sum() == 0:
        raise ValueError(
            "weights must be a vector of finite values of at least 0, not all of them 0"
        )
    return float(w.sum().square() / w.square().sum() / len(w))


def class_totals(weights: Tensor, classes: Tensor, count: int) -> Tensor:
    """Share of the weights (n,) that falls on each of `count` classes (n,): (count,), sum 1."""
    w = weights.float() if weights.device.type == "mps" else weights.double()  # MPS has no doubles
    total = w.new_zeros(count).index_add_(0, classes, w)
    return total / total.sum()


# ---- couplings: how much mass must change class when P is carried to Q (JD-BW 2.3)
#
# A coupling of p and q is a table (K, K) of masses with row sums p and column sums q: entry (k, l)
# is the share of examples that leave class k and arrive in class l. Its diagonal keeps its class.


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
