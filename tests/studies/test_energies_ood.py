"""The card of the out-of-distribution experiment, on tiny made-up sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from domain_translation.data.digits import Split
from domain_translation.energies.baseline_detectors import energy_free, total_variation
from domain_translation.energies.detection import auroc
from domain_translation.studies.energies import ood


def smooth(n: int, channels: int, seed: int) -> Tensor:
    """Small pictures of 8x8 with neighbouring pixels alike, in [-1, 1]."""
    g = Generator().manual_seed(seed)
    coarse = torch.rand(n, channels, 3, 3, generator=g) * 2 - 1
    return torch.nn.functional.interpolate(coarse, 8, mode="bilinear").clamp(-1, 1)


def roughness(x: Tensor) -> Tensor:
    return total_variation(x) ** 2


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Split]:
    channels = {"cifar10_jpeg": 3, "mnistm": 3, "mnist": 1, "fashion": 1}
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
    monkeypatch.setattr("domain_translation.synthetic.digits.glyphs.sample", sample)
    monkeypatch.setattr("domain_translation.pretrained.load", lambda name: roughness)
    return found


def test_a_run_measures_areas_and_curves(
    sets: dict[tuple[str, str], Split], tmp_path: Path
) -> None:
    world = replace(ood.WORLDS["mnist"], images=30)
    found = ood.run(world, 0, tmp_path)
    inside = ood.images("mnist", "test", 30)
    fashion = ood.images("fashion", "test", 30)
    exact = auroc(-roughness(inside), -roughness(fashion))
    assert found["auroc, energy, fashion"].tolist() == pytest.approx(list(exact), abs=1e-4)
    assert found["auroc, energy, constant"][0] == 0  # nothing is smoother
    assert found["auroc, energy, uniform"][0] == 1
    detectors = {name.split(", ")[1] for name in found if name.startswith("auroc")}
    assert detectors == {"energy", "typical energy", "gradient", *energy_free(inside)}
    ranks = stats.spearmanr(roughness(inside), total_variation(inside)).statistic
    assert float(found["spearman, rho"]) == pytest.approx(ranks)
    assert set(found["greys, energy"].tolist()) == {0}
    middle = float(found["energies, test"][2])
    assert middle == pytest.approx(float(roughness(inside).median()), rel=0.1)
    blur = found["blur, energy"].tolist()
    assert blur == sorted(blur, reverse=True)
    assert set(ood.STUDY.excerpt(world, 0, found)) == {k for k, v in found.items() if v.ndim}


def test_the_numbers_of_a_run_are_about_its_energy(
    sets: dict[tuple[str, str], Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = replace(ood.WORLDS["mnist"], images=30)
    found = ood.run(world, 0, tmp_path)
    monkeypatch.setattr(ood, "fingerprint", lambda energy: {roughness: "rough"}[energy])
    rows = {m.name: m for m in ood.measure(world, 0, found)}
    assert rows["auroc, energy, uniform"].value == 1
    assert rows["spearman, rho"].value == float(found["spearman, rho"])
    assert {tuple(m.networks) for m in rows.values()} == {("rough",)}


def test_the_images_are_a_random_part(sets: dict[tuple[str, str], Split]) -> None:
    x = ood.images("cifar10_jpeg", "train", 20)
    known = sets["cifar10_jpeg", "train"].x
    rows = [int((known == one).flatten(1).all(1).nonzero()[0, 0]) for one in x]
    assert len(set(rows)) == 20
    assert rows != sorted(rows)
    assert torch.equal(x, ood.images("cifar10_jpeg", "train", 20))
    others = ood.other_sets(x, x, ("mnistm",))
    assert list(others) == ["mnistm", "uniform", "constant", "interpolated", "blurred", "train"]
    assert {tuple(v.shape) for v in others.values()} == {(20, 3, 8, 8)}


def test_the_stored_areas_are_of_one_training() -> None:
    try:
        row = ood.stored()["mnist"]["auroc"]["energy"]
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    found = ood.area("mnist", "energy", "fashion")
    value, low, high = row["fashion"]
    assert found.value == value
    assert found.seeds == 1  # other energies may say otherwise
    assert found.interval() == pytest.approx((low, high), abs=0.01)
