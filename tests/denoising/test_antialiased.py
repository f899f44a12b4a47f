"""The denoiser without a weave: flat stays flat, training begins at the filter, files hold both."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation import cooling
from domain_translation.denoising import AntialiasedDenoiser, UNetDenoiser
from domain_translation.denoising.linear import linear_filter
from domain_translation.evaluation.pictures.weave import weave
from domain_translation.sampling import scores
from domain_translation.training.model_files import load_model, save_model


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def pictures(n: int, seed: int = 0, side: int = 24) -> Tensor:
    return torch.rand(n, 3, side, side, generator=gen(seed)) * 2 - 1


def stirred(network: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """The same network with weights that no training would leave, all of its last layers alive."""
    for k, p in enumerate(network.parameters()):
        p.data = 0.2 * torch.randn(p.shape, generator=gen(seed + k))
    return network


def cooled_flat(network: torch.nn.Module) -> Tensor:
    flat = torch.full((1, 3, 20, 20), 0.2)
    score = scores.dae_score(network, 0.3)
    return cooling.cool(score, flat, step_size=0.005, temperature=0, steps=10).x


@pytest.mark.parametrize("seed", [0, 100])
def test_a_flat_picture_stays_flat_whatever_the_weights(seed: int) -> None:
    network = stirred(AntialiasedDenoiser.fitted(pictures(20), 0.3, width=8), seed)
    cooled = cooled_flat(network)
    assert (cooled - 0.2).abs().max() > 1e-3  # it does move
    assert weave(cooled).item() < 0.01


def test_a_network_that_unfolds_pixels_weaves() -> None:
    assert weave(cooled_flat(stirred(UNetDenoiser(width=8)))).item() > 0.5


def test_training_begins_at_the_best_linear_filter() -> None:
    clean, x = pictures(20), pictures(2, 1, 21)
    network = AntialiasedDenoiser.fitted(clean, 0.3, width=8)
    own = linear_filter(clean, 0.3)(x)
    inside = (slice(None), slice(None), slice(0, 16), slice(0, 16))  # not continued to 24 pixels
    torch.testing.assert_close(network(x)[inside], own[inside], rtol=0, atol=1e-5)
    torch.testing.assert_close(network.linear(x), own, rtol=0, atol=1e-5)
    assert network(x).shape == x.shape


def test_the_rest_is_measured_in_sigma() -> None:
    """The same weights correct ten times less where the noise is ten times less."""
    x = pictures(1)
    strong, faint = (
        stirred(AntialiasedDenoiser.fitted(pictures(20), s, width=8)) for s in (0.3, 0.03)
    )
    faint.kernel.copy_(strong.kernel)  # type: ignore[operator, arg-type]
    faint.bias.copy_(strong.bias)  # type: ignore[operator, arg-type]
    rest = [(n(x) - n.linear(x)) for n in (strong, faint)]  # type: ignore[operator]
    torch.testing.assert_close(rest[0], 10 * rest[1], rtol=1e-4, atol=1e-5)


def test_a_file_brings_filter_and_scale_back(tmp_path: Path) -> None:
    network = stirred(AntialiasedDenoiser.fitted(pictures(20), 0.3, width=8))
    save_model(tmp_path / "a.safetensors", network)
    x = pictures(1)
    assert load_model(tmp_path / "a.safetensors").network(x).equal(network(x))


def test_the_weave_is_the_spread_of_the_means_over_phases() -> None:
    x = torch.zeros(1, 3, 9, 8)
    x[:, 1, 2::4, 1::4] = 2 / 127.5
    x[:, 1, 8] = 1  # an unfinished cell
    assert weave(x).item() == pytest.approx(2, abs=1e-4)
    assert weave(torch.full((1, 1, 4, 4), 0.3)).item() == 0


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 3, 3, 8)])
def test_pictures_without_a_cell_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"at least one cell|give .n, C, H, W."):
        weave(torch.zeros(shape))
