"""Translations beside their true counterparts: errors and ranks by hand, baselines, refusals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from domain_translation.evaluation.pictures.counterparts import (
    constant,
    none_known,
    outranked,
    to_counterparts,
)


def test_a_counterpart_is_outranked_by_hand() -> None:
    true = torch.eye(3)[:, None, :, None].expand(3, 1, 3, 3)
    same = torch.zeros(3).long()
    assert outranked(true, true, same) == 0
    assert outranked(0.5 * true - 0.2, true, same) == 0  # darker and duller is the same
    assert outranked(true.roll(1, 0), true, same) == pytest.approx(0.75)  # one nearer, one level
    assert outranked(torch.zeros(3, 1, 3, 3), true, same) == 0.5
    assert outranked(true[:1].expand(3, 1, 3, 3), true, same) == pytest.approx(0.5)


def test_only_images_of_the_class_outrank() -> None:
    true = torch.eye(4)[:, None, :, None].expand(4, 1, 4, 4)
    made = true[[1, 0, 3, 2]]  # two counterparts exchanged, twice
    assert outranked(made, true, torch.tensor([0, 0, 1, 1])) == 1
    assert outranked(made, true, torch.tensor([0, 1, 0, 1])) == 0.5


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(2, 9))
def test_shares_outranked_lie_between_0_and_1_and_noise_is_at_one_half(seed: int, n: int) -> None:
    g = Generator().manual_seed(seed)
    true, made = torch.rand(2, n, 3, 4, 4, generator=g)
    assert 0 <= outranked(made, true, torch.zeros(n).long()) <= 1
    assert outranked(made[:1].expand_as(true), true, torch.zeros(n).long()) == pytest.approx(0.5)


def test_errors_by_hand_and_their_refusals() -> None:
    true = torch.zeros(2, 1, 4, 4)
    found = to_counterparts(true + 3, true, torch.zeros(2).long())
    assert found == {"error": 1.0, "outranked": 0.5}  # cut off at 1 first
    assert none_known(true, true, torch.zeros(2).long()) == {}
    with pytest.raises(ValueError, match="one class per example"):
        outranked(true[:1], true, torch.zeros(2).long())
    with pytest.raises(ValueError, match="class 0 has a single image"):
        outranked(true, true, torch.tensor([0, 1]))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.floats(-0.2, 0.2))
def test_no_constant_picture_has_a_smaller_error(seed: int, step: float) -> None:
    true = torch.rand(7, 2, 3, 3, generator=Generator().manual_seed(seed))
    best = constant(true)
    assert best.shape == (1, 2, 3, 3)
    assert float((best - true).abs().mean()) <= float((best + step - true).abs().mean()) + 1e-7
