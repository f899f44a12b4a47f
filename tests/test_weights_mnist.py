"""MNIST out of balance at the paper's size: the arms, the judges, the card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator

from domain_translation.data import arrays, fetch
from domain_translation.data.digits import Split
from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation import sample_judges
from domain_translation.evaluation.sample_judges import SampleJudge
from domain_translation.experiments import weights_mnist as mnist
from domain_translation.experiments.weights_digits import Judges
from domain_translation.experiments.weights_methods import FULL


def digits(n: int, seed: int) -> Split:
    g = Generator().manual_seed(seed)
    return Split(torch.rand(n, 1, 32, 32, generator=g) * 2 - 1, torch.arange(n) % 10)


def test_the_arms_are_the_papers_and_differ_in_weights_alone() -> None:
    assert list(FULL) == ["JD-BW", "MUNIT + weights", "joint discriminator", "MUNIT"]
    assert FULL["JD-BW"].config is FULL["joint discriminator"].config
    plain, weighted = vars(FULL["MUNIT"].config), vars(FULL["MUNIT + weights"].config)
    assert plain.items() <= weighted.items()
    assert {method.config.size for method in FULL.values()} == {32}


def test_the_card_holds_every_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    judge = SampleJudge(32, width=2).requires_grad_(False).eval()
    at = Judges(judge, judge, Pair(digits(20, 2), digits(20, 3)))
    short = {
        name: method._replace(config=replace(method.config, steps=2, batch=8, width=4))
        for name, method in FULL.items()
    }
    monkeypatch.setattr(mnist, "FULL", short)
    monkeypatch.setattr(mnist, "judges", lambda folder: at)
    pair = Pair(digits(20, 0), digits(20, 1))
    monkeypatch.setattr(mnist, "training_pair", lambda name, n, seed: pair)
    assert mnist.main([str(tmp_path)]) == 0
    card = json.loads((tmp_path / "mnist.json").read_text())
    assert [run["method"] for run in card["runs"]] == list(FULL)
    assert card["runs"][0]["zero mass, goal"] == pytest.approx(0.3)
    assert set(card["runs"][3]["pictures"]) == {"there", "back"}


def test_the_judge_of_the_first_domain_sees_other_poses_than_the_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        sample_judges, "MNIST", replace(sample_judges.MNIST, steps=2, batch=8, width=2)
    )
    seen = digits(20, 4)
    monkeypatch.setattr(arrays, "load", lambda name, part: seen)
    found = mnist.judges(tmp_path)
    assert found.x(seen.x).shape == (20, 10)
    assert torch.equal(found.test.y.x, seen.x)
    assert (tmp_path / "judge_turned.checkpoint").exists()


def test_without_its_files_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMAIN_TRANSLATION_DATA", str(tmp_path))
    with pytest.raises(fetch.MissingData, match="mnist"):
        mnist.main([str(tmp_path)])


def test_stored_runs_as_a_card() -> None:
    card = mnist.card()
    assert card.study == "weights/mnist-full"
    assert set(card.arms) == set(FULL)
    assert {row.seed for row in card.rows} == {0}
    errors = {r.name: r.error for r in card.rows if r.arm == "JD-BW"}
    assert 0 < errors["kept, x to y"] < errors["zeros kept, x to y"]
