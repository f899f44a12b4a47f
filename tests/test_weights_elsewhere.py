"""Weights in an energy's positive phase, cooling before JD-BW: what is drawn and what is judged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator

from domain_translation.data.digits import Split
from domain_translation.data.sr_digits import Pair, held_out_pair, training_pair
from domain_translation.evaluation.sample_judges import SampleJudge
from domain_translation.experiments import weights_elsewhere as elsewhere
from domain_translation.experiments.weights_digits import Judges


def digits(n: int, seed: int) -> Split:
    g = Generator().manual_seed(seed)
    return Split(torch.rand(n, 1, 16, 16, generator=g) * 2 - 1, torch.arange(n) % 10)


def judges() -> Judges:
    torch.manual_seed(0)
    pair = [SampleJudge(16, width=2).requires_grad_(False).eval() for _ in range(2)]
    return Judges(pair[0], pair[1], Pair(digits(20, 2), digits(20, 3)))


def zeros_among(drawn: torch.Tensor, pair: Pair) -> float:
    """Share of the zeros among images drawn from the targets of a pair."""
    rows = (drawn.flatten(1)[:, None] == pair.y.x.flatten(1)[None]).all(2).double().argmax(1)
    return float((pair.y.y[rows] == 0).double().mean())


def test_true_masses_give_the_targets_the_masses_of_the_source() -> None:
    pair = training_pair("digits", n=400)
    assert zeros_among(elsewhere.targets("as they are", pair, 0), pair) == pytest.approx(0.1)
    drawn = elsewhere.targets("true masses", pair, 0)
    assert zeros_among(drawn, pair) == pytest.approx(0.5, abs=0.08)
    assert torch.equal(drawn, elsewhere.targets("true masses", pair, 0))


def test_the_shipped_weights_raise_the_zeros_of_the_second_domain() -> None:
    pair = training_pair("digits", n=400)
    w = elsewhere.learned(pair)
    assert float(w.sum()) == pytest.approx(1, abs=1e-4)
    zeros = float(w[pair.y.y == 0].sum())
    assert 0.15 < zeros < 0.7


def test_unknown_arms_are_named() -> None:
    with pytest.raises(ValueError, match="choose from as they are"):
        elsewhere.targets("soft", training_pair("digits", n=20), 0)


def test_damage_sets_the_stated_share_of_pixels() -> None:
    x = torch.zeros(50, 1, 16, 16)
    hurt = elsewhere.damaged(x, 0.25, 0)
    assert float((hurt != 0).double().mean()) == pytest.approx(0.25, abs=0.01)
    assert set(hurt.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert torch.equal(elsewhere.damaged(x, 0.0, 0), x)


def test_the_card_answers_both_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(
        elsewhere.ENERGY, images=(32, 32), steps=(2, 2), c=1, batch=16, precision="float32"
    )
    monkeypatch.setattr(elsewhere, "ENERGY", short)
    monkeypatch.setattr(elsewhere, "judges", judges)
    monkeypatch.setattr(elsewhere, "LEVELS", (0.0, 0.25))
    monkeypatch.setattr(elsewhere.dae, "DIGITS", replace(elsewhere.dae.DIGITS, batch=8))
    monkeypatch.setattr(elsewhere, "DENOISER_STEPS", 3)
    monkeypatch.setattr(
        elsewhere, "GRID", {"step_sizes": (0.02,), "temperatures": (1e-4,), "steps": (2, 4)}
    )
    pair = training_pair("digits", n=60)
    monkeypatch.setattr(elsewhere, "training_pair", lambda name, zeros=0.5, seed=0: pair)
    assert elsewhere.main([str(tmp_path), "--seeds", "1"]) == 0
    card = json.loads((tmp_path / "elsewhere.json").read_text())
    assert set(elsewhere.ARMS) < set(card["energies"])
    assert all(len(card["energies"][arm]["runs"]) == 1 for arm in elsewhere.ARMS)
    assert card["energies"]["no shift"]["runs"][0]["parameters"] > 1000
    (entry,) = card["cooling"]
    assert entry["chosen on validation digits"]["steps"] in (2, 4)
    assert [e["level"] for e in entry["levels"]] == [0.0, 0.25]
    assert set(entry["levels"][0]) == {"level", "plain", "cooled", "denoised"}


def test_stored_runs_as_a_card() -> None:
    card = elsewhere.card()
    assert {f"energy, {arm}" for arm in elsewhere.ARMS} < set(card.arms)
    assert card["energy, true masses", "zeros kept"].seeds == 3
    # All seeds have the learned weights, and the translator of damaged digits, from one JD-BW.
    assert card["energy, learned weights", "zeros kept"].seeds == 1
    assert card["cooled, 25%", "kept"].seeds == 1
    kept = {a: card.values((f"energy, {a}", "zeros kept")) for a in elsewhere.ARMS}
    regained = card.values(("energy", "zeros regained, beyond half"))
    for seed, value in regained.items():
        plain, learned, even = (
            kept[a][seed] for a in ("as they are", "learned weights", "no shift")
        )
        assert value == pytest.approx(learned - (plain + even) / 2)
    assert len(held_out_pair("digits").x.y) == elsewhere.TESTS
