"""Weights in an energy's positive phase, cooling before JD-BW: what is drawn and what is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from domain_translation.reweighting.domains.scenes import SCENES, held_out_pair, training_pair
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.studies.reweighting import elsewhere
from domain_translation.studies.reweighting.elsewhere import KEPT, STUDY, ZEROS_KEPT, Cooling

ENERGIES = [arm for arm in STUDY.arms if arm != "cooling"]


def digits(n: int) -> Pair:
    return training_pair(SCENES["digits"], 0, n)


def zeros_among(drawn: torch.Tensor, pair: Pair) -> float:
    """Share of the zeros among images drawn from the targets of a pair."""
    rows = (drawn.flatten(1)[:, None] == pair.y.x.flatten(1)[None]).all(2).double().argmax(1)
    return float((pair.y.y[rows] == 0).double().mean())


def test_true_masses_give_the_targets_the_masses_of_the_source() -> None:
    pair = digits(400)
    assert zeros_among(elsewhere.targets("as they are", pair, 0), pair) == pytest.approx(0.1)
    drawn = elsewhere.targets("true masses", pair, 0)
    assert zeros_among(drawn, pair) == pytest.approx(0.5, abs=0.08)
    assert torch.equal(drawn, elsewhere.targets("true masses", pair, 0))


def test_the_shipped_weights_raise_the_zeros_of_the_second_domain() -> None:
    pair = digits(400)
    w = elsewhere.learned(pair)
    assert float(w.sum()) == pytest.approx(1, abs=1e-4)
    zeros = float(w[pair.y.y == 0].sum())
    assert 0.15 < zeros < 0.7


def test_unknown_arms_are_named() -> None:
    with pytest.raises(ValueError, match="take as they are"):
        elsewhere.targets("soft", digits(20), 0)


def test_damage_sets_the_stated_share_of_pixels() -> None:
    x = torch.zeros(50, 1, 16, 16)
    hurt = elsewhere.damaged(x, 0.25, 0)
    assert float((hurt != 0).double().mean()) == pytest.approx(0.25, abs=0.01)
    assert set(hurt.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert torch.equal(elsewhere.damaged(x, 0.0, 0), x)


def test_an_energy_is_trained_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = digits(60)
    monkeypatch.setattr(elsewhere, "training_pair", lambda scene, seed: few)
    arm = STUDY.arms["energy, learned weights"]
    short = {"images": (32, 32), "steps": (2, 2), "c": 1, "batch": 16, "precision": "float32"}
    arm = replace(arm, config=replace(arm.config, **short))
    found = elsewhere.run(arm, 1, tmp_path)
    assert found["gx"].shape == (360, 1, 16, 16)
    measured = {m.name: m for m in elsewhere.measure(arm, 1, found)}
    assert measured[KEPT].networks == ("learned weights, seed 1", elsewhere.SHIPPED)
    assert measured[ZEROS_KEPT].error > measured[KEPT].error > 0
    assert measured["parameters"].value > 500
    plain = replace(arm, targets="as they are")
    assert all(m.networks is None for m in elsewhere.measure(plain, 1, found))
    assert elsewhere.excerpt(arm, 1, found) == {}
    assert elsewhere.excerpt(arm, 0, found)["gx"].shape == (12, 1, 16, 16)


def test_cooling_is_searched_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = digits(60)
    monkeypatch.setattr(elsewhere, "training_pair", lambda scene, seed: few)
    monkeypatch.setattr(elsewhere.denoising, "DIGITS", replace(elsewhere.denoising.DIGITS, batch=8))
    arm = Cooling(
        denoiser_steps=3, levels=(0.0, 0.25), step_sizes=(0.02,), temperatures=(1e-4,), steps=(2, 4)
    )
    found = elsewhere.run(arm, 0, tmp_path)
    assert found["cooled"].shape == (2, 360, 1, 16, 16)
    assert not torch.equal(found["cooled"], found["plain"])
    measured = {m.name: m for m in elsewhere.measure(arm, 0, found)}
    assert measured["chosen steps"].value in (2, 4)
    assert measured[f"{KEPT}, plain, 0%"].value > 0.8 > measured[f"{KEPT}, plain, 25%"].value
    assert {f"{KEPT}, {way}, 25%" for way in ("cooled", "denoised")} < set(measured)


def test_earlier_runs_as_a_card() -> None:
    card = elsewhere.card()
    assert {*STUDY.arms, "energy"} == set(card.arms)
    assert card["energy, true masses", ZEROS_KEPT].seeds == 3
    # All seeds have the learned weights, and the translator of damaged digits, from one JD-BW.
    assert card["energy, learned weights", ZEROS_KEPT].seeds == 1
    assert card["cooling", f"{KEPT}, cooled, 10%"].seeds == 1
    kept = {arm: card.values((arm, ZEROS_KEPT)) for arm in ENERGIES}
    regained = card.values(("energy", "zeros regained, beyond half"))
    for seed, value in regained.items():
        plain, learned, even = (
            kept[f"energy, {a}"][seed] for a in ("as they are", "learned weights", "no shift")
        )
        assert value == pytest.approx(learned - (plain + even) / 2)
    assert len(held_out_pair(SCENES["digits"]).x.y) == 360
