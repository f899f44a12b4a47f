"""Class masses, optimal weights, midpoints (JD-BW eq. 5 and 10; jdbw.arch.targets)."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.reweighting.masses import (
    class_totals,
    effective_share,
    masses,
    midpoint,
    one_sided,
    skewed,
    two_sided,
)

SR, MNIST = skewed(0.5), skewed(0.1)

positive = st.lists(st.floats(0.05, 1.0), min_size=2, max_size=8)


def shares(values: list[float]) -> torch.Tensor:
    v = torch.tensor(values, dtype=torch.float64)
    return v / v.sum()


def test_the_published_shift_has_the_derived_weights() -> None:
    w = two_sided(SR, MNIST)
    assert w.p[:2].tolist() == pytest.approx([0.6, 1.4])
    assert w.q[:2].tolist() == pytest.approx([3.0, 7 / 9])
    assert midpoint(SR, MNIST)[:2].tolist() == pytest.approx([0.30, 7 / 90])
    assert one_sided(SR, MNIST)[:2].tolist() == pytest.approx([0.2, 1.8])


@settings(deadline=None)
@given(positive, st.data())
def test_two_sided_weights_meet_at_the_midpoint_and_never_go_below_half(
    a: list[float], data: st.DataObject
) -> None:
    b = data.draw(st.lists(st.floats(0.05, 1.0), min_size=len(a), max_size=len(a)))
    p, q = shares(a), shares(b)
    w = two_sided(p, q)
    torch.testing.assert_close(p * w.p, midpoint(p, q))
    torch.testing.assert_close(q * w.q, midpoint(p, q))
    assert float(torch.cat([w.p, w.q]).min()) >= 0.5


@settings(deadline=None)
@given(positive, st.data())
def test_one_sided_weights_carry_p_to_q(a: list[float], data: st.DataObject) -> None:
    b = data.draw(st.lists(st.floats(0.0, 1.0), min_size=len(a), max_size=len(a)))
    b[0] += 0.1
    p, q = shares(a), shares(b)
    torch.testing.assert_close(p * one_sided(p, q), q)


def test_the_printed_ratio_does_not_normalise() -> None:
    # errata: w = dP/dQ gives totals 1.889 and 1.320
    printed = SR / MNIST
    assert float((SR * (1 + printed) / 2).sum()) == pytest.approx(17 / 9)
    assert float((MNIST * (1 + 1 / printed) / 2).sum()) == pytest.approx(1.32)


@settings(deadline=None)
@given(st.integers(2, 50))
def test_effective_share_of_equal_weights_is_one_and_of_a_single_one_is_least(n: int) -> None:
    assert effective_share(torch.full((n,), 3.0)) == pytest.approx(1.0)
    alone = torch.zeros(n)
    alone[n // 2] = 7.0
    assert effective_share(alone) == pytest.approx(1 / n)


def test_effective_share_of_known_class_weights() -> None:
    # 1 / E_p[w^2] for normalised weights: 1 / (0.5 0.6^2 + 0.5 1.4^2) = 1 / 1.16
    w = two_sided(SR, MNIST).p
    drawn = torch.cat([w[:1].expand(9), w[1:]])  # nine zeros and one of each other digit: 1/2, 1/18
    assert effective_share(drawn) == pytest.approx(1 / 1.16)


def test_class_totals_share_the_weights() -> None:
    totals = class_totals(torch.tensor([1.0, 1.0, 2.0]), torch.tensor([0, 2, 2]), 4)
    assert totals.tolist() == pytest.approx([0.25, 0.0, 0.75, 0.0])


def test_classes_absent_from_both_domains_weigh_one() -> None:
    assert one_sided([1.0, 0.0], [1.0, 0.0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.5, 0.4], "sum to 0.9"),
        ([1.5, -0.5], "at least 0"),
        ([float("nan"), 1.0], "finite"),
        ([], "one finite mass"),
    ],
)
def test_bad_masses_are_refused(values: list[float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        masses(values)


def test_a_class_that_cannot_appear_is_refused() -> None:
    with pytest.raises(ValueError, match=r"class 1 has mass 0\.5 in the target and none"):
        one_sided([1.0, 0.0], [0.5, 0.5])
    with pytest.raises(ValueError, match="2 classes in one domain, 3"):
        midpoint([0.5, 0.5], [0.2, 0.3, 0.5])


@pytest.mark.parametrize("bad", [[0.0, 0.0], [1.0, -1.0], [float("inf"), 1.0], []])
def test_weights_that_say_nothing_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="weights must be"):
        effective_share(torch.tensor(bad))


@pytest.mark.parametrize(("first", "classes"), [(1.2, 10), (-0.1, 10), (0.5, 1)])
def test_skews_out_of_range_are_refused(first: float, classes: int) -> None:
    with pytest.raises(ValueError, match="give 0 to 1"):
        skewed(first, classes)
