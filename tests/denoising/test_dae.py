"""Denoisers: the objective, its known minimiser, and the score it gives on the toy strip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from domain_translation import cooling
from domain_translation.data import load_digits
from domain_translation.denoising import (
    PAPER,
    ConvDenoiser,
    DenoiserConfig,
    MLPDenoiser,
    denoising_loss,
    train_denoiser,
)
from domain_translation.sampling import scores
from domain_translation.sampling.densities import Strip
from domain_translation.training.checkpoints import CheckpointError

SHORT = DenoiserConfig(steps=30, batch=32)


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def strip(seed: int) -> Tensor:
    return Strip.source().sample(1000, gen(seed))


def test_the_loss_sums_over_an_event_and_averages_over_the_batch() -> None:
    x, noise = torch.randn(4, 2, 3, generator=gen()), torch.randn(4, 2, 3, generator=gen(1))
    assert denoising_loss(lambda y: y, x, noise).item() == pytest.approx(
        noise.square().sum().item() / 4
    )
    assert denoising_loss(lambda y: y - noise, x, noise).item() == pytest.approx(0, abs=1e-10)


def test_the_papers_training_is_two_hundred_epochs_of_its_horses() -> None:
    assert PAPER.steps * PAPER.batch == 200 * 1067  # lcool.train.dae_image
    assert PAPER.learning_rate == 2e-4


def test_training_finds_the_known_minimiser_of_a_gaussian() -> None:
    """For N(m, s^2) data the best denoiser is linear: m + (x - m) s^2 / (s^2 + sigma^2)."""
    s, sigma, m = 0.5, 0.25, 0.3
    data = m + s * torch.randn(200_000, 1, generator=gen())
    config = DenoiserConfig(steps=1500, batch=1024, learning_rate=0.02)
    model = train_denoiser(lambda: nn.Linear(1, 1), data, sigma, config)
    slope = s**2 / (s**2 + sigma**2)
    weight, bias = model.parameters()
    assert weight.item() == pytest.approx(slope, abs=0.01)
    assert bias.item() == pytest.approx(m * (1 - slope), abs=0.01)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_toy_score_points_where_the_exact_one_does(seed: int) -> None:
    sigma = cooling.TOY.sigma
    denoiser = train_denoiser(lambda: MLPDenoiser(2), strip(seed), sigma, seed=seed)
    smoothed = Strip.source().smoothed(sigma)
    x = smoothed.sample(5000, gen(1000 + seed))
    exact, ours = smoothed.score(x), scores.dae_score(denoiser, sigma)(x)
    assert torch.cosine_similarity(ours, exact).mean() > 0.95
    # The length counts as well: a wrong power of sigma keeps the direction.
    assert (ours - exact).square().sum() / exact.square().sum() < 0.02
    points = torch.tensor(cooling.TOY_POINTS)
    assert Strip.source().distance(points).min() > 0.25
    cooled = cooling.cool(
        scores.dae_score(denoiser, sigma), points, **cooling.TOY.chain(), seed=seed
    )
    assert Strip.source().distance(cooled.x).max() < 0.01


def test_training_repeats_to_the_bit_and_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    a, b, other = (
        train_denoiser(lambda: MLPDenoiser(2), strip(0), 0.1, SHORT, s) for s in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), state)
    for name, weight in a.state_dict().items():
        assert torch.equal(weight, b.state_dict()[name])
        assert not torch.equal(weight, other.state_dict()[name])
    assert not any(p.requires_grad for p in a.parameters())


def test_a_checkpoint_belongs_to_its_data_sigma_and_settings(tmp_path: Path) -> None:
    path = tmp_path / "dae.safetensors"

    def train(data: Tensor, sigma: float, config: DenoiserConfig) -> nn.Module:
        return train_denoiser(lambda: MLPDenoiser(2), data, sigma, config, checkpoint=path)

    first, again = train(strip(0), 0.1, SHORT), train(strip(0), 0.1, SHORT)
    x = strip(1)
    assert torch.equal(first(x), again(x))
    for other, named in (
        ((strip(1), 0.1, SHORT), "data_sha256"),
        ((strip(0), 0.2, SHORT), "sigma"),
        ((strip(0), 0.1, DenoiserConfig(steps=31, batch=32)), "config"),
    ):
        with pytest.raises(CheckpointError, match=named):
            train(*other)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: MLPDenoiser(12), (5, 3, 2, 2)),
        (lambda: ConvDenoiser(3, 8), (5, 3, 6, 10)),
        (lambda: ConvDenoiser(1, 8), (5, 1, 8, 8)),
    ],
)
def test_denoisers_keep_shapes_and_treat_samples_apart(
    make: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    model, x = make(), torch.randn(shape, generator=gen())
    y = model(x)
    assert y.shape == x.shape
    torch.testing.assert_close(model(x[2:3]), y[2:3])


def test_an_untrained_step_of_zero_is_the_identity() -> None:
    for model, x in (
        (MLPDenoiser(4), torch.rand(3, 4)),
        (ConvDenoiser(1, 4), torch.rand(3, 1, 5, 5)),
    ):
        for p in model.parameters():
            nn.init.zeros_(p)
        assert torch.equal(model(x), x)


def test_the_convolutional_denoiser_removes_noise_from_digits_it_never_saw() -> None:
    digits, sigma = load_digits(), 0.4
    config = DenoiserConfig(steps=150, batch=64, learning_rate=3e-3)
    model = train_denoiser(lambda: ConvDenoiser(1, 12), digits.train.x, sigma, config)
    x = digits.test.x
    noise = sigma * torch.randn(x.shape, generator=gen())
    assert denoising_loss(model, x, noise) < 0.6 * denoising_loss(lambda y: y, x, noise)


@pytest.mark.parametrize("sigma", [0.0, -0.1, float("nan"), float("inf")])
def test_sigma_has_to_be_positive(sigma: float) -> None:
    with pytest.raises(ValueError, match="positive finite std"):
        train_denoiser(lambda: MLPDenoiser(2), strip(0), sigma, SHORT)


def test_bad_data_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN or infinite"):
        train_denoiser(lambda: MLPDenoiser(2), torch.tensor([[0.0, torch.nan]]), 0.1, SHORT)
    with pytest.raises(ValueError, match="n at least 1"):
        train_denoiser(lambda: MLPDenoiser(2), torch.empty(0, 2), 0.1, SHORT)
