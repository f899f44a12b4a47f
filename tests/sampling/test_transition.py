"""Grid laws of one-dimensional chains against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from domain_translation.sampling import exact_laws

GRID = np.linspace(-8, 8, 641)
H = GRID[1] - GRID[0]


def score(x):
    """Score of N(0, 1)."""
    return -x


def normal(mean: float, variance: float) -> np.ndarray:
    return np.exp(-((GRID - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)


@pytest.mark.parametrize(("alpha", "temperature"), [(0.1, 1.0), (0.5, 1.0), (1.0, 0.5), (1.5, 0.2)])
def test_stationary_law_has_the_biased_variance(alpha: float, temperature: float) -> None:
    law = exact_laws.stationary_law(exact_laws.ula_matrix(score, GRID, alpha, temperature), H)
    exact = temperature / (1 - alpha / 2)  # not `temperature`: the bias must be there
    assert (law * GRID**2).sum() * H == pytest.approx(exact, rel=1e-6)
    assert np.abs(law - normal(0, exact)).max() < 1e-6


def test_a_chain_that_does_not_mix_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no unique stationary law"):
        exact_laws.stationary_law(np.eye(4), 1.0)


def test_fokker_planck_follows_the_ornstein_uhlenbeck_solution() -> None:
    generator = exact_laws.fokker_planck_matrix(score, GRID, 1.0)
    times = np.linspace(0, 1, 5)
    path = exact_laws.evolve(generator, normal(2.0, 0.25), times)
    for t, law in zip(times, path, strict=True):
        mean, variance = 2 * np.exp(-t), 1 + (0.25 - 1) * np.exp(-2 * t)
        assert np.abs(law - normal(mean, variance)).max() < 2e-3
        assert law.sum() * H == pytest.approx(1, abs=1e-9)
        assert law.min() > -1e-12


@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_boltzmann_law_is_stationary(temperature: float) -> None:
    generator = exact_laws.fokker_planck_matrix(score, GRID, temperature)
    # Detailed balance holds edge by edge, so the only error is that of the midpoint rule.
    drift = generator.T @ normal(0, temperature)
    assert np.abs(drift).max() < 2e-2 * np.abs(generator.diagonal()).max() * H**2
