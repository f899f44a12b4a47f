"""The card of the out-of-distribution experiment, on tiny made-up sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from domain_translation.cf_ebm.detection import auroc
from domain_translation.cf_ebm.energy_free import energy_free, total_variation
from domain_translation.data.digits import Split
from domain_translation.experiments import energies_ood


def smooth(n: int, channels: int, seed: int) -> Tensor:
    """Small pictures of 8x8 with neighbouring pixels alike, in [-1, 1]."""
    g = Generator().manual_seed(seed)
    coarse = torch.rand(n, channels, 3, 3, generator=g) * 2 - 1
    return torch.nn.functional.interpolate(coarse, 8, mode="bilinear").clamp(-1, 1)


def roughness(x: Tensor) -> Tensor:
    return total_variation(x) ** 2


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Split]:
    channels = {"cifar10": 3, "mnistm": 3, "mnist": 1, "fashion": 1}
    found = {
        (name, split): Split(smooth(60, c, 10 * i + j), torch.zeros(60).long())
        for i, (name, c) in enumerate(channels.items())
        for j, split in enumerate(("train", "test"))
    }

    def load(name: str, split: str) -> Split:
        return found[name, split]

    def sample(n: int, seed: int, *, size: int) -> Split:
        assert size == 32
        return Split(smooth(n, 1, 99), torch.zeros(n).long())

    monkeypatch.setattr("domain_translation.data.arrays.load", load)
    monkeypatch.setattr("domain_translation.data.procedural.glyphs.sample", sample)
    monkeypatch.setattr("domain_translation.weights.load", lambda name: roughness)
    return found


def test_the_card_holds_what_was_measured(
    sets: dict[tuple[str, str], Split], tmp_path: Path
) -> None:
    out = tmp_path / "made"
    assert energies_ood.main(["--out", str(out), "--images", "30", "--only", "mnist"]) == 0
    card = json.loads((out / "ood.json").read_text())
    assert "cifar10" not in card
    found = card["mnist"]
    assert found["weights"] == "energies/mnist"
    assert found["images"] == 30
    names = ["fashion", "glyphs", "uniform", "constant", "interpolated", "blurred", "train"]
    assert list(found["auroc"]["energy"]) == names
    inside = energies_ood.images("mnist", "test", 30)
    fashion = energies_ood.images("fashion", "test", 30)
    exact = auroc(-roughness(inside), -roughness(fashion))
    assert found["auroc"]["energy"]["fashion"] == pytest.approx(list(exact), abs=1e-4)
    assert found["auroc"]["energy"]["constant"][0] == 0  # nothing is smoother
    assert found["auroc"]["energy"]["uniform"][0] == 1
    assert set(found["auroc"]) == {"energy", "typical energy", "gradient", *energy_free(inside)}
    ranks = stats.spearmanr(roughness(inside), total_variation(inside)).statistic
    assert found["spearman"]["rho"] == pytest.approx(ranks)
    assert set(found["greys"]["energy"]) == {0}
    assert found["energies"]["test"][2] == pytest.approx(float(roughness(inside).median()), rel=0.1)
    blur = found["blur"]["energy"]
    assert blur == sorted(blur, reverse=True)
    # The other set is added, and the first one stays.
    assert energies_ood.main(["--out", str(out), "--images", "12", "--only", "cifar10"]) == 0
    again = json.loads((out / "ood.json").read_text())
    assert again["mnist"] == found
    assert again["cifar10"]["images"] == 12


def test_the_images_are_a_random_part(sets: dict[tuple[str, str], Split]) -> None:
    x = energies_ood.images("cifar10", "train", 20)
    known = sets["cifar10", "train"].x
    rows = [int((known == one).flatten(1).all(1).nonzero()[0, 0]) for one in x]
    assert len(set(rows)) == 20
    assert rows != sorted(rows)
    assert torch.equal(x, energies_ood.images("cifar10", "train", 20))
    others = energies_ood.other_sets(x, x, ("mnistm",))
    assert list(others) == ["mnistm", "uniform", "constant", "interpolated", "blurred", "train"]
    assert {tuple(v.shape) for v in others.values()} == {(20, 3, 8, 8)}


def test_the_stored_areas_are_of_one_training() -> None:
    try:
        row = energies_ood.stored()["mnist"]["auroc"]["energy"]
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    found = energies_ood.area("mnist", "energy", "fashion")
    value, low, high = row["fashion"]
    assert found.value == value
    assert found.seeds == 1  # other energies may say otherwise
    assert found.interval() == pytest.approx((low, high), abs=0.01)
