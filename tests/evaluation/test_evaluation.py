"""Significance, size of a change, judges: against closed forms and reference libraries."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from torch import Generator

from domain_translation.data import Digits, load_digits, salt_and_pepper
from domain_translation.evaluation import Judge, accuracy, change, compare, likeness, train_judges
from domain_translation.evaluation.pictures.change import ssim

finite = st.floats(-10, 10, width=16)


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


# Significance


def signed_rank_p(d: np.ndarray) -> float:
    """Two-sided p-value of Wilcoxon's test by enumerating all 2^n signs."""
    ranks = stats.rankdata(np.abs(d))
    seen = abs(np.sign(d) @ ranks)
    sums = [abs(np.dot(s, ranks)) for s in itertools.product((-1, 1), repeat=len(d))]
    return float(np.mean([v >= seen - 1e-9 for v in sums]))


@pytest.mark.parametrize("seed", range(4))
def test_the_p_value_is_the_exact_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.normal(size=9)
    after = before + rng.normal(0.4, 1, size=9)
    assert compare(before, after).p_value == pytest.approx(signed_rank_p(after - before))


def test_a_hand_made_comparison() -> None:
    # differences 1, 2, 3, -4 and a tie: ranks 1, 2, 3, 4 of 10 in all
    result = compare([0, 0, 0, 0, 5], [1, 2, 3, -4, 5])
    assert (result.n, result.moved) == (5, 4)
    assert result.effect == pytest.approx((1 + 2 + 3 - 4) / 10)
    assert result.gain == pytest.approx(0.4)
    assert (result.before, result.after) == (1.0, 1.4)
    assert compare([0.0] * 5, [1, 2, 3, 4, 5]).p_value == pytest.approx(2 / 2**5)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(finite, finite), min_size=2, max_size=20))
def test_swapping_before_and_after_flips_the_signs(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs).T
    there, back = compare(a, b), compare(b, a)
    assert there.effect == pytest.approx(-back.effect)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.gain == pytest.approx(-back.gain)
    assert -1 <= there.effect <= 1
    assert 0 < there.p_value <= 1
    assert there.low <= there.gain + 1e-9
    assert there.high >= there.gain - 1e-9


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        before = rng.normal(size=60)
        result = compare(before, before + rng.normal(0.3, 1.0, size=60), level=0.9)
        hits += result.low <= 0.3 <= result.high
    assert 0.83 <= hits / 200 <= 0.96  # three standard errors about 0.9


