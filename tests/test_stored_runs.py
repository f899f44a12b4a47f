"""Stored runs as cards: arms, seeds, errors of the shared test items, one training."""

import pytest

from domain_translation.notebook.criteria import CANNOT_TELL, HOLDS, at_least
from domain_translation.notebook.evidence import shared_error
from domain_translation.studies import stored_runs

ORIGIN = {"date": "2026-11-23", "machine": {"cpu": "AVX2"}, "versions": {}}
RUNS = [
    {"method": m, "zeros": 0.5, "seed": s, "kept": kept, "distance": 9.0 + s, "pictures": "x"}
    for m, all_kept in (("with", (0.9, 0.95, 1.0)), ("without", (0.3, 0.35, 0.25)))
    for s, kept in enumerate(all_kept)
]


def card(runs=RUNS):
    items = {"kept": 100}
    return stored_runs.as_card("weights/test", runs, ORIGIN, items=lambda n: items.get(n, 0))


def test_every_seed_of_every_arm_is_a_training_of_its_own():
    found = card()
    assert found.arms == ("with", "without")
    assert found.values(("with", "kept")) == {0: 0.9, 1: 0.95, 2: 1.0}
    estimate = found["with", "kept"]
    assert (estimate.value, estimate.n, estimate.seeds) == (pytest.approx(0.95), 3, 3)
    assert estimate.card == "weights/test"
    assert found.profile == "full"
    assert found.origin["made"] == "2026-11-23"


def test_what_is_no_number_is_left_out():
    assert {row.name for row in card().rows} == {"zeros", "kept", "distance"}


def test_a_share_carries_the_error_of_the_shared_test_items():
    errors = {(r.name, r.seed): r.error for r in card().rows if r.arm == "with"}
    assert errors["kept", 0] == shared_error(0.9, 100)
    assert errors["distance", 0] == 0


def test_differences_are_paired_by_seed():
    found = card().paired(("with", "kept"), ("without", "kept"))
    assert found.value == pytest.approx(0.65)
    assert found.seeds == 3
    assert at_least(found, 0.4).judge(0.05) == HOLDS


def test_one_training_decides_nothing():
    found = card([run for run in RUNS if run["seed"] == 0])
    kept = found["with", "kept"]
    assert (kept.value, kept.error, kept.seeds) == (0.9, shared_error(0.9, 100), 1)
    gained = found.paired(("with", "kept"), ("without", "kept"))
    assert gained.value == pytest.approx(0.6)
    assert gained.seeds == 1
    for estimate in (kept, gained, stored_runs.share("weights/test", 0.25, 8)):
        assert at_least(estimate, 0.0).judge(0.05) == CANNOT_TELL


def test_a_share_of_pictures_has_wilsons_interval():
    found = stored_runs.share("weights/test", 0.25, 8)
    assert found.interval() == pytest.approx((0.0715, 0.5907), abs=1e-3)
    assert (found.n, found.seeds, found.card) == (8, 1, "weights/test")


@pytest.mark.parametrize("name", ["ablations", "likelihood", "ood"])
def test_the_files_come_with_the_package(name):
    assert stored_runs.read(f"energies/{name}")["date"]
