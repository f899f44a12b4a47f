"""The study of seconds: the sources' networks on a small picture, the factor by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from domain_translation.cooling import PAPER
from domain_translation.studies.cooling import seconds


def test_both_ways_are_timed(tmp_path: Path) -> None:
    few = seconds.Pictures(32, replace(PAPER, steps=3))
    found = seconds.run(few, 0, tmp_path)
    assert found.keys() == {"plain", "cooled"}
    assert all(taken > 0 for taken in found.values())


def test_the_factor_is_the_ratio_of_a_run() -> None:
    found = {"plain": torch.tensor(0.5), "cooled": torch.tensor(5.3)}
    values = {m.name: m.value for m in seconds.measure(seconds.Pictures(), 0, found)}
    assert values["cooled over plain"] == pytest.approx(seconds.FACTOR)
