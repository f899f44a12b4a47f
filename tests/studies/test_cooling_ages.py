"""Cooling against the age of a translator: a small run, and what is measured of it."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from domain_translation import pretrained
from domain_translation.studies.cooling import ages
from domain_translation.studies.cooling.ages import NAMES, STUDY, WAYS


def test_the_oldest_translators_are_the_shipped_ones(tmp_path: Path) -> None:
    oldest = max(STUDY.arms.values())
    forward, backward = ages.translators(oldest, 0, tmp_path)
    x = torch.rand(1, 3, 64, 64)
    assert torch.equal(forward(x), pretrained.load("animals/forward")(x))
    assert torch.equal(backward(x), pretrained.load("animals/backward")(x))


def test_a_small_run_has_what_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ages, "SCENES", 3)
    found = ages.run(1, 0, tmp_path)
    numbers = {m.name: m.value for m in ages.measure(1, 0, found)}
    assert len(found) == 2 * 2 * (1 + len(WAYS))
    assert all(values.shape == (3,) for values in found.values())
    assert all(0 <= numbers[f"{name}, taken for the target"] <= 1 for name in NAMES)


def test_changes_are_against_plain_translations() -> None:
    found: dict[str, Tensor] = {}
    for name in NAMES:
        for kind in ("margin", "error"):
            found[f"{name}, {kind}, plain"] = torch.tensor([-1.0, 2.0])
            found |= {f"{name}, {kind}, {way}": torch.tensor([0.0, 2.0]) for way in WAYS}
    measured = ages.measure(300, 1, found)
    numbers = {m.name: m.value for m in measured}
    assert numbers["horse2zebra, taken for the target"] == 0.5
    assert numbers["zebra2horse, margin"] == 0.5
    assert {numbers[f"{n}, change of error, {way}"] for n in NAMES for way in WAYS} == {0.5}
    assert {m.networks for m in measured} == {("networks of seed 1",)}
