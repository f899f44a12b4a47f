"""Batch weights: designs of B.1, clipping, the corrected scale of Algorithm 1."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from domain_translation.reweighting.masses import effective_share, skewed, two_sided
from domain_translation.reweighting.weighting import (
    Composite,
    Equal,
    OneArgument,
    Pairs,
    TwoArguments,
    batch_softmax,
    check_settings,
    halfway,
    relaxed,
)


class Value(nn.Module):
    """A weight net that reads its logit off the first number of an example."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0]


def pairs(m: int = 6) -> Pairs:
    g = torch.Generator().manual_seed(0)
    return Pairs(*(torch.randn(m, 3, generator=g) for _ in range(4)))


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=40), st.floats(0, 5))
def test_softmax_sums_to_one_within_the_clipped_ratio(logits: list[float], bound: float) -> None:
    w = batch_softmax(torch.tensor(logits, dtype=torch.float64), bound)
    assert float(w.sum()) == pytest.approx(1)
    assert float(w.max() / w.min()) <= math.exp(2 * bound) * (1 + 1e-9)


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=40))
def test_halfway_keeps_half_of_every_example(logits: list[float]) -> None:
    w = halfway(batch_softmax(torch.tensor(logits, dtype=torch.float64), 100.0))
    assert float(w.sum()) == pytest.approx(1)
    assert float(w.min()) >= 0.5 / len(logits) - 1e-12


def test_composite_is_the_formula_of_the_paper() -> None:
    at = pairs()
    w = Composite(Value(), Value())(at, 10.0)
    s = torch.softmax
    expected_x = (s(at.x[:, 0], 0) + s(-at.gx[:, 0], 0)) / 2
    expected_y = (s(-at.fy[:, 0], 0) + s(at.y[:, 0], 0)) / 2
    torch.testing.assert_close(w.x, expected_x)
    torch.testing.assert_close(w.y, expected_y)


def test_the_other_designs_are_their_formulas() -> None:
    at = pairs()
    one = OneArgument(Value())(at, 10.0)
    torch.testing.assert_close(one.x, torch.softmax(at.x[:, 0], 0))
    torch.testing.assert_close(one.y, torch.softmax(-at.fy[:, 0], 0))
    weight = nn.Linear(6, 1)
    two = TwoArguments(weight)(at, 10.0)
    torch.testing.assert_close(two.x, torch.softmax(weight(torch.cat([at.x, at.gx], 1))[:, 0], 0))
    torch.testing.assert_close(two.y, torch.softmax(-weight(torch.cat([at.fy, at.y], 1))[:, 0], 0))


def test_equal_weights_leave_the_mean() -> None:
    w = Equal()(pairs(5), 1.0)
    assert w.x.tolist() == w.y.tolist() == pytest.approx([0.2] * 5)
    assert effective_share(halfway(w.x)) == pytest.approx(1)


def test_true_log_ratios_bring_a_batch_to_the_midpoint() -> None:
    """With W = log dQ/dP, weighted class shares of a balanced batch meet at (p + q) / 2."""
    p, q = skewed(0.5, 3), skewed(0.2, 3)
    w = torch.log(q / p)
    x = torch.repeat_interleave(torch.arange(3), (p * 20).long())
    y = torch.repeat_interleave(torch.arange(3), (q * 20).round().long())
    for weights, k, expected in (
        (halfway(batch_softmax(w[x], 9.0)), x, p * two_sided(p, q).p),
        (halfway(batch_softmax(-w[y], 9.0)), y, q * two_sided(p, q).q),
    ):
        found = torch.zeros(3, dtype=torch.float64).index_add_(0, k, weights)
        torch.testing.assert_close(found, expected)


def test_relaxation_is_linear_and_stops() -> None:
    bound = relaxed(1.0, 3.0, 101)
    assert [bound(k) for k in (0, 50, 100, 500)] == pytest.approx([1, 2, 3, 3])


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ((8, 3.0, 1.0), "0 <= first <= last"),
        ((8, -1.0, 2.0), "0 <= first"),
        ((1, 1.0, 2.0), "two or"),
    ],
)
def test_impossible_settings_are_refused(settings_: tuple[int, float, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_settings(*settings_)


def test_a_batch_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="batch of two or more"):
        batch_softmax(torch.zeros(1), 1.0)


def test_nan_from_a_weight_net_reaches_every_weight() -> None:
    """So that no loss misses it, whatever the discriminator says of that example."""
    assert batch_softmax(torch.tensor([0.0, float("nan"), 1.0]), 1.0).isnan().all()
