"""The gate: shares of the noise by closed forms, and the line that chapters print."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from domain_translation.denoising.gate import GATE, Left, noise_left


def part(share: float) -> Tensor:
    """Mean squares of a hundred pictures around a share of the noise's root mean square."""
    return share**2 * torch.linspace(0.5, 1.5, 100)


def test_noise_that_is_kept_and_noise_that_is_halved() -> None:
    clean = torch.zeros(64, 1, 16, 16)
    left = noise_left(lambda x: x / 2, lambda x: x, clean, 0.3)
    assert left.network.mean().sqrt().item() == pytest.approx(0.5, rel=0.02)
    assert left.linear.mean().sqrt().item() == pytest.approx(1, rel=0.02)
    assert left.ratio == pytest.approx(0.5)
    assert left.error == pytest.approx(0, abs=1e-4)  # both see the same noise


def test_the_mean_of_the_clean_pictures_counts() -> None:
    clean = torch.full((8, 1, 8, 8), 0.6)
    left = noise_left(torch.zeros_like, lambda x: x, clean, 0.3)
    assert left.network.sqrt().tolist() == pytest.approx([2] * 8)


def test_the_error_of_the_ratio_is_that_of_resampled_pictures() -> None:
    g = torch.Generator().manual_seed(0)
    network, linear = torch.rand(120, generator=g) + 0.5, torch.rand(120, generator=g) + 0.7
    again = [
        Left(network[i], linear[i]).ratio
        for i in (torch.randint(120, (120,), generator=g) for _ in range(2000))
    ]
    assert Left(network, linear).error == pytest.approx(torch.tensor(again).std().item(), rel=0.1)


@pytest.mark.parametrize(("share", "passes"), [(0.89, True), (0.91, False)])
def test_ten_percent_below_the_filter_passes(share: float, passes: bool) -> None:
    assert GATE == 0.9
    assert Left(part(share * 0.4), part(0.4)).passes() is passes


def test_the_line_that_a_chapter_prints() -> None:
    line = "leaves 30 % of the noise, the best linear filter 40 %: 25 % less"
    assert str(Left(part(0.3), part(0.4))) == line
    assert str(Left(part(0.5), part(0.4))).endswith("25 % more")


@pytest.mark.parametrize(("n", "sigma"), [(1, 0.3), (4, 0.0)])
def test_too_little_is_refused(n: int, sigma: float) -> None:
    with pytest.raises(ValueError, match="at least two pictures and a positive sigma"):
        noise_left(lambda x: x, lambda x: x, torch.zeros(n, 1, 4, 4), sigma)