def test_without_a_difference_nothing_is_claimed() -> None:
    same = compare([1.0, 2.0], [1.0, 2.0])
    assert (same.p_value, same.effect, same.gain, same.moved) == (1.0, 0.0, 0.0, 0)
    mostly_ties = compare([0.0] * 20, [0.0] * 19 + [1.0])
    assert 0 <= mostly_ties.low <= mostly_ties.gain <= mostly_ties.high <= 1
    shifted = compare([1.0, 2.0, 5.0], [1.5, 2.5, 5.5])
    assert shifted.low == shifted.high == shifted.gain == 0.5


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ([1, 2], [1, 2, 3], "same length"),
        ([1], [2], "at least 2"),
        ([[1, 2]], [[1, 2]], "two vectors"),
        ([1, np.nan], [1, 2], "NaN or infinite"),
    ],
)
def test_bad_pairs_are_refused(before: list[float], after: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(before, after)


# Size of a change


def test_a_constant_change_in_closed_form() -> None:
    a, b = torch.full((2, 3, 8, 8), 0.5), torch.full((2, 3, 8, 8), 0.6)
    size = change(a, b)
    assert size.l2.tolist() == pytest.approx([0.1 * 192**0.5] * 2, rel=1e-5)
    assert size.linf.tolist() == pytest.approx([0.1] * 2, rel=1e-5)
    assert size.psnr.tolist() == pytest.approx([20.0] * 2, rel=1e-5)
    assert size.ssim.tolist() == pytest.approx([(0.6 + 1e-4) / (0.61 + 1e-4)] * 2, rel=1e-5)


def test_no_change_is_no_change() -> None:
    x = torch.rand(2, 1, 8, 8, generator=gen())
    size = change(x, x)
    assert size.l2.tolist() == size.linf.tolist() == [0, 0]
    assert size.psnr.tolist() == [float("inf")] * 2
    assert size.ssim.tolist() == pytest.approx([1, 1])


def test_one_changed_pixel() -> None:
    x = torch.zeros(1, 1, 8, 8)
    y = x.clone()
    y[0, 0, 2, 3] = 0.5
    size = change(x, y)
    assert size.l2.item() == size.linf.item() == 0.5
    assert size.psnr.item() == pytest.approx(10 * np.log10(64 / 0.25))


def test_similarity_is_the_mean_over_windows_and_channels() -> None:
    """Wang et al. (2004), written out: K1 = 0.01, K2 = 0.03, unbiased variances."""
    a = torch.rand(3, 2, 9, 8, generator=gen()).double()
    b = (a + 0.2 * torch.randn(a.shape, generator=gen(1))).clamp(0, 1)
    x, y = (t.unfold(2, 7, 1).unfold(3, 7, 1).flatten(4) for t in (a, b))
    mean_x, mean_y = x.mean(-1), y.mean(-1)
    both = ((x - mean_x[..., None]) * (y - mean_y[..., None])).sum(-1) / 48
    similar = (2 * mean_x * mean_y + 1e-4) * (2 * both + 9e-4)
    energy = (mean_x**2 + mean_y**2 + 1e-4) * (x.var(-1) + y.var(-1) + 9e-4)
    torch.testing.assert_close(ssim(a, b), (similar / energy).flatten(1).mean(1))


def test_changes_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="two equal"):
        change(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 9))
    with pytest.raises(ValueError, match="7x7"):
        change(torch.zeros(1, 1, 6, 8), torch.zeros(1, 1, 6, 8))


# Judges


@pytest.fixture(scope="module")
def digits() -> Digits:
    return load_digits(seed=3)


@pytest.fixture(scope="module")
def judges(digits: Digits) -> dict[str, Judge]:
    return train_judges(digits.train.x, digits.train.y)


def test_the_judges_know_digits_they_never_saw(digits: Digits, judges: dict[str, Judge]) -> None:
    x, y = digits.test
    assert len(judges) == 2
    for judge in judges.values():
        given = judge(x)
        assert given.shape == (len(y), 10)
        torch.testing.assert_close(given.sum(1), torch.ones(len(y), dtype=torch.float64))
        right = (given.argmax(1) == y).double().mean()
        assert right > 0.95
        assert abs(given.amax(1).mean() - right) < 0.03  # as sure as it is right
    assert 0.95 < accuracy(judges, x, y).mean() <= 1


def test_likeness_is_the_mean_probability_of_the_true_class(digits: Digits) -> None:
    y = torch.tensor([2, 0])
    judges: dict[str, Judge] = {
        "a": lambda x: torch.tensor([[0.1, 0.2, 0.7], [0.5, 0.4, 0.1]]),
        "b": lambda x: torch.tensor([[0.6, 0.1, 0.3], [0.7, 0.2, 0.1]]),
    }
    torch.testing.assert_close(likeness(judges, digits.test.x[:2], y), torch.tensor([0.5, 0.6]))
    assert accuracy(judges, digits.test.x[:2], y).tolist() == [0.5, 1.0]


def test_corruption_lowers_the_likeness_step_by_step(
    digits: Digits, judges: dict[str, Judge]
) -> None:
    x, y = digits.test
    means = [
        likeness(judges, salt_and_pepper(x, share, gen()), y).mean().item()
        for share in (0.0, 0.1, 0.25, 0.5)
    ]
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.6
