"""Toy energies: what each kind of negatives is, what they learn, and that a stopped run resumes."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from domain_translation import training
from domain_translation.energies import quadrature, toy
from domain_translation.energies.toy import MLPEnergy, Negatives, ToyConfig, Walk
from domain_translation.runtime import seeded
from domain_translation.sampling import densities
from domain_translation.training.checkpoints import CheckpointError

STILL = Walk(1, 1e-8, 0.0)  # a chain that stays where it starts


class Quadratic(nn.Module):
    """E(x) = sum over copies of lambda_r |x_r|^2 / 2: one sufficient statistic per copy."""

    def __init__(self, copies: int = 4) -> None:
        super().__init__()
        self.curvature = nn.Parameter(torch.ones(copies))

    def forward(self, x: Tensor) -> Tensor:
        energy: Tensor = (self.curvature * x.square().sum(-1) / 2).sum(1)
        return energy


def gaussian_data(n: int = 2000, copies: int = 4) -> Tensor:
    """Points whose second moment is exactly 1 per coordinate, in every copy."""
    x = torch.randn(n, copies, 2, generator=Generator().manual_seed(0))
    return x / x.square().mean((0, 2), keepdim=True).sqrt()


def plain(bias: float, copies: int = 2, reach: float = 1.5) -> MLPEnergy:
    """An `MLPEnergy` whose network is the constant `bias`: |x|^2 / (2 reach^2) is left."""
    energy = MLPEnergy(copies=copies, reach=reach)
    with torch.no_grad():
        energy.weights[-1].zero_()
        energy.biases[-1].fill_(bias)
    return energy


def test_copies_do_not_see_each_other() -> None:
    with seeded(0):
        energy = MLPEnergy(copies=3)
    x = torch.randn(5, 3, 2, generator=Generator().manual_seed(1))
    moved = x.clone()
    moved[:, 1] += 1.0
    changed = energy.each(moved) != energy.each(x)
    assert changed[:, 1].all()
    assert not changed[:, [0, 2]].any()
    torch.testing.assert_close(energy(x), energy.each(x).sum(1))
    by_hand = (energy.features(x) @ energy.weights[-1] + energy.biases[-1])[..., 0].T
    torch.testing.assert_close(energy.each(x), by_hand + x.square().sum(-1) / 72)


def test_where_the_chains_start() -> None:
    energy, g = plain(0.0), Generator().manual_seed(0)
    batch, kept = torch.randn(6, 2, 2), torch.randn(9, 2, 2)
    near = partial(torch.testing.assert_close, atol=1e-5, rtol=0.0)
    y, chains = toy.contrastive(STILL).draw(energy, batch, kept, g)
    near(y, batch)
    assert chains is kept
    y, chains = toy.persistent(STILL, kept).draw(energy, batch, kept, g)
    near(y, kept)
    assert chains is y
    many = torch.zeros(4000, 2, 2)
    y, _ = toy.short_run(STILL, 3.0).draw(energy, many, kept, g)
    assert y.abs().max() <= 3.001
    assert y.var().item() == pytest.approx(3.0, abs=0.15)


def test_a_walk_is_langevin_at_its_temperature() -> None:
    # On E = |x|^2/2: mean (1 - alpha)^N x, variance 2 alpha T sum of (1 - alpha)^(2j).
    x = torch.full((20_000, 1, 1), 2.0)
    y = toy.run(lambda s: s.square().sum((1, 2)) / 2, x, Walk(3, 0.3, 0.5), Generator())
    assert y.mean().item() == pytest.approx(2 * 0.7**3, abs=0.02)
    assert y.var().item() == pytest.approx(0.3 * (1 + 0.7**2 + 0.7**4), abs=0.02)


def test_exact_negatives_follow_the_energy() -> None:
    with seeded(3):
        energy = MLPEnergy(copies=2, reach=1.0)
    grid = quadrature.cells(6.0, 60)
    draw = toy.exact(grid.centres, grid.spacing).draw
    y, _ = draw(energy, torch.empty(40_000, 2, 2), torch.empty(0), Generator().manual_seed(0))
    mass = quadrature.log_density(energy, grid).exp() * grid.spacing**2
    for power in (1, 2):
        expected = mass.T @ grid.centres.double() ** power
        torch.testing.assert_close((y.double() ** power).mean(0), expected, atol=0.03, rtol=0.0)


@pytest.mark.parametrize("temperature", [1.0, 0.01])
def test_short_runs_match_their_own_moment_not_the_density_s(temperature: float) -> None:
    steps, alpha, half_width = 10, 0.05, 6.0
    model, gaps = toy.train_energy(
        Quadratic,
        gaussian_data(),
        toy.short_run(Walk(steps, alpha, temperature), half_width),
        ToyConfig(updates=150, batch=256, learning_rate=0.05),
    )
    assert isinstance(model, Quadratic)
    r = (1 - alpha * model.curvature.double()) ** 2
    variance = r**steps * half_width**2 / 3
    variance += 2 * alpha * temperature * (1 - r**steps) / (1 - r)
    torch.testing.assert_close(variance, torch.ones(4).double(), atol=0.08, rtol=0.0)
    assert (model.curvature / temperature > 2).all()  # maximum likelihood would be 1
    assert gaps.shape == (150,)


def test_exact_negatives_find_the_density() -> None:
    grid = quadrature.cells(7.0, 40)
    model, _ = toy.train_energy(
        partial(MLPEnergy, copies=2, width=8),
        gaussian_data(copies=2),
        toy.exact(grid.centres, grid.spacing),
        ToyConfig(updates=250, learning_rate=0.02),
    )
    assert isinstance(model, MLPEnergy)
    fine = quadrature.cells(9.0, 90)
    truth = densities.Gaussian(torch.zeros(2)).log_prob(fine.centres)
    assert quadrature.divergence(truth, model, fine).max() < 0.08
    start = MLPEnergy(copies=2, width=8)
    assert quadrature.divergence(truth, start, fine).min() > 0.5


def test_it_is_the_gap_that_is_descended() -> None:
    data = gaussian_data(50)
    config = ToyConfig(updates=1, batch=8, learning_rate=0.01)
    model, gaps = toy.train_energy(Quadratic, data, toy.contrastive(Walk(2, 0.1)), config, seed=4)
    assert isinstance(model, Quadratic)
    g = Generator().manual_seed(4)
    (x,) = training.unpaired(8, data)(g)
    start = Quadratic().requires_grad_(False)
    y = toy.run(start, x, Walk(2, 0.1), g)
    gradient = (x.square().sum(-1) / 2).mean(0) - (y.square().sum(-1) / 2).mean(0)
    assert gaps[0].item() == pytest.approx(gradient.sum().item(), rel=1e-4)
    # Adam's first step is the learning rate against the sign of the gradient.
    torch.testing.assert_close(model.curvature, 1 - 0.01 * gradient.sign())
    assert not any(p.requires_grad for p in model.parameters())


class Stop(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("killed_at", [1, 7])
def test_a_stopped_run_resumes_with_its_chains(
    tmp_path: Path, killed_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toy, "fit", partial(training.fit, every_minutes=0.0))
    data, config = gaussian_data(60, 2), ToyConfig(updates=10, batch=8)
    chains = torch.zeros(5, 2, 2)
    make = partial(MLPEnergy, copies=2, width=4)
    negatives = toy.persistent(Walk(2, 0.1), chains)
    whole, gaps = toy.train_energy(make, data, negatives, config, seed=2)
    calls = 0

    def until(energy: nn.Module, x: Tensor, kept: Tensor, g: Generator) -> tuple[Tensor, Tensor]:
        nonlocal calls
        if calls == killed_at:
            raise Stop
        calls += 1
        return negatives.draw(energy, x, kept, g)

    path = tmp_path / "toy.safetensors"
    stopped = Negatives(negatives.name, until, chains)
    with pytest.raises(Stop):
        toy.train_energy(make, data, stopped, config, seed=2, checkpoint=path)
    again, more = toy.train_energy(make, data, negatives, config, seed=2, checkpoint=path)
    assert torch.equal(gaps, more)
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(chains, torch.zeros(5, 2, 2))  # the caller's chains are not touched
    other = toy.persistent(Walk(3, 0.1), chains)
    with pytest.raises(CheckpointError, match="negatives differ"):
        toy.train_energy(make, data, other, config, seed=2, checkpoint=path)


def test_data_must_be_finite() -> None:
    with pytest.raises(ValueError, match="NaN or infinite"):
        toy.train_energy(Quadratic, torch.full((3, 4, 2), math.nan), toy.contrastive(STILL))


@pytest.mark.parametrize("half_width", [0.0, -1.0, math.inf, math.nan])
def test_short_runs_need_a_box(half_width: float) -> None:
    with pytest.raises(ValueError, match="half_width was"):
        toy.short_run(STILL, half_width)


def test_exact_negatives_need_an_energy_with_copies() -> None:
    grid = quadrature.cells(2.0, 4)
    with pytest.raises(ValueError, match="Quadratic; exact negatives"):
        toy.train_energy(Quadratic, gaussian_data(20), toy.exact(grid.centres, grid.spacing))


def test_normaliser_of_a_gaussian() -> None:
    energy, grid = plain(0.7), quadrature.cells(12.0, 120)
    for temperature in (0.5, 1.0, 2.0):
        expected = math.log(2 * math.pi * 1.5**2 * temperature) - 0.7 / temperature
        got = quadrature.log_normaliser(energy, grid, temperature)
        torch.testing.assert_close(got, torch.full((2,), expected).double(), atol=1e-5, rtol=0.0)
    total = quadrature.log_density(energy, grid).exp().sum(0) * grid.spacing**2
    torch.testing.assert_close(total, torch.ones(2).double())


def test_divergence_and_best_temperature_of_a_gaussian() -> None:
    energy, grid = plain(0.0), quadrature.cells(12.0, 120)
    truth = densities.Gaussian(torch.zeros(2), torch.tensor([0.9, 0.9])).log_prob(grid.centres)
    ratio = 0.9**2 / 1.5**2
    got = quadrature.divergence(truth, energy, grid)
    expected = torch.full((2,), ratio - 1 - math.log(ratio)).double()
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0.0)
    temperature, least = quadrature.best_temperature(truth, energy, grid)
    torch.testing.assert_close(temperature, torch.full((2,), ratio).double(), rtol=2e-3, atol=0.0)
    assert least.abs().max() < 1e-5


@pytest.mark.parametrize(("half_width", "side"), [(0.0, 5), (-1.0, 5), (math.nan, 5), (1.0, 0)])
def test_cells_need_a_size(half_width: float, side: int) -> None:
    with pytest.raises(ValueError, match="at least one cell"):
        quadrature.cells(half_width, side)


def test_cells_tile_the_square() -> None:
    grid = quadrature.cells(2.0, 4)
    assert grid.centres.shape == (16, 2)
    assert grid.spacing == 1.0
    assert grid.centres[:2].tolist() == [[-1.5, -1.5], [-1.5, -0.5]]
    assert grid.centres.sum(0).tolist() == [0.0, 0.0]
