"""The ablation grid: how scales come in, what a run keeps, what the card says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.cf_ebm import guard
from domain_translation.cf_ebm.config import CFEBMConfig
from domain_translation.cf_ebm.network import EnergyNetwork
from domain_translation.cf_ebm.training import at_size, train_stages
from domain_translation.evaluation.sample_judges import SampleJudge
from domain_translation.experiments import energies_ablations as grid
from domain_translation.experiments import energies_ablations_card as entries
from domain_translation.experiments import energies_transitions as transitions
from domain_translation.experiments.energies_ablations import Arm
from domain_translation.experiments.picture_text import from_pictures, pictures

TINY = CFEBMConfig(
    sizes=(8, 16), images=(16, 32), steps=(2, 2), learning_rates=(1e-3, 1e-3), batch=8, c=1,
    spectral=False, variance=4e-4,
)  # fmt: skip


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(12, 1, 16, 16, generator=Generator().manual_seed(0)) * 2 - 1


@pytest.fixture(scope="module")
def worlds(images: Tensor) -> dict[str, entries.World]:
    found = {}
    for name, size in (("digits", 8), ("glyphs", 16)):
        torch.manual_seed(0)
        judge = SampleJudge(size, width=2).requires_grad_(False).eval()
        x = at_size(images, size).clone()
        x[:, :, 0] = -1
        found[name] = entries.World(judge, x, x.flip(0), x.amax(0) == -1)
    return found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, worlds: dict[str, entries.World]) -> None:
    one = replace(TINY, sizes=(8,), images=(16,), steps=(2,), learning_rates=(1e-3,))
    arms = {
        "digits": Arm("digits", one),
        "glyphs": Arm("glyphs", TINY),
        "fixed": Arm("glyphs", TINY, "fixed coarse models"),
        "abrupt both": Arm("glyphs", TINY, "abrupt both"),
    }
    monkeypatch.setattr(grid, "ARMS", arms)
    monkeypatch.setattr(grid, "RECOMMENDED", ("digits", "glyphs"))
    monkeypatch.setattr(grid, "world", worlds.__getitem__)
    for name, value in (("SAMPLES", 10), ("MARKED", 5), ("EVERY", 2), ("RECOMMENDED_SEEDS", 2)):
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


@pytest.mark.usefixtures("small")
def test_the_grid_writes_a_card_and_repeats_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert grid.main([str(tmp_path), "--seeds", "1"]) == 0
    text = (tmp_path / "ablations.json").read_text()
    card = json.loads(text)
    assert {n: list(a["runs"]) for n, a in card["arms"].items()} == {
        "digits": ["0", "1"], "glyphs": ["0", "1"], "fixed": ["0"], "abrupt both": ["0"],
    }  # fmt: skip
    first = card["arms"]["glyphs"]["runs"]["0"]
    assert first["diverged"] == 0
    assert [m["update"] for m in first["marks"]] == [2, 4]
    assert "marks" not in card["arms"]["digits"]["runs"]["0"]
    assert card["real"]["digits"]["black"] == 0.0

    def never(*arguments: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(grid, "train_arm", never)
    grid.main([str(tmp_path), "--seeds", "1"])
    again = json.loads((tmp_path / "ablations.json").read_text())
    assert again["arms"] == card["arms"]


@pytest.mark.usefixtures("small")
def test_a_run_that_diverges_is_an_entry(
    images: Tensor, worlds: dict[str, entries.World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SPREAD", 1e-6)
    found = grid.train_arm(grid.ARMS["glyphs"], images, 0, None)
    entry = entries.summary(found, worlds["glyphs"])
    assert entry["diverged"] == 1
    assert set(entry) == {"diverged", "cpu seconds"}


def test_recommended_settings_have_more_seeds() -> None:
    planned = grid.planned(3)
    assert len(planned) == len(set(planned)) == 3 * len(grid.ARMS) + 2 * len(grid.RECOMMENDED)
    assert [seed for _, seed in planned[: len(grid.ARMS) + 1]] == [0] * len(grid.ARMS) + [1]
    for name in grid.RECOMMENDED:
        assert [s for n, s in planned if n == name] == [0, 1, 2, 3, 4]


def test_grain_is_the_distance_from_black_where_nothing_else_is() -> None:
    black = torch.zeros(1, 8, 8, dtype=torch.bool)
    black[0, :2] = True
    x = torch.zeros(500, 1, 8, 8)
    x[:, black] = -1 + 0.1 * torch.randn(500, 16, generator=Generator().manual_seed(0))
    assert entries.grain(x, black)["black"] == pytest.approx(0.1, rel=0.05)


def test_pictures_come_back_within_half_a_level() -> None:
    x = torch.rand(3, 1, 8, 8, generator=Generator().manual_seed(1)) * 2 - 1
    back = from_pictures(pictures(x), 8)
    assert (back - x).abs().max() <= 0.5 / 127.5 + 1e-6


def test_judged_finds_no_distance_between_a_set_and_itself(
    worlds: dict[str, entries.World],
) -> None:
    own = worlds["digits"]
    assert entries.judged(own.judge, own.train, own.train)["frechet"] == pytest.approx(0, abs=1e-3)
    assert entries.judged(own.judge, own.train + 1, own.train)["frechet"] > 0


def test_the_stored_grid_is_a_card_whose_runs_are_lost_or_measured() -> None:
    card, said = entries.card(), entries.stored()
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
    card = entries.card(found)
    assert (card["a", "distance"].value, card["a", "distance"].seeds) == (3.0, 2)
    assert card.lost == {("a", 2): "diverged at update 7", ("b", 1): "diverged at update 7",
                         ("c", 0): "diverged at update 7"}  # fmt: skip
    pooled = entries.share_lost(card, "a", "b")
    assert (pooled.value, pooled.n, pooled.seeds, pooled.card) == (2 / 5, 5, 5, entries.STUDY)
    assert entries.told(card, "a", "distance").startswith("3 [")
    assert entries.told(card, "b", "distance") == "2, one run"
    assert entries.told(card, "c", "distance") == "none lived"
    assert [entries.told_lost(card, arm) for arm in "abc"] == ["1 of 3", "1 of 2", "1 of 1"]
