"""Out-of-distribution scores: the area under the curve, the sets, the detectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score
from torch import Generator, Tensor

from domain_translation.energies import baseline_detectors, detection
from domain_translation.energies.detection import auroc

numbers = st.lists(st.integers(-4, 4), min_size=2, max_size=25)


def images(n: int, channels: int = 1, size: int = 8, seed: int = 0) -> Tensor:
    g = Generator().manual_seed(seed)
    return torch.rand(n, channels, size, size, generator=g) * 2 - 1


@settings(deadline=None, max_examples=80)
@given(numbers, numbers)
def test_area_is_that_of_scikit_learn_ties_included(a: list[int], b: list[int]) -> None:
    x, y = torch.tensor(a).double(), torch.tensor(b).double()
    found = auroc(x, y)
    assert found.value == pytest.approx(roc_auc_score([1] * len(a) + [0] * len(b), a + b))
    assert 0 <= found.low <= found.value <= found.high <= 1
    turned = auroc(-x, -y)
    assert turned.value == pytest.approx(1 - found.value)
    assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low))


@settings(deadline=None, max_examples=30)
@given(numbers, numbers)
def test_only_the_order_counts(a: list[int], b: list[int]) -> None:
    x, y = torch.tensor(a).double(), torch.tensor(b).double()
    assert auroc(x, y) == auroc(x.exp() + 3, y.exp() + 3)


def test_variance_is_that_of_delong() -> None:
    """Against the definition by pairs, on the scale of the log-odds."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, 40).round(1), rng.normal(0, 1, 30).round(1)
    won = (a[:, None] > b) + 0.5 * (a[:, None] == b)
    error = np.sqrt(won.mean(1).var(ddof=1) / 40 + won.mean(0).var(ddof=1) / 30)
    found = auroc(torch.tensor(a), torch.tensor(b), level=0.9)
    value = won.mean()
    width = (np.log(found.high / (1 - found.high)) - np.log(found.low / (1 - found.low))) / 2
    assert found.value == pytest.approx(value)
    assert width == pytest.approx(1.6448536 * error / (value * (1 - value)), rel=1e-6)


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    exact = stats.norm.cdf(1 / np.sqrt(2))
    hits = 0
    for _ in range(400):
        a, b = torch.tensor(rng.normal(1, 1, 50)), torch.tensor(rng.normal(0, 1, 60))
        found = auroc(a, b)
        hits += found.low <= exact <= found.high
    assert stats.binomtest(hits, 400, 0.95).pvalue > 0.001


def test_separated_sets_keep_a_doubt() -> None:
    found = auroc(torch.arange(10.0) + 20, torch.arange(50.0) - 50)
    assert (found.value, found.high) == (1, 1)
    # With chance `low` of a right pair, ten independent pairs are all right in 2.5 % of the cases.
    assert found.low**10 == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("a", "b", "level"), [([1.0], [1.0, 2.0], 0.95), ([1.0, np.nan], [1.0, 2.0], 0.95)]
)
def test_too_few_scores(a: list[float], b: list[float], level: float) -> None:
    with pytest.raises(ValueError, match="give at least two numbers each"):
        auroc(torch.tensor(a), torch.tensor(b), level)
    with pytest.raises(ValueError, match="level is 95"):
        auroc(torch.tensor(b), torch.tensor(b), 95)


# The sets


@pytest.mark.parametrize("make", [detection.uniform_noise, detection.constants])
def test_noise_and_constants(make: object) -> None:
    x = make(500, images(3, channels=3), 0)
    assert x.shape == (500, 3, 8, 8)
    assert torch.equal(x, make(500, images(3, channels=3), 0))
    assert not torch.equal(x, make(500, images(3, channels=3), 1))
    levels = x[:, :, 0, 0].flatten()
    assert stats.kstest(levels.numpy(), "uniform", (-1, 2)).pvalue > 1e-3
    flat = (x - x[:, :, :1, :1]).abs().amax((1, 2, 3)) == 0
    assert bool(flat.all()) == (make is detection.constants)


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 9), st.integers(0, 99), st.floats(0.1, 0.9))
def test_interpolations_mix_two_different_images(m: int, seed: int, weight: float) -> None:
    x = torch.eye(m).reshape(m, 1, m, 1)  # image i is lit at place i
    mixed = detection.interpolations(40, x, seed, weight)
    lit = mixed.flatten(1).sort(dim=1, descending=True).values
    assert torch.allclose(lit[:, 0], torch.tensor(max(weight, 1 - weight)))
    assert torch.allclose(lit[:, 1], torch.tensor(min(weight, 1 - weight)))
    assert torch.allclose(lit.sum(1), torch.tensor(1.0))
    with pytest.raises(ValueError, match="1 images have no pairs"):
        detection.interpolations(3, x[:1], seed)


def test_every_pair_is_equally_frequent() -> None:
    x = torch.eye(4).reshape(4, 1, 4, 1)
    mixed = detection.interpolations(6000, x, 0).flatten(1) > 0
    counts = torch.unique(mixed, dim=0, return_counts=True)[1]
    assert len(counts) == 6
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


