"""Score estimators: closures ``(B, *event) -> (B, *event)`` built from what one has.

A score is the gradient of a log-density, and anything with that signature can be sampled with
`langevin`. Nothing here keeps a graph: what comes back carries no gradient history.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Energy = Callable[[Tensor], Tensor]
Score = Callable[[Tensor], Tensor]
EnergyAndScore = Callable[[Tensor], tuple[Tensor, Tensor]]
Denoiser = Callable[[Tensor], Tensor]
Translator = Callable[[Tensor], Tensor]


def energy_and_score(energy: Energy) -> EnergyAndScore:
    """Energy ``(B,)`` and score = -d energy / dx ``(B, *event)`` from one forward pass.

    Each point's energy must depend on that point alone (no batch statistics), as the contract
    of an energy says: the gradient is taken of the batch's sum.
    """

    def both(x: Tensor) -> tuple[Tensor, Tensor]:
        if torch.compiler.is_compiling():  # the compiler traces torch.func, not autograd.grad

            def total(y: Tensor) -> tuple[Tensor, Tensor]:
                each = energy(y)
                return each.sum(), each

            gradient, each = torch.func.grad(total, has_aux=True)(x)
            return each, -gradient
        with torch.enable_grad():
            leaf = x.detach().requires_grad_(True)
            each = energy(leaf)
            if isinstance(each, Tensor) and each.shape[:1] not in ((), leaf.shape[:1]):
                raise ValueError(
                    f"the energy of a batch {tuple(x.shape)} has shape {tuple(each.shape)}; it "
                    f"must be one number each, ({len(x)},)"
                )
            if not getattr(each, "requires_grad", False):
                raise ValueError(
                    "the energy carries no gradient; give one that is computed from its argument "
                    "by torch, without no_grad, inference_mode, detach() or numpy"
                )
            (gradient,) = torch.autograd.grad(each.sum(), leaf)
        return each.detach(), -gradient

    return both


def energy_score(energy: Energy) -> Score:
    """Score = -d energy / dx of an energy ``(B, *event) -> (B,)``, by automatic differentiation."""
    both = energy_and_score(energy)

    def score(x: Tensor) -> Tensor:
        return both(x)[1]

    return score


def autograd_score(log_density: Energy) -> Score:
    """Score = d log p / dx of a log-density ``(B, *event) -> (B,)``, normalised or not."""

    def energy(x: Tensor) -> Tensor:
        return -log_density(x)

    return energy_score(energy)


def dae_score(denoiser: Denoiser, sigma: float) -> Score:
    """Score (r(x) - x) / sigma^2 of a denoiser trained with noise `sigma` (lcool.eq4).

    For the best possible denoiser this is exactly the score of the data density smoothed by
    N(0, sigma^2 I) (Tweedie); L-Cool's Proposition 1 is its limit for sigma -> 0.

    Args:
        denoiser: r, ``(B, *event) -> (B, *event)``.
        sigma: standard deviation of the training noise, in units of x; positive.
    """
    if not sigma > 0:
        raise ValueError(f"sigma was {sigma}; the noise a denoiser was trained with is > 0")

    def score(x: Tensor) -> Tensor:
        with torch.no_grad():
            return (denoiser(x) - x) / sigma**2

    return score


def cycle_score(forward: Translator, backward: Translator, gamma: float) -> Score:
    """Score gamma (F(G(x)) - x) from a translator and its inverse (lcool.eq11).

    The round trip of a cycle-consistent pair pulls a point towards the source domain, as a
    denoiser does; `gamma` > 0 is its unknown scale, 1/sigma^2 in `dae_score`.

    Args:
        forward: G, source to target.
        backward: F, target to source.
        gamma: scale, positive.
    """
    if not gamma > 0:
        raise ValueError(f"gamma was {gamma}; the scale of the cycle score is > 0")

    def score(x: Tensor) -> Tensor:
        with torch.no_grad():
            return gamma * (backward(forward(x)) - x)

    return score
