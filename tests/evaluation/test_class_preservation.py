"""Confusion of translations, and what their noise decides: closed forms."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from domain_translation.evaluation.statistics.class_preservation import (
    agreement,
    class_swayed,
    confusion,
    diversity,
    grid,
    variance_shares,
)


class Brightness(nn.Module):
    """Three classes by the mean of an image: below -1/3, in between, above 1/3."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        level = x.flatten(1).mean(1, keepdim=True)
        return -50 * (level - torch.tensor([[-0.8, 0.0, 0.8]])).square()


def flat(*levels: float) -> torch.Tensor:
    return torch.tensor(levels).reshape(-1, 1, 1, 1).expand(-1, 1, 4, 4)


def test_confusion_counts_by_row() -> None:
    images = flat(-0.8, -0.8, 0.0, 0.8, 0.8)
    table = confusion(Brightness(), images, torch.tensor([0, 0, 0, 2, 1]), 4)
    assert table[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0])
    assert table[1].tolist() == pytest.approx([0, 0, 1, 0])
    assert bool(table[3].isnan().all())
    assert agreement(table) == pytest.approx((2 / 3 + 0 + 1) / 3)


def test_every_class_counts_the_same() -> None:
    images = flat(*[-0.8] * 99, 0.0)
    assert agreement(confusion(Brightness(), images, torch.tensor([0] * 99 + [2]), 3)) == 0.5


@settings(deadline=None)
@given(st.integers(2, 6), st.integers(2, 6), st.floats(0.1, 5), st.integers(0, 99))
def test_additive_effects_leave_nothing_over(n: int, k: int, scale: float, seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    a, b = torch.randn(n, 1, 3, generator=g), scale * torch.randn(1, k, 3, generator=g)
    shares = variance_shares(a + b)
    expected = float(k * (a - a.mean(0)).square().sum())
    expected /= expected + float(n * (b - b.mean(1)).square().sum())
    assert shares.source == pytest.approx(expected, abs=1e-6)
    assert shares.both == pytest.approx(0, abs=1e-6)
    assert sum(shares) == pytest.approx(1)


def test_pure_interaction_is_neither_source_nor_noise() -> None:
    shares = variance_shares(torch.tensor([[[1.0], [-1.0]], [[-1.0], [1.0]]]))
    assert shares == pytest.approx((0, 0, 1))


def tilted(x: torch.Tensor, seed: int) -> torch.Tensor:
    """Each image plus its noise: 0.8 for odd seeds."""
    return x + 0.8 * (seed % 2)


def test_grid_gives_every_source_the_same_noises() -> None:
    found = grid(tilted, flat(-0.8, 0.0), 4)
    assert found.shape == (2, 4, 1, 4, 4)
    torch.testing.assert_close(
        found[:, :, 0, 0, 0], torch.tensor([[-0.8, 0, -0.8, 0], [0, 0.8] * 2])
    )


def test_swayed_classes_and_diversity_have_their_closed_forms() -> None:
    found = grid(tilted, flat(-0.8, 0.0), 4)
    assert class_swayed(Brightness(), found) == pytest.approx(2 / 3)  # 8 of 12 ordered pairs
    # unbiased variance of (0, a, 0, a): a^2 / 3
    assert diversity(found) == pytest.approx((2 * 0.64 / 3) ** 0.5)
    still = grid(lambda x, seed: x, flat(-0.8, 0.0), 3)
    assert class_swayed(Brightness(), still) == 0
    assert diversity(still) == 0


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="one class per example"):
        confusion(Brightness(), flat(0.0), torch.tensor([0, 1]), 3)
    with pytest.raises(ValueError, match="two or more"):
        variance_shares(torch.zeros(1, 3, 2))
    with pytest.raises(ValueError, match="nothing to explain"):
        variance_shares(torch.ones(2, 2, 2))
