"""The card of cats into dogs, on tiny made-up pictures and an energy that knows the answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.cf_ebm.network import EnergyNetwork
from domain_translation.data.folders import Domains
from domain_translation.experiments import energies_translation


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
    card = {"run": {"steps": 20, "step_size": 1.0, "variance": 1e-4}, "seconds": 3.0}
    monkeypatch.setattr("domain_translation.data.folders.unpaired", unpaired)
    monkeypatch.setattr("domain_translation.weights.load", lambda name: network)
    monkeypatch.setattr("domain_translation.weights.card", lambda name: card)
    monkeypatch.setattr(
        "domain_translation.cf_ebm.translation.frozen", lambda energy, precision: energy
    )


def test_the_card_prefers_the_trained_length(world: None, tmp_path: Path) -> None:
    assert energies_translation.main(["--out", str(tmp_path), "--judges", "25"]) == 0
    card = json.loads((tmp_path / "translation.json").read_text())
    arms = card["arms"]
    assert list(arms) == [
        "doing nothing",
        "10 steps",
        "20 steps",
        "40 steps",
        "80 steps",
        "real targets",
    ]
    assert card["images"] == {"source": 24, "target": 24}
    # Twenty steps of 0.05 carry -0.5 to 0.5: the translation that is right.
    distance = {k: v["kernel distance"] for k, v in arms.items()}
    assert distance["20 steps"] < distance["10 steps"] < distance["doing nothing"]
    assert arms["doing nothing"]["root mean square change"] == 0
    assert arms["10 steps"]["root mean square change"] == pytest.approx(0.5, abs=0.05)
    assert arms["20 steps"]["likeness"] > arms["doing nothing"]["likeness"]
