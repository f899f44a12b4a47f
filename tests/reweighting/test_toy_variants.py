"""What the comparisons in the plane exchange: players by name, a direct generator, a turn."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.reweighting import toy
from domain_translation.reweighting.weighting import Pairs

CONFIG = toy.ToyConfig(width=8)


@pytest.mark.parametrize("weighting", list(toy.WEIGHTINGS))
@pytest.mark.parametrize("generator", list(toy.GENERATORS))
def test_every_combination_plays(weighting: str, generator: str) -> None:
    found = toy.networks(CONFIG, 0, weighting, generator)
    x, y, z = torch.randn(5, 2), torch.randn(5, 2), torch.zeros(5, CONFIG.noise)
    pairs = Pairs(x, found.forward(x, z), found.backward(y, z), y)
    weights = found.weighting(pairs, 2.0)
    assert float(weights.x.detach().sum()) == pytest.approx(1, abs=1e-5)
    assert found.discriminator(pairs.x, pairs.gx).shape == (5,)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="'soft' is unknown; choose 'composite'"):
        toy.networks(CONFIG, 0, "soft")
    with pytest.raises(ValueError, match="choose 'residual', 'direct'"):
        toy.networks(CONFIG, 0, generator="u-net")


def test_only_the_residual_generator_starts_near_the_identity() -> None:
    x, z = 5 * torch.randn(200, 2, generator=torch.Generator().manual_seed(0)), torch.zeros(200, 2)
    config = toy.ToyConfig()
    moved = {
        name: float((toy.networks(config, 0, generator=name).forward(x, z) - x).square().mean())
        for name in toy.GENERATORS
    }
    assert moved["residual"] < 0.3 * moved["direct"]


def test_both_generators_have_the_same_number_of_parameters() -> None:
    counts = {sum(p.numel() for p in build(2, 8).parameters()) for build in toy.GENERATORS.values()}
    assert len(counts) == 1


@settings(deadline=None)
@given(st.floats(-360, 360), st.integers(0, 2**16))
def test_a_turn_keeps_distances_and_its_middle(degrees: float, seed: int) -> None:
    points = torch.randn(6, 2, generator=torch.Generator().manual_seed(seed))
    found = toy.turned(points, degrees)
    torch.testing.assert_close(torch.cdist(found, found), torch.cdist(points, points))
    middle = torch.tensor([toy.SHIFT])
    torch.testing.assert_close(toy.turned(middle, degrees), middle)
    torch.testing.assert_close(toy.turned(found, -degrees), points, atol=1e-5, rtol=1e-5)


def test_a_quarter_turn_is_anticlockwise() -> None:
    right = torch.tensor([[toy.SHIFT[0] + 1, toy.SHIFT[1]]])
    up = torch.tensor([[toy.SHIFT[0], toy.SHIFT[1] + 1]])
    torch.testing.assert_close(toy.turned(right, 90), up)
    half = toy.turned(right, 180)
    torch.testing.assert_close(half, right - torch.tensor([[2.0, 0.0]]))
    assert math.isclose(float(toy.turned(right, 360)[0, 0]), float(right[0, 0]), abs_tol=1e-5)


@pytest.mark.parametrize("degrees", [0.0, 90.0, 180.0])
def test_clusters_turn_with_their_domain(degrees: float) -> None:
    y = toy.sample(500, [0.2, 0.3, 0.5], 0, shifted=True)
    at = toy.turned(y.x, degrees)
    assert torch.equal(toy.turned_cluster_of(at, 3, degrees), y.y)
