"""Score estimators: exact cases, and no graph left behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from domain_translation.sampling import scores
from domain_translation.sampling.densities import Gaussian


def quartic(x: torch.Tensor) -> torch.Tensor:
    return 0.25 * (x**4).flatten(1).sum(1)


def test_energy_score_and_autograd_score_of_a_quartic() -> None:
    x = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(scores.energy_score(quartic)(x), -(x**3))
    torch.testing.assert_close(scores.autograd_score(quartic)(x), x**3)
    energy, score = scores.energy_and_score(quartic)(x)
    torch.testing.assert_close(energy, quartic(x))
    torch.testing.assert_close(score, -(x**3))


def test_dae_score_of_the_perfect_denoiser_is_the_smoothed_score() -> None:
    """For N(m, s^2) the posterior mean is known: r(x) = x - sigma^2 (x - m) / (s^2 + sigma^2)."""
    m, s, sigma = 0.7, 1.3, 0.4
    x = torch.linspace(-3, 3, 9)[:, None].double()
    score = scores.dae_score(lambda y: y - sigma**2 * (y - m) / (s**2 + sigma**2), sigma)
    torch.testing.assert_close(score(x), Gaussian(m, s).smoothed(sigma).score(x))


def test_cycle_score_is_the_scaled_round_trip() -> None:
    score = scores.cycle_score(lambda x: 2 * x + 1, lambda y: y / 4, gamma=3.0)
    x = torch.tensor([[1.0], [-2.0]])
    torch.testing.assert_close(score(x), 3 * ((2 * x + 1) / 4 - x))


@pytest.mark.parametrize("kind", ["energy", "both", "log_density", "dae", "cycle"])
@pytest.mark.parametrize("outer", [True, False])
def test_no_gradient_history_leaks(kind: str, outer: bool) -> None:
    net = nn.Linear(3, 3)
    score = {
        "energy": scores.energy_score(lambda x: net(x).square().sum(1)),
        "both": lambda x: scores.energy_and_score(lambda y: net(y).square().sum(1))(x)[1],
        "log_density": scores.autograd_score(lambda x: -net(x).square().sum(1)),
        "dae": scores.dae_score(net, 0.1),
        "cycle": scores.cycle_score(net, net, 1.0),
    }[kind]
    x = torch.randn(2, 3, requires_grad=True)
    with torch.set_grad_enabled(outer):
        assert not score(x).requires_grad
    assert x.grad is None
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan")])
def test_bad_scales(bad: float) -> None:
    with pytest.raises(ValueError, match="sigma was"):
        scores.dae_score(lambda x: x, bad)
    with pytest.raises(ValueError, match="gamma was"):
        scores.cycle_score(lambda x: x, lambda x: x, bad)
