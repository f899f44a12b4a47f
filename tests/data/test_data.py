"""Digits, their corruptions, and the domain made from them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from domain_translation.data import load_digits, salt_and_pepper, scatter, slant


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def test_digits_are_all_there_once() -> None:
    from sklearn.datasets import load_digits as original

    parts = load_digits(seed=1)
    assert [len(p.y) for p in parts] == [1077, 360, 360]
    x = torch.cat([p.x for p in parts])
    assert x.shape == (1797, 1, 8, 8)
    assert x.dtype == torch.float32
    assert x.min() == 0
    assert x.max() == 1
    pictures, labels = original(return_X_y=True)
    ours = sorted(
        (*row.tolist(), y)
        for p in parts
        for row, y in zip(p.x.flatten(1) * 16, p.y.tolist(), strict=True)
    )
    theirs = sorted((*row, y) for row, y in zip(pictures.tolist(), labels.tolist(), strict=True))
    assert ours == theirs


def test_digits_are_split_by_seed_with_equal_class_shares() -> None:
    a, b, other = load_digits(seed=1), load_digits(seed=1), load_digits(seed=2)
    assert torch.equal(a.test.x, b.test.x)
    assert not torch.equal(a.test.x, other.test.x)
    for part in a:
        share = part.y.bincount(minlength=10) / len(part.y)
        assert (share - 0.1).abs().max() < 0.01


@pytest.mark.parametrize("held_out", [0, 9, 894])
def test_digits_refuse_a_split_without_every_class(held_out: int) -> None:
    with pytest.raises(ValueError, match="held_out is"):
        load_digits(held_out=held_out)


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_salt_and_pepper_hits_exactly_the_share(share: float, h: int, w: int, seed: int) -> None:
    x = torch.full((4, 3, h, w), 0.5)
    noisy = salt_and_pepper(x, share, gen(seed))
    salt, pepper = (noisy == 1).flatten(1).sum(1), (noisy == 0).flatten(1).sum(1)
    assert (salt + pepper == 3 * round(share * h * w)).all()
    assert ((salt - pepper).abs() <= 3).all()
    assert ((noisy == noisy[:, :1]) | (noisy == 0.5)).all()  # channels of a pixel alike
    assert set(noisy.unique().tolist()) <= {0.0, 0.5, 1.0}


def test_salt_and_pepper_falls_everywhere_alike_and_by_seed() -> None:
    x = torch.full((4000, 1, 4, 4), 0.5)
    noisy = salt_and_pepper(x, 0.25, gen(1))
    for value in (0.0, 1.0):
        often = (noisy == value).double().mean(0)
        assert (often - 0.125).abs().max() < 0.025  # 4.7 standard errors
    odd = salt_and_pepper(x, 3 / 16, gen(2))
    assert abs((odd == 1).double().mean() - 1.5 / 16) < 0.003
    assert torch.equal(noisy, salt_and_pepper(x, 0.25, gen(1)))
    assert torch.equal(x, torch.full_like(x, 0.5))


def test_corruptions_refuse_what_makes_no_sense() -> None:
    x = torch.zeros(2, 1, 4, 4)
    for share in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="in \\[0, 1\\]"):
            salt_and_pepper(x, share, gen())
    with pytest.raises(ValueError, match="give \\(B, C, H, W\\)"):
        salt_and_pepper(x[0], 0.1, gen())
    with pytest.raises(ValueError, match="0 or larger"):
        scatter(x, -1.0, gen())


def test_scatter_moves_samples_by_a_uniform_scale() -> None:
    x = torch.ones(2000, 50)
    size = (scatter(x, 0.3, gen()) - 1).square().mean(1).sqrt()
    assert size.mean() == pytest.approx(0.15, abs=0.01)
    assert size.quantile(0.25) == pytest.approx(0.075, abs=0.015)
    assert torch.equal(scatter(x, 0.0, gen()), x)


def test_slant_leans_right_and_keeps_the_middle() -> None:
    x = torch.zeros(2, 1, 9, 9)
    x[:, :, :, 4] = 1.0
    y = slant(x, 0.5)
    columns = torch.arange(9.0)
    centre = (y * columns).sum(3) / y.sum(3)
    expected = 4 + 0.5 * (4 - torch.arange(9.0))
    torch.testing.assert_close(centre[0, 0], expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(y.sum(3), torch.ones(2, 1, 9))
    torch.testing.assert_close(slant(x, 0.0), x)
