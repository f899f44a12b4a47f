"""Bases, schedules and the moving kernel of annealed importance sampling."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.sampling import ais, bridges, densities, langevin


@pytest.mark.parametrize("beta", [0.2, 0.7, 1.0])
def test_a_crossing_leaves_its_density_invariant(beta):
    """Moments of N(0, 1)^(1 - b) N(m, s^2)^b after many large steps; ULA would be off."""
    mean, std = 2.0, 0.5
    precision = (1 - beta) + beta / std**2
    centre = beta * mean / std**2 / precision
    target = densities.Gaussian(mean, std)
    kernel = bridges.crossing(target.energy, ais.Normal((1,)), beta, 1.2 / precision)
    g = torch.Generator().manual_seed(0)
    start = centre + torch.randn(20_000, 1, generator=g) / math.sqrt(precision)
    x = langevin.sample(kernel, start, 15, seed=0).x
    assert abs(x.mean() - centre) < 0.03 / math.sqrt(precision)
    assert abs(x.var() * precision - 1) < 0.04


def test_mirrored_chains_leave_the_uniform_and_the_sloped_density_invariant():
    base = ais.Uniform((1,))
    kernel = bridges.crossing(lambda x: 2 * x[:, 0], base, 1.0, 0.4)
    u = torch.rand(20_000, 1, generator=torch.Generator().manual_seed(0))
    start = -(u * math.exp(-2) + (1 - u) * math.exp(2)).log() / 2
    x = base.fold(langevin.sample(kernel, start, 20, seed=0).x)[0]
    assert bool(base.contains(x).all())
    assert abs(x.mean() + (1 / math.tanh(2) - 0.5)) < 0.02


@given(st.floats(-20, 20), st.floats(-2, 0), st.floats(0.5, 3))
@settings(max_examples=60, deadline=None)
def test_folding_mirrors_at_the_walls(x, low, width):
    base = ais.Uniform((1,), low, low + width)
    point = torch.tensor([[x]], dtype=torch.float64)
    inside, sign = base.fold(point)
    assert bool(base.contains(inside).all())
    assert float(sign.abs()) == 1
    mirror = base.fold(2 * low - point)[0]
    shifted_ = base.fold(point + 2 * width)[0]
    assert torch.allclose(mirror, inside, atol=1e-9)
    assert torch.allclose(shifted_, inside, atol=1e-9)
    if low <= x <= low + width:
        assert torch.allclose(inside, point, atol=1e-9)
    assert torch.allclose(base.fold(inside)[0], inside, atol=1e-9)


@pytest.mark.parametrize("base", [ais.Normal((2, 3), 0.7, 0.4), ais.Uniform((2, 3), -1.0, 2.0)])
def test_bases_are_normalised_and_sampled_as_they_say(base):
    x = base.sample(20_000, torch.Generator().manual_seed(0)).double()
    assert x.shape == (20_000, 2, 3)
    energy, score = base.energy_and_score(x)
    entropy = 6 * (0.5 * math.log(2 * math.pi * math.e) + math.log(0.7))
    truth = entropy if isinstance(base, ais.Normal) else 6 * math.log(3)
    assert abs(energy.mean() - truth) < 0.05
    mean = 0.4 if isinstance(base, ais.Normal) else 0.5
    assert abs(x.mean() - mean) < 0.02
    assert score.shape == x.shape


@given(st.integers(1, 50), st.floats(0.1, 10), st.floats(1e-6, 0.9))
@settings(max_examples=40, deadline=None)
def test_schedules_rise_from_0_to_1(steps, sharpness, first):
    for betas in (ais.sigmoid(steps, sharpness), ais.geometric(steps, first)):
        assert betas.shape == (steps + 1,)
        assert betas[0] == 0
        assert betas[-1] == 1
        assert bool((betas.diff() > 0).all())


def test_schedules_have_their_shape():
    assert torch.allclose(
        ais.sigmoid(100, 1e-3), torch.linspace(0, 1, 101, dtype=torch.float64), atol=1e-6
    )
    steps = ais.sigmoid(100).diff()
    assert steps[0] < 0.2 * steps[50]
    assert torch.allclose(steps, steps.flip(0))
    ratios = ais.geometric(50, 1e-4)[2:] / ais.geometric(50, 1e-4)[1:-1]
    assert torch.allclose(ratios, ratios[:1])
