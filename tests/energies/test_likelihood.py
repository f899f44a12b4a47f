"""Dequantisation, units and baselines whose likelihood is exact."""

import math

import pytest
import torch

from domain_translation.energies import baseline_densities


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def pictures():
    """Levels of 2x2 pictures: a constant pixel, a coin, a die, and a copy of the coin."""
    g = generator()
    coin = torch.randint(2, (3000,), generator=g) * 3
    die = torch.randint(4, (3000,), generator=g)
    return torch.stack([torch.zeros_like(coin), coin, die, coin], 1).reshape(-1, 1, 2, 2)


def test_dequantised_levels_fill_their_cells():
    levels = torch.arange(4).repeat(5000).reshape(-1, 1)
    x = baseline_densities.dequantised(levels, 4, generator())
    assert x.dtype == torch.float32
    assert torch.equal(((x + 1) * 2).floor().clamp(max=3).long(), levels)
    assert abs(x.mean()) < 0.01
    assert abs(x.var() - 1 / 3) < 0.01  # the uniform density's on [-1, 1]


@pytest.mark.parametrize("levels", [[[0.5]], [[4]], [[-1]]])
def test_other_levels_are_refused(levels):
    with pytest.raises(ValueError, match="whole numbers from 0 to 3"):
        baseline_densities.dequantised(torch.tensor(levels), 4, generator())


def test_the_uniform_density_is_the_zero():
    dim = 5
    log_prob = torch.full((3,), -dim * math.log(2))
    assert baseline_densities.above_uniform(log_prob, dim).abs().max() < 1e-6
    energies = torch.full((3,), 7.0)
    gain = baseline_densities.log_likelihood(energies, -7.0 + dim * math.log(2), dim)
    assert gain.abs().max() < 1e-6


def test_histograms_find_the_entropy(pictures):
    """Independent pixels gain d log L minus the sum of the pixels' entropies."""
    x = baseline_densities.dequantised(pictures, 4, generator(1))
    found = baseline_densities.histograms(pictures, 4, x)
    entropies = 0 + math.log(2) + math.log(4) + math.log(2)
    assert found.validation == pytest.approx(4 * math.log(4) - entropies, abs=0.02)
    assert float(found.gain(x).mean()) == found.validation


def test_histograms_are_normalised():
    levels = torch.tensor([[0, 2], [1, 2], [1, 0]])
    table = baseline_densities.PixelHistograms(levels, 3, prior=1.0)
    centres = (torch.arange(3) + 0.5) * 2 / 3 - 1
    points = torch.cartesian_prod(centres, centres)
    assert float(table.gain(points).exp().mean()) == pytest.approx(1, abs=1e-6)
    with pytest.raises(ValueError, match="prior"):
        baseline_densities.PixelHistograms(levels, 3, 0.0)


def test_gaussian_finds_its_own_entropy():
    g = generator()
    cov = torch.tensor([[0.2, 0.1], [0.1, 0.1]]).double()
    x = torch.randn(20_000, 2, generator=g).double() @ torch.linalg.cholesky(cov).mT
    found = baseline_densities.gaussian(x[:10_000], x[10_000:])
    entropy = 0.5 * float(torch.logdet(2 * math.pi * math.e * cov))
    assert found.validation == pytest.approx(2 * math.log(2) - entropy, abs=0.03)
    assert "3e-05" in found.setting  # nothing to gain from shrinking


def test_mixture_and_kernels_see_two_modes_that_a_gaussian_does_not():
    g = generator()
    x = 0.1 * torch.randn(600, 2, generator=g) + 0.6 * (
        2 * torch.randint(2, (600, 1), generator=g) - 1
    )
    train, validation = x[:300], x[300:]
    plain = baseline_densities.gaussian(train, validation)
    two = baseline_densities.mixture(train, validation, (1, 2), (1e-4,))
    kernel = baseline_densities.kernels(train, validation, (0.03, 0.06, 3.0))
    truth = math.log(2) * 2 - (math.log(2) + math.log(2 * math.pi * math.e * 0.01))
    assert two.setting.startswith("2 components")
    assert two.validation == pytest.approx(truth, abs=0.15)
    assert plain.validation < truth - 0.3
    assert plain.validation < kernel.validation < two.validation + 0.05
    assert kernel.setting != "width 3"


def test_a_baseline_is_a_density():
    """Its mean exponential over the box is at most 1, and close to it where it fits inside."""
    g = generator()
    x = 0.2 * torch.randn(500, 2, generator=g)
    found = baseline_densities.gaussian(x, x)
    box = 2 * torch.rand(200_000, 2, generator=g) - 1
    assert float(found.gain(box).exp().mean()) == pytest.approx(1, abs=0.03)
