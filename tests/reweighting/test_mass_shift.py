"""Domains out of balance: class shares, and what shrinking and turning do to an image."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.data.digits import Split
from domain_translation.reweighting.domains.mass_shift import SHRINK, resample, shrunk_and_turned
from domain_translation.reweighting.masses import skewed

DATA = Split(torch.arange(100.0).reshape(100, 1, 1, 1), torch.arange(100) % 10)


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 1), st.integers(1, 500), st.integers(0, 5))
def test_shares_are_met_to_rounding(first: float, n: int, seed: int) -> None:
    shares = skewed(first)
    found = resample(DATA, shares, n, seed)
    counts = torch.bincount(found.y, minlength=10)
    assert len(found.x) == n
    assert bool(((counts - n * shares).abs() <= 1 + 1e-9).all())
    assert torch.equal(found.x.flatten().long() % 10, found.y)  # images kept their classes


def test_draws_repeat_with_the_seed_and_are_shuffled() -> None:
    a, b = (resample(DATA, skewed(0.5), 200, 3) for _ in range(2))
    assert torch.equal(a.x, b.x)
    assert not torch.equal(a.y, a.y.sort().values)


def test_impossible_draws_are_refused() -> None:
    with pytest.raises(ValueError, match=r"class 10 has mass .* and no examples"):
        resample(DATA, skewed(0.5, 11), 50, 0)
    with pytest.raises(ValueError, match="at least 1"):
        resample(DATA, skewed(0.5), 0, 0)
    with pytest.raises(ValueError, match="divide them by their sum"):
        resample(DATA, [0.5] * 10, 10, 0)


def disc(n: int, size: int = 32, radius: float = 0.5) -> torch.Tensor:
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    inside = axis[:, None] ** 2 + axis[None] ** 2 < radius**2
    return (inside.float() * 2 - 1).expand(n, 1, size, size)


def test_a_disc_shrinks_by_the_declared_factor_and_stays_inside() -> None:
    x = disc(20)
    moved = shrunk_and_turned(x, 0)
    ink, before = (moved + 1).sum((1, 2, 3)), float((x[0] + 1).sum())
    torch.testing.assert_close(ink / before, torch.full((20,), SHRINK**2), atol=0.02, rtol=0.0)
    assert float(moved[:, :, [0, -1]].max()) == -1  # the rim stays black


def test_images_are_moved_differently_and_the_same_way_again() -> None:
    x = disc(5)
    moved = shrunk_and_turned(x, 1)
    assert torch.equal(moved, shrunk_and_turned(x, 1))
    assert len({tuple(m.flatten().tolist()) for m in moved}) == 5


def test_turns_stay_within_fifteen_degrees() -> None:
    axis = (torch.arange(64) + 0.5) / 64 * 2 - 1
    bar = ((axis[:, None].abs() < 0.6) & (axis[None].abs() < 0.06)).float() * 2 - 1
    moved = shrunk_and_turned(bar.expand(200, 1, 64, 64), 2)[:, 0] + 1
    mass = moved.sum((1, 2))
    row, col = moved.sum(2) @ axis / mass, moved.sum(1) @ axis / mass
    dy, dx = axis[None] - row[:, None], axis[None] - col[:, None]
    cross = torch.einsum("nij,ni,nj->n", moved, dy, dx) / mass
    tall = torch.einsum("nij,ni->n", moved, dy.square()) / mass
    angle = torch.rad2deg(torch.atan(cross / tall)).abs()
    assert 12 < float(angle.max()) < 15.5
