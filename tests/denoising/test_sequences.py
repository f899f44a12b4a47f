"""The denoiser of sentences: its shape, its training, and the linear filter it has to beat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from elsewhere import To, assert_same_bits, here, pretend, there
from torch import Generator, Tensor, nn

from domain_translation.denoising.sequences import (
    SequenceDenoiser,
    SequenceScore,
    residual_share,
    sequence_score,
    token_batches,
    train_sequence_denoiser,
    wiener_filter,
)
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.model_files import load_model, save_model


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def words(count: int, seed: int, dim: int = 4, lengths: tuple[int, ...] = (2, 3)) -> Any:
    """Sentences of a language of two words, opposite signs; the tokens of a sentence agree."""
    g, word = gen(seed), torch.tensor([1.0, -1.0]).repeat(dim // 2)
    return {
        n: word * (2.0 * torch.randint(2, (count, 1, 1), generator=g) - 1).expand(-1, n, dim)
        for n in lengths
    }


def gaussian(count: int, seed: int, lengths: tuple[int, ...] = (3, 5)) -> Any:
    """Independent tokens N(1, diag(4, 0.25))."""
    std, g = torch.tensor([2.0, 0.5]), gen(seed)
    return {n: 1 + std * torch.randn(count, n, 2, generator=g) for n in lengths}


def test_it_starts_as_the_identity() -> None:
    x = torch.randn(3, 5, 8, generator=gen())
    assert torch.equal(SequenceDenoiser(8, 0.5, scale=3.0)(x), x)


def test_six_layers_of_width_1024_have_the_parameters_of_the_papers_encoder() -> None:
    with torch.device("meta"):
        layer = SequenceDenoiser(1024, 1.0, heads=8).layers[0]
    assert 6 * sum(p.numel() for p in layer.parameters()) == 75_577_344  # lcool.arch.langdae


def disturbed() -> SequenceDenoiser:
    """A denoiser whose output is not zero any more."""
    model = SequenceDenoiser(8, 0.5, layers=2).eval()
    for p in model.parameters():
        nn.init.normal_(p, std=0.3, generator=gen(p.numel()))
    return model


def test_sentences_are_treated_apart_and_positions_matter() -> None:
    model, x = disturbed(), torch.randn(4, 5, 8, generator=gen())
    torch.testing.assert_close(model(x)[2:3], model(x[2:3]))
    turned = model(x.flip(1)).flip(1)
    assert (turned - model(x)).abs().max() > 0.01


def test_it_works_in_units_of_its_scale() -> None:
    model, x = disturbed(), torch.randn(4, 5, 8, generator=gen())
    larger = SequenceDenoiser(8, 0.5, layers=2, scale=10.0).eval()
    larger.load_state_dict(model.state_dict())
    torch.testing.assert_close(larger(10 * x), 10 * model(x))


def test_the_score_divides_by_the_variance_and_knows_its_space() -> None:
    model, x = SequenceDenoiser(2, 0.1, "input", heads=1), torch.ones(3, 4, 2)
    assert sequence_score(model).space == "input"
    assert sequence_score(model).sigma == 0.1
    halved = SequenceScore(lambda y: y / 2, 0.1, "input")  # (1/2 - 1) / 0.01
    torch.testing.assert_close(halved(x), torch.full_like(x, -50.0))


def test_it_learns_what_no_linear_filter_can() -> None:
    """Two words +-w: the best denoiser w tanh(w . sum of tokens / sigma^2) reads all tokens."""
    sigma, points = 1.5, words(500, seed=0)
    model = train_sequence_denoiser(
        points, sigma, steps=200, heads=2, tokens=256, learning_rate=1e-2
    )
    held_out = words(500, seed=9)
    learned = residual_share(model, held_out, sigma)
    linear = residual_share(wiener_filter(points, sigma), held_out, sigma)
    assert learned < 0.7 * linear


def test_the_linear_filter_is_wieners() -> None:
    """On N(m, C): r(x) = m + C (C + sigma^2)^-1 (x - m), which leaves the trace of known errors."""
    sigma, points = 1.0, gaussian(8000, seed=0)
    denoise = wiener_filter(points, sigma)
    x = torch.tensor([[[3.0, 3.0], [1.0, 0.0]]])
    shrunk = 1 + (x - 1) * torch.tensor([4 / 5, 0.25 / 1.25])
    torch.testing.assert_close(denoise(x), shrunk, atol=0.03, rtol=0)
    left = (4 / 5 + 0.25 / 1.25) / (4 + 0.25)
    held_out = gaussian(8000, seed=1)
    assert residual_share(denoise, held_out, sigma) == pytest.approx(left, rel=0.03)
    assert residual_share(lambda y: y, held_out, sigma) == pytest.approx(2 / 4.25, rel=0.03)


def test_the_linear_filter_of_small_points_is_not_blunted() -> None:
    points = {n: 0.01 * x for n, x in gaussian(4000, seed=0).items()}
    left = residual_share(wiener_filter(points, 0.01), points, 0.01, seed=5)
    assert left == pytest.approx(1 / 4.25, rel=0.05)


def test_every_sentence_is_drawn_equally_often() -> None:
    points = {2: torch.zeros(30, 2, 1), 6: torch.ones(10, 6, 1)}  # 60 tokens each
    draw, g, seen = token_batches(points, 12), gen(), {2: 0, 6: 0}
    for _ in range(2000):
        (x,) = draw(g)
        assert x.shape[0] * x.shape[1] == 12
        seen[x.shape[1]] += len(x)
    assert seen[2] / seen[6] == pytest.approx(3, rel=0.15)  # as there are three times as many


def test_training_repeats_resumes_and_leaves_a_frozen_network(tmp_path: Path) -> None:
    def train(seed: int = 0, sigma: float = 0.5, checkpoint: Path | None = None) -> Any:
        return train_sequence_denoiser(
            words(20, 0), sigma, steps=8, heads=2, tokens=12, seed=seed, checkpoint=checkpoint
        )

    path = tmp_path / "dae.safetensors"
    a, b, other = train(checkpoint=path), train(checkpoint=path), train(1)
    for name, value in a.state_dict().items():
        assert torch.equal(value, b.state_dict()[name])
    assert not torch.equal(a.positions, other.positions)
    assert not a.training
    assert not any(p.requires_grad for p in a.parameters())
    with pytest.raises(CheckpointError, match="model"):
        train(sigma=0.6, checkpoint=path)


def test_a_file_holds_it_with_its_noise_and_space(tmp_path: Path) -> None:
    path = tmp_path / "dae.safetensors"
    model = train_sequence_denoiser(words(20, 0), 0.5, steps=3, space="input", heads=2, tokens=12)
    save_model(path, model)
    read = load_model(path).network
    x = torch.randn(2, 3, 4, generator=gen())
    torch.testing.assert_close(read(x), model(x))
    assert (read.sigma, read.space, read.scale) == (model.sigma, "input", model.scale)


@pytest.mark.parametrize(
    "shape", [(2, 3, 4), (2, 17, 8), (3, 8)], ids=["width", "length", "no batch"]
)
def test_other_points_are_refused_in_one_sentence(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="trained on this translator's points") as caught:
        SequenceDenoiser(8, 0.5, longest=16)(torch.zeros(shape))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sigma": 0.0}, "positive and finite"),
        ({"sigma": float("nan")}, "positive and finite"),
        ({"space": "output"}, "choose one of feature, input"),
        ({"heads": 3}, "divisor of 4"),
        ({"points": {}}, "at least one sentence"),
        ({"points": {3: torch.zeros(0, 3, 4)}}, "at least one sentence"),
        ({"points": {3: torch.zeros(2, 4, 4)}}, "length n"),
        ({"points": {3: torch.zeros(2, 3, 4), 4: torch.zeros(2, 4, 8)}}, "one d"),
        ({"points": {1: torch.tensor([[[0.0, torch.nan, 0.0, 0.0]]])}}, "NaN or infinite"),
    ],
)
def test_bad_requests_get_one_sentence(changed: dict[str, Any], message: str) -> None:
    request = {"points": words(5, 0), "sigma": 0.5, "heads": 2, **changed}
    points, sigma = request.pop("points"), request.pop("sigma")
    with pytest.raises(ValueError, match=message) as caught:
        train_sequence_denoiser(points, sigma, steps=1, **request)
    assert "\n" not in str(caught.value)


def test_denoised_shapes_are_those_of_the_points() -> None:
    for denoise in (disturbed(), wiener_filter({3: torch.randn(50, 3, 8, generator=gen())}, 1.0)):
        x: Tensor = torch.randn(2, 7, 8, generator=gen(1))
        assert denoise(x).shape == x.shape


def test_training_and_filters_run_on_another_device() -> None:
    def train(steps: int, to: To) -> Any:
        points = {n: to(x) for n, x in words(20, 0).items()}
        model = train_sequence_denoiser(points, 0.5, steps=steps, heads=2, tokens=12)
        return sequence_score(model)(points[3])

    with pretend.accelerator(float64=False) as few:
        found = train(50, there).held
    with pretend.accelerator(float64=False) as many:
        train(90, there)
    # The CPU has a fused attention of its own: not the last bits.
    torch.testing.assert_close(found, train(50, here), rtol=1e-3, atol=1e-4)
    more = many - few
    assert (more.waits.total(), more.uploads.total()) <= (4, 4), more

    def filtered(to: To) -> Any:
        points = {n: to(x) for n, x in words(20, 0).items()}
        denoise = wiener_filter(points, 0.5)
        return denoise(points[3]), residual_share(denoise, points, 0.5)

    with pretend.accelerator(float64=False):
        found = filtered(there)
    assert_same_bits(found, filtered(here))
