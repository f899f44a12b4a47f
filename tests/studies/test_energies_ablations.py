"""The ablations: how scales come in, what a run gives, what is measured of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.data.digits import Split
from domain_translation.energies import guard
from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.training import at_size, train_stages
from domain_translation.evaluation.judges.sample_judges import SampleJudge
from domain_translation.studies.energies import ablations as grid
from domain_translation.studies.energies import transitions
from domain_translation.studies.energies.ablations import Arm

TINY = CFEBMConfig(
    sizes=(8, 16), images=(16, 32), steps=(2, 2), learning_rates=(1e-3, 1e-3), batch=8, c=1,
    spectral=False, variance=4e-4,
)  # fmt: skip


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(12, 1, 16, 16, generator=Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def worlds(images: Tensor) -> dict[str, grid.World]:
    found = {}
    for name, size in (("digits", 8), ("glyphs", 16)):
        torch.manual_seed(0)
        judge = SampleJudge(size, width=2).requires_grad_(False).eval()
        x = at_size(images, size).clone()
        x[:, :, 0] = -1
        found[name] = grid.World(judge, x, x.flip(0), x.amax(0) == -1)
    return found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, worlds: dict[str, grid.World]) -> None:
    real = lambda name, part: Split(worlds[name].train, torch.zeros(12).long())  # noqa: E731
    monkeypatch.setattr(grid, "real_images", real)
    monkeypatch.setattr(grid, "world", worlds.__getitem__)
    for name, value in (("SAMPLES", 10), ("MARKED", 5), ("EVERY", 2)):
        monkeypatch.setattr(grid, name, value)


def test_abrupt_learning_hands_over_at_once_and_smooth_learning_does_not(images: Tensor) -> None:
    fades = {}
    for way in ("smooth", "abrupt learning", "abrupt sampling", "abrupt both"):
        own = transitions.starts_of(way, TINY, 1)
        fades[way] = train_stages(images, own, TINY).stages[1]["fade"].tolist()
    assert fades["smooth"] == fades["abrupt sampling"] == [0.0, 0.5, 1.0, 1.0]
    # The trace holds the b of the stage; the energy that was trained had b = 1.
    assert fades["abrupt learning"] == fades["abrupt both"] == [1.0] * 4


def test_abrupt_sampling_starts_at_noise_and_smooth_sampling_at_coarse_samples() -> None:
    network = EnergyNetwork(8, 1, 1)
    smooth = transitions.starts_of("smooth", TINY, 1)(network, 1)
    noise = transitions.starts_of("abrupt sampling", TINY, 1)(network, 1)
    blocky = smooth(4, 0.0, Generator().manual_seed(0))
    assert torch.equal(blocky[..., ::2, ::2], blocky[..., 1::2, 1::2])
    plain = noise(4, 0.0, Generator().manual_seed(0))
    assert plain.abs().max() <= 1
    assert not torch.equal(plain[..., ::2, ::2], plain[..., 1::2, 1::2])


def test_a_random_fade_moves_the_energy_and_a_matched_one_does_not() -> None:
    network = EnergyNetwork(8, 2, 1)
    x = torch.rand(6, 1, 16, 16) * 2 - 1
    with torch.no_grad():
        before = network(at_size(x, 8))
        network.expand(1)
        assert torch.allclose(network(x), before, atol=1e-4)
        transitions.draw_fade(network, 3)
        assert not torch.allclose(network(x), before, atol=1e-2)
    network.settle()
    with pytest.raises(ValueError, match="no Fade"):
        transitions.draw_fade(network, 3)


def test_unknown_ways_are_named() -> None:
    with pytest.raises(ValueError, match="choose from smooth"):
        transitions.starts_of("gentle", TINY, 1)


def test_watching_changes_nothing_but_marks(images: Tensor) -> None:
    marks: list[transitions.Mark] = []
    own = transitions.starts_of("smooth", TINY, 1)
    watched = train_stages(images, transitions.watched(own, TINY, 3, 2, marks), TINY, 4).network
    alone = train_stages(images, own, TINY, 4).network
    x = torch.rand(2, 1, 16, 16)
    assert torch.equal(watched(x), alone(x))
    assert [(m.update, m.fade) for m in marks] == [(2, 0.0), (4, 1.0)]
    assert all(m.samples.shape == (3, 1, 16, 16) for m in marks)
    assert 0 < marks[0].seconds < marks[1].seconds


def test_the_coarse_stage_is_borrowed_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "8.safetensors").write_text("first")
    transitions.borrow(tmp_path / "a", tmp_path / "b")
    (tmp_path / "a" / "8.safetensors").write_text("second")
    transitions.borrow(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "8.safetensors").read_text() == "first"
    transitions.borrow(tmp_path / "none", tmp_path / "c")
    assert list((tmp_path / "c").iterdir()) == []


ONE = replace(TINY, sizes=(8,), images=(16,), steps=(2,), learning_rates=(1e-3,))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "arm",
    [
        Arm("digits", ONE),
        Arm("glyphs", TINY),
        Arm("glyphs", TINY, "fixed coarse models"),
        Arm("glyphs", TINY, "abrupt both"),
    ],
)
def test_every_way_gives_samples_traces_and_numbers(arm: Arm, tmp_path: Path) -> None:
    found = grid.run(arm, 0, tmp_path)
    again = grid.run(arm, 0, tmp_path)
    timed = ("seconds", "mark.seconds")
    assert all(torch.equal(v, again[k]) for k, v in found.items() if k not in timed)
    assert len(found["samples"]) == 10
    numbers = {m.name: m.value for m in grid.measure(arm, 0, found)}
    assert {*grid.MEASURED, "classes"} <= set(numbers)
    assert numbers["processor seconds"] == round(float(found["seconds"]), 1)
    assert float(found["seconds"]) > 0
    marked = arm.world == "glyphs" and arm.way != "fixed coarse models"
    assert ("distance after 4 updates" in numbers) == marked
    assert ("mark.samples" in found) == marked
    assert grid.excerpt(arm, 0, found)["samples"].shape[0] == grid.PICTURES


@pytest.mark.usefixtures("small")
def test_a_run_that_diverges_is_lost(
    images: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SPREAD", 1e-6)
    with pytest.raises(grid.STUDY.lost, match="update 1"):
        grid.run(Arm("glyphs", TINY), 0, tmp_path)


def test_grain_is_the_distance_from_black_where_nothing_else_is() -> None:
    black = torch.zeros(1, 8, 8, dtype=torch.bool)
    black[0, :2] = True
    x = torch.zeros(500, 1, 8, 8)
    x[:, black] = -1 + 0.1 * torch.randn(500, 16, generator=Generator().manual_seed(0))
    assert grid.grain(x, black)["black"] == pytest.approx(0.1, rel=0.05)


def test_judged_finds_no_distance_between_a_set_and_itself(
    worlds: dict[str, grid.World],
) -> None:
    own = worlds["digits"]
    assert grid.judged(own.judge, own.train, own.train)["frechet"] == pytest.approx(0, abs=1e-3)
    assert grid.judged(own.judge, own.train + 1, own.train)["frechet"] > 0


def test_the_stored_grid_is_a_card_whose_runs_are_lost_or_measured() -> None:
    card, said = grid.card(), grid.stored()
    assert not card.empty
    for arm, entry in said["arms"].items():
        lived = [r for r in entry["runs"].values() if not r["diverged"]]
        assert card.lost_of(arm) == len(entry["runs"]) - len(lived)
        assert [r.value for r in card.rows if (r.arm, r.name) == (arm, "distance")] == [
            r["frechet"] for r in lived
        ]
    assert card["digits", "distance"].seeds == len(said["arms"]["digits"]["runs"])


def test_a_card_of_three_runs_by_hand() -> None:
    run = {"frechet": 2.0, "confident": 0.5, "black": 0.1, "noise level": 0.2}
    lived, gone = run | {"diverged": 0, "cpu seconds": 9.0}, {"diverged": 7, "cpu seconds": 3.0}
    found = {
        "arms": {
            "a": {"runs": {"0": lived, "1": lived | {"frechet": 4.0}, "2": gone}},
            "b": {"runs": {"0": lived, "1": gone}},
            "c": {"runs": {"0": gone}},
        },
        "date": "2026-01-01", "cpu seconds": 20, "machine": {"cpu": "X"}, "versions": {},
    }  # fmt: skip
    card = grid.card(found)
    assert (card["a", "distance"].value, card["a", "distance"].seeds) == (3.0, 2)
    assert card.lost == {("a", 2): "diverged at update 7", ("b", 1): "diverged at update 7",
                         ("c", 0): "diverged at update 7"}  # fmt: skip
    pooled = grid.share_lost(card, "a", "b")
    assert (pooled.value, pooled.n, pooled.seeds, pooled.card) == (2 / 5, 5, 5, grid.STORED)
    assert grid.as_text(card, "a", "distance").startswith("3 [")
    assert grid.as_text(card, "b", "distance") == "2, one run"
    assert grid.as_text(card, "c", "distance") == "none lived"
    assert [grid.lost_as_text(card, arm) for arm in "abc"] == ["1 of 3", "1 of 2", "1 of 1"]
