"""The mass shift of horse2zebra on painted animals: scenes, a small run, what is measured."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from domain_translation.evaluation.pictures.regions import changed_region
from domain_translation.studies.reweighting import meadow
from domain_translation.studies.reweighting.meadow import STUDY, Arm


def numbers(found: dict[str, torch.Tensor]) -> dict[str, float]:
    return {m.name: m.value for m in meadow.measure(Arm(), 0, found)}


def test_closer_zebras_cover_about_twice_the_area_and_horses_stay() -> None:
    far, near = (meadow.painted(range(40), 3, c) for c in (1.0, meadow.CLOSER))
    areas = [float(changed_region(*scenes).double().mean()) for scenes in (far, near)]
    assert 1.6 < areas[1] / areas[0] < 2.2
    assert far[0].shape == near[1].shape == (40, 3, 64, 64)


def test_a_true_translation_leaves_the_ground_alone() -> None:
    x, y = meadow.painted(range(5), 3, 1.0)
    area = torch.tensor(0.3)
    true = numbers({"horses": x, "zebras": y, "made": y, "area of the zebras": area})
    assert true["changed of the ground"] == true["error on the ground"] == 0
    assert true["error on the coat"] == 0
    assert true["changed of the coat"] > 0.5
    inverted = numbers({"horses": x, "zebras": y, "made": -x, "area of the zebras": area})
    assert inverted["changed of the ground"] > 0.5
    assert inverted["area of the zebras"] == pytest.approx(0.3)


def test_a_small_run_has_what_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(meadow, "TRAIN", 3)
    monkeypatch.setattr(meadow, "TEST", 2)
    arm = STUDY.arms["closer"]
    arm = replace(arm, config=replace(arm.config, width=4, blocks=1, steps=2))
    found = meadow.run(arm, 0, tmp_path)
    assert found["made"].shape == (2, 3, 64, 64)
    assert 0 < numbers(found)["area of the horses"] < numbers(found)["area of the zebras"] < 1
    assert meadow.excerpt(arm, 0, found)["made"].dtype == torch.uint8
    assert meadow.excerpt(arm, 1, found) == {}
