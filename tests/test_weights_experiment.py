"""The grid of translators on digits out of balance: methods, measures, the card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.batch_weight.masses import effective_share
from domain_translation.batch_weight.record import exactly_equal
from domain_translation.batch_weight.weighting import batch_softmax
from domain_translation.data.digits import Split
from domain_translation.data.sr_digits import Pair, held_out_pair, training_pair
from domain_translation.evaluation.class_preservation import agreement, confusion
from domain_translation.evaluation.sample_judges import SampleJudge
from domain_translation.experiments import weights_digits as grid
from domain_translation.experiments import weights_methods as methods
from domain_translation.experiments.weights_methods import METHODS, Outcome
from domain_translation.notebook.criteria import FAILS


def digits(n: int, seed: int) -> Split:
    g = Generator().manual_seed(seed)
    return Split(torch.rand(n, 1, 16, 16, generator=g) * 2 - 1, torch.arange(n) % 10)


PAIR = Pair(digits(40, 0), digits(40, 1))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every method for two steps."""
    for name, method in METHODS.items():
        config = replace(method.config, steps=2, batch=8)
        monkeypatch.setitem(METHODS, name, method._replace(config=config))  # type: ignore[arg-type]


def judges() -> grid.Judges:
    torch.manual_seed(0)
    pair = [SampleJudge(16, width=2).requires_grad_(False).eval() for _ in range(2)]
    return grid.Judges(pair[0], pair[1], Pair(digits(20, 2), digits(20, 3)))


def train(name: str) -> Outcome:
    method = METHODS[name]
    return method.train(PAIR, method.config, 0)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_translates_both_ways_and_repeats(name: str) -> None:
    found = train(name)
    x = PAIR.x.x[:3]
    assert found.forward(x, 0).shape == found.backward(x, 0).shape == x.shape
    assert torch.equal(found.forward(x, 4), found.forward(x, 4))
    assert found.parameters > 10_000
    recorded = len(found.totals)
    assert recorded == (0 if name == "MUNIT" else 2)
    if recorded:
        torch.testing.assert_close(found.totals.sum(-1), torch.ones(2, 2))


@pytest.mark.usefixtures("short")
def test_noise_matters_where_there_is_noise() -> None:
    x = PAIR.x.x[:3]
    for name, sways in (("JD-BW", True), ("MUNIT", True), ("CycleGAN", False)):
        found = train(name)
        assert torch.equal(found.forward(x, 0), found.forward(x, 1)) != sways, name


def test_settings_are_those_of_the_training() -> None:
    assert methods.settings("no skip")["skip"] is False
    assert methods.settings("JD-BW")["skip"] is True
    assert "weight_width" in methods.settings("MUNIT + weights")
    assert "weight_width" not in methods.settings("MUNIT")
    assert methods.settings("CycleGAN")["lambda_cycle"] == 10


def identity(totals: Tensor) -> Outcome:
    return Outcome(lambda x, s: x, lambda y, s: y, totals, torch.ones(len(totals), 2), 7)


def test_weights_are_exactly_equal_where_the_clip_has_cut_all_logits() -> None:
    logits = torch.tensor([[0.5, -1.0, 1.5, 0.0], [3.5, 4.0, 9.0, 3.0], [-0.1, 0.0, 0.1, 0.0]])
    shares = torch.tensor([effective_share(batch_softmax(row, 3.0)) for row in logits])
    assert exactly_equal(torch.stack([shares, torch.ones(3)], 1)) == pytest.approx(1 / 3)


def test_the_summary_of_a_translator_that_does_nothing() -> None:
    at = judges()
    totals = torch.zeros(8, 2, 10)
    totals[:, 0, 0], totals[:, 1, 0] = 0.5, 0.1
    found = methods.translations(identity(totals), at.test, 4, 3) | {
        "totals": totals,
        "shares": torch.ones(8, 2),
        "seconds": torch.tensor(3.0),
        "parameters": torch.tensor(7),
    }
    entry = grid.summary(found, at, 0.5)
    nothing = grid.doing_nothing(at)
    assert entry["kept, x to y"] == pytest.approx(nothing["kept, x to y"], abs=1e-4)
    assert entry["pixels, there and back"] == 0
    assert entry["class swayed by noise"] == entry["diversity"] == entry["variance, noise"] == 0
    assert entry["variance, source"] == 1
    assert entry["zero mass, x"] == pytest.approx(0.5)
    assert entry["zero mass, goal"] == pytest.approx(0.3)
    here = grid.confusion(at.x, at.test.y.x, at.test.y.y, 10)
    assert entry["zeros made, y to x"] == pytest.approx(float(here[:, 0].mean()), abs=1e-4)
    assert entry["weights exactly equal"] == 1
    found["shares"][-1, 1] = 0.9
    assert grid.summary(found, at, 0.5)["weights exactly equal"] == 0