# Detectors without an energy


def test_total_variation_of_stripes() -> None:
    stripes = torch.ones(1, 1, 8, 8)
    stripes[..., ::2] = -1
    assert baseline_detectors.total_variation(stripes).item() == pytest.approx(
        1
    )  # 2 across, 0 down
    assert baseline_detectors.total_variation(torch.full((1, 3, 8, 8), 0.4)).item() == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_png_size_knows_what_is_simple(channels: int) -> None:
    like = images(2, channels, 16)
    flat = baseline_detectors.png_bytes(detection.constants(20, like, 0))
    noise = baseline_detectors.png_bytes(detection.uniform_noise(20, like, 0))
    assert flat.max() < noise.min()
    assert noise.min() > channels * 256  # noise has no shorter description than itself


def test_the_gaussian_is_that_of_scipy() -> None:
    train, x = images(200, seed=1) * 0.7, images(30, seed=2)
    flat = train.flatten(1).double().numpy()
    law = stats.multivariate_normal(flat.mean(0), np.cov(flat.T) + 0.01 * np.eye(64))
    exact = torch.from_numpy(law.logpdf(x.flatten(1).double().numpy()))
    found = baseline_detectors.gaussian(train)(x).double()
    assert torch.allclose(found - found.mean(), exact - exact.mean(), atol=1e-4)


def test_distances() -> None:
    train = images(50)
    assert baseline_detectors.neighbour(train)(train[:5] + 0.1).tolist() == pytest.approx(
        [-0.8] * 5, abs=1e-4
    )
    middle = train.mean(0, keepdim=True)
    assert baseline_detectors.near_mean(train)(middle + 0.1).item() == pytest.approx(-0.8)


def test_typical_is_two_sided() -> None:
    level = detection.typical(lambda x: x.mean((1, 2, 3)), torch.zeros(4, 1, 2, 2))
    x = torch.tensor([-0.5, 0.0, 0.25]).reshape(3, 1, 1, 1).expand(3, 1, 2, 2)
    assert level(x).tolist() == [-0.5, 0.0, -0.25]


def test_an_untrained_energy_is_fitted_to_nothing_but_a_mean() -> None:
    train, x = images(40, seed=1), images(6)
    state = torch.get_rng_state()
    score, other = baseline_detectors.untrained(train), baseline_detectors.untrained(train, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(score(x), baseline_detectors.untrained(train)(x))
    assert not torch.equal(score(x), other(x))
    assert (score(x) <= 0).all()


@pytest.mark.parametrize("name", baseline_detectors.energy_free(images(40)))
def test_every_detector_knows_noise_from_smooth_images(name: str) -> None:
    g = Generator().manual_seed(3)
    bumps = torch.exp(-(torch.linspace(-2, 2, 8) ** 2))
    smooth = (bumps[:, None] * bumps * (0.5 + torch.rand(300, 1, 1, 1, generator=g))) - 0.7
    score = baseline_detectors.energy_free(smooth[:200])[name]
    found = auroc(score(smooth[200:]), score(detection.uniform_noise(100, smooth, 0)))
    assert found.value > 0.95


# Detectors made of an energy, and what they are shown


def quadratic(x: Tensor) -> Tensor:
    return x.flatten(1).square().sum(1) / 2


def test_detectors_of_an_energy() -> None:
    train, x = images(40, seed=1), images(5, seed=2)
    found = detection.energy_detectors(quadratic, train)
    assert torch.allclose(found["energy"](x), -quadratic(x))
    assert torch.allclose(found["gradient"](x), -x.flatten(1).norm(dim=1))
    centre = quadratic(train).mean()
    assert torch.allclose(found["typical energy"](x), -(quadratic(x) - centre).abs())


def test_the_table_is_made_of_areas() -> None:
    x, train = images(60), images(40, seed=1)
    others = {"noise": 1.2 * images(50, seed=2), "grey": detection.constants(30, x, 0)}
    detectors = detection.energy_detectors(quadratic, train)
    found = detection.table(detectors, x, others)
    for name, score in detectors.items():
        assert found[name] == {k: auroc(score(x), score(z)) for k, z in others.items()}


def test_greys_and_blurs() -> None:
    x = images(3, channels=2)
    levels = torch.tensor([-1.0, 0.25])
    assert (detection.greys(levels, x) == levels.reshape(2, 1, 1, 1)).all()
    assert torch.equal(detection.blurred(x, 0), x)
    flat = detection.greys(levels, x)
    assert torch.allclose(detection.blurred(flat, 2.0), flat, atol=1e-6)
    variation = [
        float(baseline_detectors.total_variation(detection.blurred(x, w)).mean()) for w in (0, 1, 3)
    ]
    assert variation[0] > 2 * variation[1] > 4 * variation[2]
    alone = detection.blurred(x[1:2, 1:], 1.0)
    assert torch.allclose(detection.blurred(x, 1.0)[1:2, 1:], alone)  # no mixing over the batch
