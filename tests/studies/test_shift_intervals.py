"""How often the intervals of `shift` cover the truth: what is counted, and a small draw."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from domain_translation.reweighting import balance
from domain_translation.studies.reweighting import shift_intervals as study

SHARES = [0.5, *9 * [0.5 / 9], *10 * [0.1]]  # of the ten digits in both domains


def rows(off: float, width: float) -> Tensor:
    """Intervals around values that are `off` from the truth."""
    return torch.tensor([[s + off, s + off - width, s + off + width] for s in SHARES])


def test_an_interval_covers_between_its_ends() -> None:
    row = study.as_row(balance.Interval(0.4, 0.3, 0.45))
    assert [study.covers(row, truth) for truth in (0.29, 0.3, 0.4, 0.45, 0.46)] == [
        False, True, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("off", "covered"), [(0.01, 1.0), (0.03, 0.0)])
def test_what_is_covered_and_how_far_estimates_are_off(off: float, covered: float) -> None:
    shift = torch.tensor([0.4 + off, 0.38 + off, 0.42 + off])
    found = {
        "shares": rows(off, 0.02),
        "shift": shift,
        "shift of clusters": shift,
        "clusters": torch.tensor(8),
    }
    numbers = {m.name: m.value for m in study.measure(study.ARMS["SR-digits"], 0, found)}
    assert numbers["labels: shares covered"] == covered
    assert numbers["labels: shift covered"] == numbers["clusters: shift covered"] == covered
    assert numbers["labels: a share off at most"] == pytest.approx(off)
    assert numbers["clusters: width of the interval"] == pytest.approx(0.04)


def test_a_small_draw_is_answered_as_the_command_does(tmp_path: Path) -> None:
    draw = study.Draw(zeros=0.5, pictures=60, bootstrap=4)
    found = study.run(draw, 0, tmp_path)
    assert found["shares"].shape == (2 * study.CLASSES, 3)
    assert found["shares"][:10, 0].sum() == pytest.approx(1)
    images, digits = study.drawn(draw, 0)
    assert found["shares"][0, 0] == pytest.approx(float((digits[0] == 0).mean()))
    assert images[0].shape == (60, 3, study.groups.SIDE, study.groups.SIDE)
    again = study.run(draw, 0, tmp_path)
    assert all(torch.equal(found[k], again[k]) for k in found)
    assert {m.name for m in study.measure(draw, 0, found)} >= {"clusters: shift covered"}
