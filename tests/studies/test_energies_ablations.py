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
from domain_translation.notebook.cards import Card, Row
from domain_translation.studies.energies import ablations, grid, growth, transitions
from domain_translation.studies.energies.ablations import as_text, lost_as_text, share_lost
from domain_translation.studies.energies.grid import Arm
from domain_translation.studies.study import Study

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
    with pytest.raises(growth.STUDY.lost, match="update 1"):
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


@pytest.mark.parametrize("study", [ablations.STUDY, growth.STUDY], ids=lambda s: s.name)
def test_arms_differ_from_the_plain_one_in_what_they_are_named_for(study: Study) -> None:
    plain = {"digits": ablations.DIGITS, "glyphs": growth.GLYPHS}
    for name, arm in study.arms.items():
        assert isinstance(arm, Arm)
        own = plain[arm.world]
        changed = {k for k, v in vars(arm.config).items() if v != getattr(own, k)}
        if arm.world == "digits":
            assert len(changed - {"learning_rates", "spectral"}) <= 1, name
            assert arm.config.images == own.images
            assert arm.config.spectral == ("spectral" in name)
        else:
            assert arm.config.spectral
            assert (changed == set()) == (not name.startswith("direct")), name


def test_a_card_of_three_runs_by_hand() -> None:
    rows = [Row("a", 0, "distance", 2.0, ("a0",)), Row("a", 1, "distance", 4.0, ("a1",))]
    rows += [Row("b", 0, "distance", 2.0, ("b0",))]
    gone = {("a", 2): "update 7", ("b", 1): "update 7", ("c", 0): "update 7"}
    card = Card("x", "full", tuple(rows), gone, {})
    pooled = share_lost(card, "a", "b")
    assert (pooled.value, pooled.n, pooled.seeds, pooled.card) == (2 / 5, 5, 5, "x")
    assert as_text(card, "a", "distance").startswith("3 [")
    assert as_text(card, "b", "distance") == "2, one run"
    assert as_text(card, "c", "distance") == "none lived"
    assert [lost_as_text(card, arm) for arm in "abc"] == ["1 of 3", "1 of 2", "1 of 1"]
