"""The grid of the planar toy: its arms, its summaries, a whole small run."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from domain_translation import ledger
from domain_translation.batch_weight.masses import masses
from domain_translation.experiments import weights_clusters as clusters
from domain_translation.experiments.weights_clusters import ARMS, Arm
from domain_translation.jd_bw import toy, toy_variants

TINY = toy.ToyConfig(steps=4, batch=8, critic_steps=1, width=4)


def test_arms_name_what_exists() -> None:
    for arm in ARMS.values():
        assert arm.weighting in toy_variants.WEIGHTINGS
        assert arm.generator in toy_variants.GENERATORS
        assert arm.config.steps >= clusters.LATE
    assert len({json.dumps(str(arm)) for arm in ARMS.values()}) == len(ARMS)
    assert {masses(clusters.P).shape, masses(clusters.Q).shape} == {(3,)}


def test_every_cluster_has_its_row() -> None:
    classes, found = torch.tensor([0, 0, 0, 0, 1, 2, 2]), torch.tensor([0, 0, 0, 1, 1, 0, 0])
    assert clusters.moved(classes, found) == [[0.75, 0.25, 0], [0, 1, 0], [1, 0, 0]]


def perfect(degrees: float) -> dict[str, torch.Tensor]:
    """Test points and their true translations, as a training would leave them."""
    x, y = clusters.domains(300, 0, degrees)
    shift = torch.tensor(toy.SHIFT)
    return {
        "x": x.x,
        "class": x.y,
        "gx": toy_variants.turned(x.x + shift, degrees),
        "fy": toy_variants.turned(y.x, -degrees) - shift,
        "class y": y.y,
        "totals": torch.full((20, 2, 3), 1 / 3),
        "shares": torch.cat([torch.full((10, 2), 0.5), torch.ones(10, 2)]),
        "seconds": torch.tensor(1.5),
    }


@pytest.mark.parametrize("degrees", [0.0, 90.0])
def test_the_true_translation_keeps_all(degrees: float) -> None:
    entry = clusters.summary(perfect(degrees), Arm(degrees=degrees))
    assert entry["kept"] == entry["kept back"] == 1
    assert entry["least share"] == 0.5
    assert entry["masses"] == [[0.3333] * 3] * 2
    if degrees == 0:
        assert entry["displacement"] == pytest.approx(sum(s * s for s in toy.SHIFT), abs=1e-3)


def test_the_turn_is_seen() -> None:
    found = perfect(0.0)
    assert clusters.summary(found, Arm(degrees=120.0))["kept"] == 0


def test_displacement_counts_classes_by_the_midpoint() -> None:
    found = perfect(0.0)
    found["gx"] = torch.where((found["class"] == 1)[:, None], found["x"] + 2, found["x"])
    # (2^2 + 2^2) times the midpoint's mass of cluster 1
    assert clusters.summary(found, Arm())["displacement"] == pytest.approx(8 * 0.3, abs=1e-3)


@pytest.mark.parametrize("weighting", ["composite", "none"])
def test_a_run_is_a_function_of_its_seed(weighting: str) -> None:
    arm = Arm(weighting, config=TINY)
    a, b, c = (clusters.trained(arm, seed) for seed in (0, 0, 1))
    assert torch.equal(a["gx"], b["gx"])
    assert not torch.equal(a["gx"], c["gx"])
    assert a["totals"].shape == (4, 2, 3)
    assert a["fy"].shape == a["gx"].shape == (clusters.TEST, 2)


def test_a_grid_is_written_and_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arms = {"a": Arm(config=TINY), "b, c": Arm("none", config=replace(TINY, steps=3))}
    monkeypatch.setattr(clusters, "ARMS", arms)
    assert clusters.main([str(tmp_path), "--seeds", "2"]) == 0
    first = json.loads((tmp_path / "clusters.json").read_text())

    def never(arm: Arm, seed: int) -> None:
        raise AssertionError("a finished run was trained again")

    monkeypatch.setattr(clusters, "trained", never)
    clusters.main([str(tmp_path), "--seeds", "2"])
    again = json.loads((tmp_path / "clusters.json").read_text())
    assert first["runs"] == again["runs"]
    assert [(r["arm"], r["seed"]) for r in first["runs"]] == [
        ("a", 0),
        ("a", 1),
        ("b, c", 0),
        ("b, c", 1),
    ]


def test_the_committed_card_is_of_these_arms() -> None:
    text = ledger.data_file("results/full/weights/clusters.json").read_text(encoding="utf-8")
    card = json.loads(text)
    as_json = {name: json.loads(json.dumps(clusters.asdict(arm))) for name, arm in ARMS.items()}
    assert card["arms"] == as_json
    assert {(r["arm"], r["seed"]) for r in card["runs"]} == {
        (name, seed) for name in ARMS for seed in range(clusters.SEEDS)
    }


def test_the_card_holds_what_the_stored_runs_say() -> None:
    card = clusters.card()
    assert card.arms == tuple(ARMS)
    assert card["weights", "kept there"].seeds == clusters.SEEDS
    # of 3000 test points, all kept: the error of the one test set of all seeds stays
    assert 0 < card["weights", "kept there"].error < 1e-3
    masses_there = [card["tight", f"mass of cluster {k}, first domain"].value for k in (1, 2, 3)]
    assert sum(masses_there) == pytest.approx(1, abs=1e-3)
    moves = [card["turned 90", f"from cluster 2 to {k}"].value for k in (1, 2, 3)]
    assert sum(moves) == pytest.approx(1, abs=1e-3)


def test_a_run_has_arrived_when_its_smoothed_masses_are_close() -> None:
    middle, far = [0.35, 0.3, 0.35], [0.6, 0.3, 0.1]
    totals = [[far, middle]] * 3 + [[middle, middle]] * 7
    # 0.25 away, averaged over five records: below 0.05 once all five are at the midpoint
    assert clusters.reached(totals) == 7 * clusters.EVERY
    assert clusters.reached([[far, middle]] * 4) == 4 * clusters.EVERY


def test_a_run_is_told_with_clusters_from_one() -> None:
    run = {
        "arm": "weights",
        "seed": 3,
        "kept": 0.9,
        "kept back": 0.8,
        "masses": [[0.5, 0.3, 0.2], [0.35, 0.3, 0.35]],
        "totals": [[[0.35, 0.3, 0.35]] * 2],
        "share": [0.5, 0.6],
        "least share": 0.4,
        "displacement": 0.2,
        "there": [[0.7, 0.2, 0.1], [0, 1, 0], [0, 0, 1]],
    }
    told = clusters.told(run)
    assert told["kept, worse way"] == 0.8
    assert told["masses from the midpoint"] == pytest.approx(0.15)
    assert told["masses between the domains"] == pytest.approx(0.15)
    assert told["steps to the midpoint"] == 0
    assert told["mass of cluster 3, first domain"] == 0.2
    assert told["from cluster 1 to 2"] == 0.2
