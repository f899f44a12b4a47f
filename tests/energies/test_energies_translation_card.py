"""Cats into dogs, on tiny made-up pictures and an energy that knows the answer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.data.folders import Domains
from domain_translation.energies.network import EnergyNetwork
from domain_translation.evaluation.judges.image_judges import JudgeConfig
from domain_translation.studies.energies import translation


def pictures(n: int, level: float, seed: int) -> Tensor:
    g = Generator().manual_seed(seed)
    return level + 0.2 * torch.randn(n, 3, 16, 16, generator=g).clamp(-2, 2)


class TowardsBright(EnergyNetwork):
    """E(x) = -0.05 sum x: every step of size 1 makes each pixel 0.05 brighter."""

    def forward(self, x: Tensor) -> Tensor:
        return -0.05 * x.flatten(1).sum(1)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    def unpaired(name: str, size: int, split: str) -> Domains:
        assert (name, size) == ("cat2dog128", 64)
        shift = 10 if split == "test" else 0
        return Domains(pictures(24, -0.5, shift), pictures(24, 0.5, shift + 1))

    network = TowardsBright(16, c=1).eval()
    card = {"run": {"steps": 20, "step_size": 1.0, "variance": 1e-4}}
    monkeypatch.setattr("domain_translation.data.folders.unpaired", unpaired)
    monkeypatch.setattr("domain_translation.pretrained.load", lambda name, training=0: network)
    monkeypatch.setattr("domain_translation.pretrained.card", lambda name: card)
    monkeypatch.setattr(
        "domain_translation.energies.translation.frozen", lambda energy, precision: energy
    )


def test_the_trained_length_is_the_best(world: None, tmp_path: Path) -> None:
    found = translation.run(JudgeConfig(steps=25), 0, tmp_path)
    numbers = {m.name: m.value for m in translation.measure(JudgeConfig(steps=25), 0, found)}
    arms = [name.removesuffix(", kernel distance") for name in numbers if "kernel" in name]
    lengths = ["10 steps", "20 steps", "40 steps", "80 steps"]
    assert arms == ["doing nothing", *lengths, "real targets"]
    # Twenty steps of 0.05 carry -0.5 to 0.5: the translation that is right.
    distance = {arm: numbers[f"{arm}, kernel distance"] for arm in arms}
    assert distance["20 steps"] < distance["10 steps"] < distance["doing nothing"]
    change = "root mean square change"
    assert numbers[f"doing nothing, {change}"] == 0
    assert numbers[f"10 steps, {change}"] == pytest.approx(0.5, abs=0.05)
    assert numbers["20 steps, likeness"] > numbers["doing nothing, likeness"]
    # Most of the way to the bright pictures is a share of one, and the start one of none.
    way = "share of the way to dogs"
    assert numbers[f"doing nothing, {way}"] == 0
    assert numbers[f"20 steps, {way}"] == pytest.approx(1, abs=0.25)
    assert numbers["judges: dogs minus cats"] > 0.2
