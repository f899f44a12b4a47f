"""Low-rank mixtures and the gallery of pictures: closed forms against brute force."""

import math

import pytest
import torch

from domain_translation.data.corruptions import CORRUPTIONS, blurred, noisy, patched, salted, tinted
from domain_translation.sampling.densities import Gaussian
from domain_translation.sampling.densities.low_rank import LowRankMixture
from domain_translation.sampling.scores import autograd_score
from domain_translation.synthetic.gallery.gallery import GRAIN, gallery
from domain_translation.synthetic.gallery.poses import POSES

EVENT, COUNT, RANK, STD = (2, 3), 3, 2, 0.3


def gen(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tiny(std: float = STD) -> LowRankMixture:
    means = torch.randn(COUNT, *EVENT, generator=gen(1), dtype=torch.float64)
    factors = 0.8 * torch.randn(COUNT, RANK, *EVENT, generator=gen(2), dtype=torch.float64)
    return LowRankMixture(means, factors, std, torch.tensor([0.5, 0.3, 0.2]))


def dense(p: LowRankMixture, std: float) -> list[Gaussian]:
    """The components with their covariances written out."""
    f = p.factors.flatten(2)
    noise = std**2 * torch.eye(6, dtype=torch.float64)
    return [Gaussian(m, cov=a.mT @ a + noise) for m, a in zip(p.means.flatten(1), f, strict=True)]


def dense_log_prob(p: LowRankMixture, x: torch.Tensor, std: float) -> torch.Tensor:
    flat = x.flatten(1)
    each = torch.stack([c.log_prob(flat) for c in dense(p, std)], 1)
    return (each + p.weights.log()).logsumexp(1)


POINTS = 1.5 * torch.randn(40, *EVENT, generator=gen(3), dtype=torch.float64)


def test_log_density_equals_the_written_out_covariances() -> None:
    p = tiny()
    assert torch.allclose(p.log_prob(POINTS), dense_log_prob(p, POINTS, STD), atol=1e-10)


def test_smoothed_density_equals_the_written_out_covariances() -> None:
    q = tiny().smoothed(0.7)
    expected = dense_log_prob(tiny(), POINTS, math.hypot(STD, 0.7))
    assert torch.allclose(q.log_prob(POINTS), expected, atol=1e-10)
    assert tiny().std == STD  # the original is left as it was


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_score_is_the_gradient(sigma: float) -> None:
    p = tiny().smoothed(sigma) if sigma else tiny()
    energy, score = p.energy_and_score(POINTS)
    assert torch.allclose(score, autograd_score(p.log_prob)(POINTS), atol=1e-9)
    assert torch.equal(energy, p.energy(POINTS))
    assert torch.equal(score, p.score(POINTS))


def test_denoiser_is_the_posterior_mean_by_monte_carlo() -> None:
    p, sigma = tiny(), 0.8
    clean = p.sample(400_000, gen(4)).double().flatten(1)
    y = torch.stack([p.means[0], p.means[1] + 0.3]).flatten(1)
    log_weight = -torch.cdist(y, clean).square() / (2 * sigma**2)
    by_draws = log_weight.softmax(1) @ clean
    exact = p.denoised(y.reshape(-1, *EVENT), sigma).flatten(1)
    assert torch.allclose(exact, by_draws, atol=0.02)


def test_expected_picture_equals_regression_on_written_out_covariances() -> None:
    p = tiny()
    means = torch.randn(COUNT, *EVENT, generator=gen(5), dtype=torch.float64)
    factors = torch.randn(COUNT, RANK, *EVENT, generator=gen(6), dtype=torch.float64)
    flat, answer = POINTS.flatten(1), torch.zeros(len(POINTS), 6, dtype=torch.float64)
    each = torch.stack([c.log_prob(flat) for c in dense(p, STD)], 1) + p.weights.log()
    for k, (share, c) in enumerate(zip(each.softmax(1).T, dense(p, STD), strict=True)):
        latents = (flat - c.mean) @ torch.linalg.solve(c.cov, p.factors[k].flatten(1).mT)
        picture = means[k].flatten() + latents @ factors[k].flatten(1)
        answer += share[:, None] * picture
    assert torch.allclose(p.expected(POINTS, means, factors).flatten(1), answer, atol=1e-9)
    assert torch.allclose(p.posterior(POINTS)[0], each.softmax(1), atol=1e-10)


def test_draws_have_the_moments_of_the_mixture() -> None:
    p = tiny()
    x = p.sample(200_000, gen(7)).double().flatten(1)
    mean = p.weights @ p.means.flatten(1)
    cov = sum(
        w * (c.cov + torch.outer(c.mean - mean, c.mean - mean))
        for w, c in zip(p.weights, dense(p, STD), strict=True)
    )
    assert torch.allclose(x.mean(0), mean, atol=0.02)
    assert torch.allclose(x.T.cov(), torch.as_tensor(cov), atol=0.05)


def test_draw_hands_over_what_it_was_made_of() -> None:
    p = tiny()
    drawn = p.draw(50, gen(8), weights=torch.tensor([0.0, 0.0, 1.0]), spread=3.0)
    assert drawn.component.tolist() == [2] * 50
    rebuilt = p.picture(drawn.component, drawn.latents) + drawn.noise
    assert torch.allclose(drawn.x.double(), rebuilt, atol=1e-5)
    assert 2.3 < drawn.latents.std() < 3.7


def test_wrong_arguments_are_named() -> None:
    p = tiny()
    with pytest.raises(ValueError, match=r"this density wants \(B, 2, 3\)"):
        p.log_prob(torch.zeros(4, 6))
    with pytest.raises(ValueError, match="give \\(K, \\*event\\)"):
        LowRankMixture(p.means, p.factors[:2], STD)
    with pytest.raises(ValueError, match="rank 7 exceeds"):
        LowRankMixture(p.means, torch.zeros(COUNT, 7, *EVENT), STD)
    with pytest.raises(ValueError, match="std"):
        LowRankMixture(p.means, p.factors, 0.0)
    with pytest.raises(ValueError, match="weights"):
        LowRankMixture(p.means, p.factors, STD, torch.ones(2))


def test_gallery_pictures_are_typical_of_their_density() -> None:
    g = gallery(32)
    scenes = g.scenes(150, gen(9))
    assert scenes.source.shape == scenes.target.shape == (150, 3, 32, 32)
    assert scenes.source.dtype == torch.float32
    # -log p of a Gaussian of L dimensions wavers by sqrt(L / 2); poses add a few nats.
    level = g.source.log_prob(scenes.source.double())
    entropy = 0.5 * 3072 * math.log(2 * math.pi * math.e * GRAIN**2)
    entropy += (0.5 * (g.source.sizes / GRAIN).square().log1p().sum(1) @ g.source.weights).item()
    entropy -= (g.source.weights * g.source.weights.log()).sum().item()
    assert abs(level.mean().item() + entropy) < 4 * math.sqrt(3072 / 2 / 150) + 2
    assert abs(level.std().item() - math.sqrt(3072 / 2)) < 8
    # float32 is good to a nat
    assert (g.source.log_prob(scenes.source).double() - level).abs().max() < 1
    share = g.source.posterior(scenes.source)[0]
    assert (share.argmax(1) == scenes.pose).all()


def test_the_closed_form_translator_is_the_best() -> None:
    g = gallery(32)
    scenes = g.scenes(200, gen(10))
    best = (g.translate(scenes.source) - scenes.target).square().mean()
    assert best.sqrt() < 0.002
    # stripes painted with the wrong strength, or colours read off with another shrinkage, lose
    paint = g.translate(scenes.source) - scenes.source
    for factor in (0.99, 1.01):
        other = scenes.source + factor * paint
        assert (other - scenes.target).square().mean() > best
    assert (scenes.source - scenes.target).square().mean().sqrt() > 0.1


def test_rare_poses_are_rare_and_spread_widens() -> None:
    g = gallery(32)
    assert len(POSES) == 24
    assert g.rare.sum() == 10
    assert 0.02 < g.source.weights[g.rare].sum() < 0.1
    rare = g.scenes(60, gen(11), rare_only=True)
    assert bool(g.rare[rare.pose].all())
    wide = g.scenes(60, gen(11), spread=2.5)
    assert torch.allclose(wide.latents, 2.5 * g.scenes(60, gen(11)).latents)


def test_gallery_is_too_small_below_sixteen_pixels() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        gallery(8)


def test_a_cast_lies_outside_the_colours_of_the_domain() -> None:
    p = gallery(32).source
    cast = tinted(torch.zeros(1, 3, 32, 32), 0.15, gen(12)).double().flatten()
    axes = torch.linalg.svd(p.factors[0].flatten(1), full_matrices=False).Vh
    left = cast - axes.T @ (axes @ cast)
    assert left.norm() > 0.8 * cast.norm()


def test_corruptions_have_the_size_they_are_asked_for() -> None:
    x = gallery(32).scenes(40, gen(13)).source
    assert abs((noisy(x, 0.15, gen()) - x).std() - 0.15) < 0.002
    hit = (salted(x, 0.05, gen()) - x).abs().amax(1) > 1e-3
    assert (hit.flatten(1).sum(1) - 51).abs().max() <= 2  # of 1024; a pixel may have been white
    covered = (patched(x, 0.04, gen()) == 0).all(1).flatten(1).sum(1)
    assert covered.min() >= 36
    assert covered.max() <= 38
    shift = tinted(x, 0.15, gen()) - x
    assert torch.allclose(shift.mean((2, 3)).abs(), torch.tensor([0.075, 0.15, 0.075]), atol=1e-5)
    assert 5 < (shift[:, 1, 0, 0] > 0).sum() < 35  # both signs occur
    assert torch.allclose(blurred(x, 2.0, gen()).mean(), x.mean(), atol=0.01)
    assert blurred(x, 2.0, gen()).var() < x.var()
    with pytest.raises(ValueError, match="patch"):
        patched(x, 2.0, gen())
    for damage, sizes in CORRUPTIONS.values():
        changes = [(damage(x, size, gen()) - x).square().mean() for size in sizes]
        assert changes[0] < changes[1] < changes[2]
