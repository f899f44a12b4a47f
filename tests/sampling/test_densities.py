"""The targets against closed forms, finite differences, quadrature and Monte Carlo."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from domain_translation.sampling.densities import Banana, Gaussian, GaussianMixture, Strip
from domain_translation.sampling.scores import autograd_score

COV = [[2.0, 0.6], [0.6, 0.5]]
TARGETS: dict[str, Any] = {
    "gaussian": Gaussian([0.3, -1.0], [0.5, 2.0]),
    "gaussian, full covariance": Gaussian([0.3, -1.0], cov=COV),
    "ring": GaussianMixture.ring(),
    "mixture": GaussianMixture([[0.0, 0.0], [1.0, 2.0], [-2.0, 1.0]], [0.3, 1.0, 2.0], [5, 1, 2]),
    "banana": Banana(0.7, 1.5),
    "source strip, smoothed": Strip.source().smoothed(0.1),
    "target strip, smoothed": Strip.target().smoothed(0.05),
    "smoothed ring": GaussianMixture.ring().smoothed(0.5),
    "tempered": Gaussian([0.3, -1.0], cov=COV).tempered(0.2),
}
every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())


def points(target: Any, n: int = 40) -> torch.Tensor:
    """Draws of the target and points some way off."""
    generator = torch.Generator().manual_seed(3)
    x = target.sample(n, generator).double()
    return torch.cat([x, x + 0.5 * torch.randn(x.shape, generator=generator)])


@every_target
def test_score_is_the_gradient_of_the_log_density(target: Any) -> None:
    x, step = points(target), 1e-5
    for j in range(2):
        shift = torch.zeros(2).double()
        shift[j] = step
        slope = (target.log_prob(x + shift) - target.log_prob(x - shift)) / (2 * step)
        torch.testing.assert_close(target.score(x)[:, j], slope, rtol=1e-5, atol=1e-6)


@every_target
def test_autograd_agrees_with_the_analytic_score(target: Any) -> None:
    x = points(target)
    torch.testing.assert_close(autograd_score(target.log_prob)(x), target.score(x))


@every_target
def test_energy_and_score_agree_with_their_parts(target: Any) -> None:
    x = points(target)
    energy, score = target.energy_and_score(x)
    torch.testing.assert_close(energy, -target.log_prob(x))
    torch.testing.assert_close(energy, target.energy(x))
    torch.testing.assert_close(score, target.score(x))


@every_target
def test_density_integrates_to_one(target: Any) -> None:
    x = target.sample(4000, torch.Generator().manual_seed(0)).double()
    low, high = x.amin(0) - 1.5, x.amax(0) + 1.5
    axes = [torch.linspace(a, b, 400).double() for a, b in zip(low, high, strict=True)]
    grid = torch.cartesian_prod(*axes)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    total = sum(target.log_prob(part).exp().sum() for part in grid.split(20_000)) * cell
    assert float(total) == pytest.approx(1.0, abs=3e-3)


@every_target
def test_samples_follow_the_density(target: Any) -> None:
    """For exact draws the mean score is 0 and -E[s(x) . (x - a)] is the dimension (Stein)."""
    x = target.sample(40_000, torch.Generator().manual_seed(1)).double()
    score = target.score(x)
    error = 5 * score.std(0) / math.sqrt(len(x))
    assert (score.mean(0).abs() < error).all()
    product = (score * (x - x.mean(0))).sum(1)
    assert abs(product.mean() + 2) < 5 * product.std() / math.sqrt(len(x))


@every_target
def test_dtype_follows_the_points(target: Any) -> None:
    for dtype in (torch.float32, torch.float64):
        x = points(target).to(dtype)
        assert {t.dtype for t in (*target.energy_and_score(x), target.log_prob(x))} == {dtype}
    near = points(target, 20)[:20]
    torch.testing.assert_close(
        target.score(near.float()).double(), target.score(near), rtol=1e-3, atol=2e-3
    )
    assert target.sample(3).shape == (3, 2)
    with pytest.raises(ValueError, match=r"shape \(4, 3\); pass a batch of shape \(B, 2\)"):
        target.score(torch.zeros(4, 3))


@pytest.mark.parametrize(
    "name", ["gaussian", "gaussian, full covariance", "ring", "mixture", "banana"]
)
def test_moments_are_those_of_the_samples(name: str) -> None:
    target = TARGETS[name]
    x = target.sample(100_000, torch.Generator().manual_seed(2)).double()
    std = target.var.sqrt()
    torch.testing.assert_close(target.var, target.cov.diagonal())
    torch.testing.assert_close(x.mean(0) / std, target.mean / std, atol=0.02, rtol=0)
    scale = torch.outer(std, std)
    torch.testing.assert_close(x.T.cov() / scale, target.cov / scale, atol=0.03, rtol=0)


def test_against_scipy() -> None:
    x = points(TARGETS["gaussian"])
    full = stats.multivariate_normal([0.3, -1.0], COV)
    np.testing.assert_allclose(TARGETS["gaussian, full covariance"].log_prob(x), full.logpdf(x))
    mixture = TARGETS["mixture"]
    parts = [
        w * stats.multivariate_normal(m, s**2).pdf(x)
        for w, m, s in zip([5 / 8, 1 / 8, 2 / 8], mixture.means, [0.3, 1.0, 2.0], strict=True)
    ]
    np.testing.assert_allclose(mixture.log_prob(x).exp(), sum(parts))


@pytest.mark.parametrize("name", ["ring", "mixture", "smoothed ring"])
def test_the_unrolled_mixture_is_the_plain_one(name: str) -> None:
    target, x = TARGETS[name], points(TARGETS[name])
    for unrolled, plain in zip(target._unrolled(x), target.energy_and_score(x), strict=True):
        torch.testing.assert_close(unrolled, plain)


def test_smoothed_and_tempered_gaussians_in_closed_form() -> None:
    for target in (TARGETS["gaussian"], TARGETS["gaussian, full covariance"]):
        torch.testing.assert_close(
            target.smoothed(0.7).cov, target.cov + 0.49 * torch.eye(2).double()
        )
        torch.testing.assert_close(target.tempered(0.2).cov, 0.2 * target.cov)
        x = points(target)
        torch.testing.assert_close(target.tempered(0.2).score(x), target.score(x) / 0.2)


@pytest.mark.parametrize(
    "target",
    [TARGETS["mixture"], Strip.source(), Strip.target()],
    ids=["mixture", "source", "target"],
)
def test_smoothed_score_is_tweedies_denoiser(target: Any) -> None:
    """E[x | x~] = x~ + sigma^2 score_sigma(x~), the expectation taken by Monte Carlo."""
    sigma = 0.15
    smoothed = target.smoothed(sigma)
    clean = target.sample(400_000, torch.Generator().manual_seed(4)).double()
    noisy = smoothed.sample(12, torch.Generator().manual_seed(5)).double()
    for x in noisy:
        weight = torch.softmax(-((clean - x) ** 2).sum(1) / (2 * sigma**2), 0)
        effective = 1 / (weight**2).sum()
        mean = weight @ clean
        spread = (weight @ (clean - mean) ** 2).sqrt()
        tweedie = x + sigma**2 * smoothed.score(x[None])[0]
        assert ((mean - tweedie).abs() < 5 * spread / effective.sqrt() + 1e-9).all()


@pytest.mark.parametrize("strip", [Strip.source(), Strip.target()])
@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.4])
def test_smoothed_strip_against_adaptive_quadrature(strip: Strip, sigma: float) -> None:
    smoothed = strip.smoothed(sigma)
    for x1, x2 in [(0.5, 0.3), (0.9, 0.2), (-0.05, 0.1), (1.1, 0.9)]:

        def integrand(t: float, x1: float = x1, x2: float = x2) -> float:
            low = strip.quadratic * t**2 + strip.linear * t
            step = stats.norm.cdf(x2 - low, scale=sigma)
            step -= stats.norm.cdf(x2 - low - strip.width, scale=sigma)
            return stats.norm.pdf(x1, t, sigma) * step / strip.width

        value, _ = integrate.quad(integrand, 0, 1, epsabs=1e-13, epsrel=1e-10, limit=400)
        ours = smoothed.log_prob(torch.tensor([[x1, x2]]).double()).exp().item()
        assert ours == pytest.approx(value, rel=1e-5, abs=1e-10)


def test_smoothed_strip_far_away_points_home() -> None:
    smoothed = Strip.target().smoothed(0.05)
    far = torch.tensor([[30.0, -40.0], [-30.0, 40.0], [0.5, 50.0], [0.5, -50.0]])
    score = smoothed.score(far)
    assert score.isfinite().all()
    home = torch.tensor([[0.5, 0.2]]) - far
    assert (torch.cosine_similarity(score, home) > 0.99).all()
    torch.testing.assert_close(score.norm(dim=1), home.norm(dim=1) / 0.05**2, rtol=0.03, atol=0)


@pytest.mark.parametrize("strip", [Strip.source(), Strip.target(), Strip(-2.0, 1.5, 0.3)])
def test_strip_distance_is_the_nearest_of_many_points(strip: Strip) -> None:
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(300, 2, generator=generator) * 4 - 1.5).double()
    t = torch.linspace(0, 1, 4001).double()
    edges = [torch.stack([t, strip.floor(t) + h], 1) for h in (0.0, strip.width)]
    for side in (0.0, 1.0):
        height = strip.floor(torch.tensor(side).double()) + strip.width * t
        edges.append(torch.stack([torch.full_like(t, side), height], 1))
    by_search = torch.cdist(x, torch.cat(edges)).amin(1)
    inside = strip.contains(x)
    assert inside.any()
    assert (strip.distance(x)[inside] == 0).all()
    torch.testing.assert_close(strip.distance(x)[~inside], by_search[~inside], atol=1e-4, rtol=0)
    draws = strip.sample(1000, generator).double()
    assert (strip.distance(draws) < 1e-6).all()


@pytest.mark.parametrize(
    ("strip", "bend", "slope", "width"),
    [(Strip.source(), 0.75, 0.0, 0.2), (Strip.target(), 0.0, 0.4, 0.1)],
)
def test_strip_samples_are_uniform(strip: Strip, bend: float, slope: float, width: float) -> None:
    """lcool.eqU2: position and offset are uniform and independent."""
    x = strip.sample(1000, torch.Generator().manual_seed(0)).numpy()
    offset = (x[:, 1] - bend * x[:, 0] ** 2 - slope * x[:, 0]) / width
    assert stats.kstest(x[:, 0], "uniform").pvalue > 1e-3
    assert stats.kstest(offset, "uniform").pvalue > 1e-3
    assert stats.spearmanr(x[:, 0], offset).pvalue > 1e-3


def test_strip_density() -> None:
    strip = Strip.source()
    x = torch.tensor([[0.5, 0.2], [0.5, 0.5], [1.2, 1.0]])
    assert strip.contains(x).tolist() == [True, False, False]
    assert strip.log_prob(x).tolist() == pytest.approx([math.log(5), -math.inf, -math.inf])
    assert strip.energy(x)[1] == math.inf


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Gaussian(0.0, 0.0), "std was"),
        (lambda: Gaussian(0.0, [1.0, -1.0]), "std was"),
        (lambda: Gaussian([0.0, 1.0, 2.0], [1.0, 1.0]), "std has 2 entries"),
        (lambda: Gaussian([0.0, 1.0], 1.0, cov=COV), "give one of them"),
        (lambda: Gaussian([0.0, 1.0], cov=[[1.0, 2.0], [2.0, 1.0]]), "positive definite"),
        (lambda: Gaussian([0.0, 1.0], cov=[[1.0, 0.5], [0.0, 1.0]]), "positive definite"),
        (lambda: Gaussian().tempered(0.0), "temperature was"),
        (lambda: GaussianMixture([[0.0], [1.0]], [1.0, 0.0]), "std was"),
        (lambda: GaussianMixture([[0.0], [1.0]], 1.0, [1.0, -1.0]), "weights was"),
        (lambda: GaussianMixture([[0.0], [1.0]], 1.0, [1.0, 1.0, 1.0]), "weights has 3 entries"),
        (lambda: GaussianMixture([0.0, 1.0]), "pass"),
        (lambda: Banana(1.0, -1.0), "std was"),
        (lambda: Strip(1.0, 1.0, 0.0), "width was"),
        (lambda: Strip.source().smoothed(0.0), "sigma was"),
    ],
)
def test_bad_parameters(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
