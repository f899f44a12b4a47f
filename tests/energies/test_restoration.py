"""Filling holes: the chain of the missing pixels is that of the conditional density."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.energies.restoration import (
    HOLES,
    complete,
    conditional,
    filled,
    hole,
    hole_error,
    mean_fill,
    neighbour_fill,
    spread,
)
from domain_translation.energies.sampling import ShortRun
from domain_translation.sampling.scores import energy_score


def images(n: int, channels: int = 2, size: int = 4, seed: int = 0) -> Tensor:
    g = Generator().manual_seed(seed)
    return torch.rand(n, channels, size, size, generator=g) * 2 - 1


class Gaussian:
    """E(x) = x' A x / 2 of whole images (B, C, S, S), A symmetric and positive definite."""

    def __init__(self, dim: int, seed: int = 0) -> None:
        b = torch.randn(dim, dim, generator=Generator().manual_seed(seed), dtype=torch.float64)
        self.a = b @ b.T / dim + torch.eye(dim).double()

    def __call__(self, x: Tensor) -> Tensor:
        flat = x.flatten(1).double()
        return (0.5 * (flat @ self.a * flat).sum(1)).float()


@pytest.mark.parametrize("size", [4, 8, 16])
@pytest.mark.parametrize("kind", HOLES)
def test_every_hole_is_a_quarter(kind: str, size: int) -> None:
    mask = hole(kind, size)
    assert mask.dtype == torch.bool
    assert mask.sum() == size**2 // 4
    rows, columns = mask.any(1).sum(), mask.any(0).sum()
    expected = {"centre": (size // 2, size // 2), "top": (size // 4, size)}
    expected["left"] = expected["top"][::-1]
    assert (int(rows), int(columns)) == expected.get(kind, (int(rows), int(columns)))


def test_places_of_the_holes() -> None:
    assert hole("top", 8)[0].all()
    assert hole("left", 8)[:, 0].all()
    assert not hole("centre", 8)[[0, 7]].any()
    assert torch.equal(hole("scattered", 8, seed=1), hole("scattered", 8, seed=1))
    assert not torch.equal(hole("scattered", 8, seed=1), hole("scattered", 8, seed=2))


def test_the_conditional_energy_is_a_restriction() -> None:
    x, mask = images(3), hole("left", 4)
    energy = Gaussian(32)
    z = x[..., mask]
    of_hole = conditional(energy, torch.where(mask, 99.0, x), mask)
    assert torch.allclose(of_hole(z), energy(x))
    assert torch.allclose(energy_score(of_hole)(z), energy_score(energy)(x)[..., mask], atol=1e-6)


def test_filled_copies() -> None:
    x, mask = images(2), hole("top", 4)
    before = x.clone()
    y = filled(x, mask, torch.zeros(2, 2, 4))
    assert torch.equal(x, before)
    assert (y[..., mask] == 0).all()
    assert torch.equal(y[..., ~mask], x[..., ~mask])


def test_cold_completions_are_the_conditional_mean() -> None:
    """For a Gaussian the most probable filling is -A_HH^-1 A_Hk x_k; a cold chain ends there."""
    x, mask = images(4), hole("scattered", 4, seed=3)
    energy = Gaussian(32)
    flat = mask.expand(2, 4, 4).flatten()
    inner, across = energy.a[flat][:, flat], energy.a[flat][:, ~flat]
    mean = -torch.linalg.solve(inner, across @ x.flatten(1)[:, ~flat].double().T).T
    found = complete(energy, x, mask, ShortRun(400, 0.2, 1e-12), copies=2)
    assert found.shape == (2, 4, 2, 4, 4)
    assert torch.allclose(
        found[..., mask].reshape(2, 4, -1).double(), mean.expand(2, 4, -1), atol=1e-4
    )
    assert torch.equal(found[..., ~mask], x[..., ~mask].expand(2, -1, -1, -1))


def test_warm_completions_spread_like_the_conditional_law() -> None:
    """One pixel of variance 1 / A_HH at temperature eta / (2 alpha), up to the bias of the step."""
    energy = Gaussian(16, seed=2)
    mask = torch.zeros(4, 4, dtype=torch.bool)
    mask[1, 2] = True
    x = images(1, channels=1)
    alpha, variance, steps = 0.05, 0.05, 400
    found = complete(energy, x, mask, ShortRun(steps, alpha, variance), copies=4000)
    curvature = energy.a[6, 6].item()
    temperature = variance / (2 * alpha)
    exact = temperature / curvature / (1 - alpha * curvature / 2)
    # The last steps of the hyperbola are nearly noiseless; the variance falls a little.
    measured = found[..., mask].var().item()
    shrunk = _variance(curvature, alpha, ShortRun(steps, alpha, variance).temperatures())
    assert shrunk < exact
    assert measured == pytest.approx(shrunk, rel=0.1)
    assert spread(found, mask).item() == pytest.approx((2 * shrunk) ** 0.5, rel=0.05)


def _variance(curvature: float, alpha: float, temperatures: Tensor) -> float:
    """Variance of a linear chain from U(-1, 1), step by step."""
    v = 1 / 3
    for t in temperatures.tolist():
        v = (1 - alpha * curvature) ** 2 * v + 2 * alpha * t
    return v


def test_what_the_hole_holds_is_not_used() -> None:
    x, mask, run = images(2), hole("centre", 4), ShortRun(5, 0.1, 0.01)
    a = complete(Gaussian(32), x, mask, run, copies=3, seed=4)
    b = complete(Gaussian(32), torch.where(mask, 7.0, x), mask, run, copies=3, seed=4)
    assert torch.equal(a, b)
    assert not torch.equal(a, complete(Gaussian(32), x, mask, run, copies=3, seed=5))


def test_spread_is_the_mean_over_pairs() -> None:
    c, mask = images(15).reshape(5, 3, 2, 4, 4), hole("left", 4)
    squares = torch.zeros(3)
    for i in range(5):
        for j in range(5):
            squares += (c[i] - c[j])[..., mask].square().flatten(1).mean(1) / 20
    assert torch.allclose(spread(c, mask), squares.sqrt())
    assert (spread(c[:1].expand(4, -1, -1, -1, -1), mask) == 0).all()
    with pytest.raises(ValueError, match="1 completions have no spread"):
        spread(c[:1], mask)


def test_error_in_the_hole() -> None:
    x, mask = images(3), hole("top", 4)
    y = x + torch.where(mask, 0.5, 100.0)
    assert torch.allclose(hole_error(y, x, mask), torch.full((3,), 0.5))
    assert hole_error(torch.stack([y, y]), x, mask).shape == (2, 3)


def test_fillings_without_an_energy() -> None:
    train, mask = images(20, seed=5), hole("centre", 4)
    x = torch.where(mask, 9.0, train[[7, 3]] + 1e-3)
    mean = mean_fill(x, mask, train)
    assert torch.allclose(mean[0][:, mask], train.mean(0)[:, mask])
    near = neighbour_fill(x, mask, train, k=2)
    assert near.shape == (2, 2, 2, 4, 4)
    assert torch.equal(near[0][..., mask], train[[7, 3]][..., mask])
    for y in (mean, near[0], near[1]):
        assert torch.equal(y[..., ~mask], x[..., ~mask])
    assert not torch.equal(near[0], near[1])


def test_what_cannot_be_asked() -> None:
    x, run, energy = images(2), ShortRun(2), Gaussian(32)
    with pytest.raises(ValueError, match="hole is 'middle'; allowed are centre, top, left"):
        hole("middle", 8)
    with pytest.raises(ValueError, match="size is 6; give a multiple of 4"):
        hole("top", 6)
    with pytest.raises(ValueError, match=r"give a bool mask of the images' \(4, 4\)"):
        complete(energy, x, hole("top", 8), run)
    for mask in (torch.zeros(4, 4), torch.ones(4, 4)):
        with pytest.raises(ValueError, match="marks all pixels or none"):
            complete(energy, x, mask.bool(), run)
    with pytest.raises(ValueError, match="copies is 0"):
        complete(energy, x, hole("top", 4), run, copies=0)
    with pytest.raises(ValueError, match="k is 3; give 1 to 2"):
        neighbour_fill(x, hole("top", 4), x, k=3)