def test_runs_are_planned_by_seed_and_the_papers_skew_comes_first() -> None:
    planned = grid.planned(2)
    assert len(planned) == len(set(planned)) == 2 * (len(METHODS) + 5 * len(grid.SWEPT))
    assert [z for _, z, _ in planned[: len(METHODS)]] == [0.5] * len(METHODS)
    assert [s for _, _, s in planned] == sorted(s for _, _, s in planned)
    assert {n for n, z, s in planned if z == 0.8 and s == 1} == set(grid.SWEPT)


@pytest.mark.usefixtures("short")
def test_the_grid_writes_its_card_and_repeats_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "judges", judges)
    monkeypatch.setattr(grid, "training_pair", lambda name, zeros, seed: PAIR)
    monkeypatch.setattr(grid, "SHOWN", 2)
    monkeypatch.setattr(grid, "planned", lambda seeds: [("JD-BW", 0.5, 0), ("CycleGAN", 0.2, 0)])
    assert grid.main([str(tmp_path)]) == 0
    card = json.loads((tmp_path / "digits.json").read_text())
    assert [(r["method"], r["zeros"]) for r in card["runs"]] == [("JD-BW", 0.5), ("CycleGAN", 0.2)]
    assert set(card["runs"][0]["pictures"]) == {"there", "back", "other way", "noises"}
    assert "pictures" not in card["runs"][1]
    monkeypatch.setattr(grid, "METHODS", {})  # nothing left to train with
    with pytest.raises(KeyError):
        grid.run("MUNIT", 0.5, 0, judges(), tmp_path / "runs")


def test_pairs_of_digits_are_skewed_and_held_out() -> None:
    pair = training_pair("digits", n=400)
    assert int((pair.x.y == 0).sum()) == 200
    assert torch.bincount(pair.y.y).tolist() == [40] * 10
    assert pair.x.x.shape == pair.y.x.shape == (400, 1, 16, 16)
    assert float(pair.x.x.min()) >= -1 - 1e-6
    test = held_out_pair("digits")
    assert torch.equal(test.x.y, test.y.y)
    assert not torch.equal(test.x.x, test.y.x)
    seen = {tuple(x.flatten().tolist()) for x in pair.y.x}
    assert not any(tuple(x.flatten().tolist()) in seen for x in test.y.x)
    with pytest.raises(ValueError, match="choose digits or mnist"):
        training_pair("letters")


def test_the_papers_arms_are_among_the_methods() -> None:
    # jdbw.concept.baselines
    assert {"JD-BW", "joint discriminator", "MUNIT", "MUNIT + weights"} <= set(METHODS)


def test_the_judges_name_real_digits() -> None:
    # jdbw.metric.none: what stands in for looking at pictures
    at = grid.judges()
    for judge, side in ((at.x, at.test.x), (at.y, at.test.y)):
        assert agreement(confusion(judge, side.x, side.y, 10)) > 0.97


def test_stored_runs_as_a_card() -> None:
    card = grid.card()
    assert (card.study, card.profile) == ("weights/digits-full", "full")
    assert sorted(card.values((grid.arm("JD-BW"), "zeros kept, x to y"))) == [0, 1, 2]
    estimate = card[grid.arm("no skip"), "kept, x to y"]
    assert (estimate.n, estimate.seeds) == (3, 3)
    (condition,) = grid.working("MUNIT").values()
    assert condition.judge(0.05) == FAILS
    assert grid.items("zeros kept, x to y", 360) == 36
    assert grid.items("class swayed by noise", 360) == grid.SHOWN
    assert grid.items("distance, y", 360) == 0
