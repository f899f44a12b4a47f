"""The study of train-translator on two drawn folders, at toy size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from domain_translation.evaluation.judges.image_judges import QUICK
from domain_translation.studies.reweighting import own_folders as study


def test_a_run_judges_every_way(tmp_path: Path) -> None:
    toy = study.Setting(pictures=6, held_out=4, steps=2, judge=replace(QUICK, steps=2, batch=4))
    found = study.run(toy, 0, tmp_path)
    for way in study.WAYS:
        assert found[way].shape == (5, 4)
        assert found[f"pictures, {way}"].shape == (4, 3, 64, 64)
    names = [m.name for m in study.measure(toy, 0, found)]
    assert names == [f"called zebra, {way}" for way in study.WAYS]
    assert set(study.excerpt(toy, 0, found)) == {f"pictures, {way}" for way in study.WAYS}


def test_the_judges_decide_together() -> None:
    rows = torch.tensor([[0.9, 0.4, 0.6], [0.3, 0.4, 0.6]])
    found = dict.fromkeys(study.WAYS, rows)
    values = [m.value for m in study.measure(study.Setting(), 0, found)]
    assert values == [pytest.approx(2 / 3)] * 4
