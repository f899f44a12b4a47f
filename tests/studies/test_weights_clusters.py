"""The planar toy with its ingredients exchanged: arms, a small run, what is measured of it."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from domain_translation.reweighting import toy
from domain_translation.reweighting.masses import masses
from domain_translation.studies import frames
from domain_translation.studies.reweighting import clusters
from domain_translation.studies.reweighting.clusters import STUDY, Arm

ARMS = STUDY.arms
TINY = toy.ToyConfig(steps=4, batch=8, critic_steps=1, width=4)


def test_arms_name_what_exists() -> None:
    for arm in ARMS.values():
        assert arm.weighting in toy.WEIGHTINGS
        assert arm.generator in toy.GENERATORS
        assert arm.config.steps >= clusters.LATE
    assert len({json.dumps(str(arm)) for arm in ARMS.values()}) == len(ARMS)
    assert {masses(clusters.P).shape, masses(clusters.Q).shape} == {(3,)}


def test_every_cluster_has_its_row() -> None:
    classes, found = torch.tensor([0, 0, 0, 0, 1, 2, 2]), torch.tensor([0, 0, 0, 1, 1, 0, 0])
    assert clusters.moved(classes, found).tolist() == [[0.75, 0.25, 0], [0, 1, 0], [1, 0, 0]]


def perfect(degrees: float) -> dict[str, torch.Tensor]:
    """Test points and their true translations, as a training would leave them."""
    x, y = clusters.domains(300, 0, degrees)
    shift = torch.tensor(toy.SHIFT)
    return {
        "x": x.x,
        "class": x.y,
        "gx": toy.turned(x.x + shift, degrees),
        "fy": toy.turned(y.x, -degrees) - shift,
        "class y": y.y,
        "totals": torch.full((20, 2, 3), 1 / 3),
        "shares": torch.cat([torch.full((10, 2), 0.5), torch.ones(10, 2)]),
    }


def numbers(found: dict[str, torch.Tensor], arm: Arm) -> dict[str, float]:
    return {m.name: m.value for m in clusters.measure(arm, 0, found)}


@pytest.mark.parametrize("degrees", [0.0, 90.0])
def test_the_true_translation_keeps_all(degrees: float) -> None:
    entry = numbers(perfect(degrees), Arm(degrees=degrees))
    assert entry["kept there"] == entry["kept back"] == entry["kept, worse way"] == 1
    assert entry["from cluster 1 to 1"] == 1
    assert entry["from cluster 1 to 2"] == 0
    assert entry["least effective share"] == 0.5
    assert entry["mass of cluster 3, second domain"] == pytest.approx(1 / 3)
    if degrees == 0:
        assert entry["displacement"] == pytest.approx(sum(s * s for s in toy.SHIFT), abs=1e-3)


def test_the_turn_is_seen() -> None:
    assert numbers(perfect(0.0), Arm(degrees=120.0))["kept there"] == 0


def test_displacement_counts_classes_by_the_midpoint() -> None:
    found = perfect(0.0)
    found["gx"] = torch.where((found["class"] == 1)[:, None], found["x"] + 2, found["x"])
    # (2^2 + 2^2) times the midpoint's mass of cluster 1
    assert numbers(found, Arm())["displacement"] == pytest.approx(8 * 0.3, abs=1e-3)


def test_masses_are_compared_with_the_midpoint_and_each_other() -> None:
    found = perfect(0.0)
    found["totals"] = torch.tensor([[0.5, 0.3, 0.2], [0.35, 0.3, 0.35]]).repeat(20, 1, 1)
    entry = numbers(found, Arm())
    assert entry["masses from the midpoint"] == pytest.approx(0.15)
    assert entry["masses between the domains"] == pytest.approx(0.15)
    assert entry["mass of cluster 3, first domain"] == pytest.approx(0.2)
    assert entry["steps to the midpoint"] == 20  # not reached: both records are there


@pytest.mark.parametrize("weighting", ["composite", "none"])
def test_a_run_is_a_function_of_its_seed(weighting: str, tmp_path: Path) -> None:
    arm = Arm(weighting, config=TINY)
    a, b, c = (clusters.run(arm, seed, tmp_path) for seed in (0, 0, 1))
    assert torch.equal(a["gx"], b["gx"])
    assert not torch.equal(a["gx"], c["gx"])
    assert a["totals"].shape == (4, 2, 3)
    assert a["fy"].shape == a["gx"].shape == (clusters.TEST, 2)
    measured = {m.name: m for m in clusters.measure(arm, 0, a)}
    assert measured["kept there"].error > 0 == measured["displacement"].error


def test_the_earlier_runs_are_of_these_arms() -> None:
    card = frames.card(STUDY)
    as_json = {name: json.loads(json.dumps(asdict(arm))) for name, arm in ARMS.items()}
    assert card.origin["settings"] == as_json
    assert {(r.arm, r.seed) for r in card.rows} == {(a, s) for a in ARMS for s in STUDY.seeds}


def test_the_card_holds_what_the_earlier_runs_say() -> None:
    card = frames.card(STUDY)
    assert card.arms == tuple(ARMS)
    assert card["weights", "kept there"].seeds == len(STUDY.seeds)
    # of 3000 test points, all kept: the error of the one test set of all seeds stays
    assert 0 < card["weights", "kept there"].error < 1e-3
    masses_there = [card["tight", f"mass of cluster {k}, first domain"].value for k in (1, 2, 3)]
    assert sum(masses_there) == pytest.approx(1, abs=1e-3)
    moves = [card["turned 90", f"from cluster 2 to {k}"].value for k in (1, 2, 3)]
    assert sum(moves) == pytest.approx(1, abs=1e-3)
    there = frames.excerpts(STUDY, "turned 90", "there")
    assert there.shape == (5, 3, 3)
    assert float(there[:, 1, 0].mean()) == pytest.approx(moves[0], abs=1e-4)


def test_a_run_has_arrived_when_its_smoothed_masses_are_close() -> None:
    middle, far = [0.35, 0.3, 0.35], [0.6, 0.3, 0.1]
    totals = [[far, middle]] * 3 + [[middle, middle]] * 7
    # 0.25 away, averaged over five records: below 0.05 once all five are at the midpoint
    assert clusters.reached(totals) == 7 * clusters.EVERY
    assert clusters.reached([[far, middle]] * 4) == 4 * clusters.EVERY
