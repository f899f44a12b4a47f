"""The study of denoisers at toy size: what is trained, what is measured, what a claim asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.denoising import DenoiserConfig
from domain_translation.notebook.cards import Card
from domain_translation.notebook.criteria import CANNOT_TELL
from domain_translation.studies.cooling import denoisers
from domain_translation.studies.cooling.denoisers import DOMAINS, RATIO, STUDY, Case, arm, passes
from domain_translation.studies.reweighting import skip
from domain_translation.synthetic import Scenes, Task


def pictures(n: int, seed: int) -> Tensor:
    """Squares of one colour, which no filter keeps as sharp as they are."""
    small = torch.rand(n, 3, 4, 4, generator=Generator().manual_seed(seed)) * 2 - 1
    return small.repeat_interleave(4, 2).repeat_interleave(4, 3)


def test_every_domain_that_is_cooled_has_both_noises() -> None:
    assert len(DOMAINS) == 7
    assert len(STUDY.arms) == 14
    assert ("city", "target") not in DOMAINS


def test_a_run_beside_the_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held_out = Scenes(pictures(8, 2), pictures(8, 3), torch.zeros(8, dtype=torch.float64))
    task = Task(pictures(40, 0), pictures(40, 1), held_out, held_out)
    monkeypatch.setattr(denoisers, "_task", lambda name: task)
    case = Case("animals", "source", 0.3, DenoiserConfig(steps=40, batch=8, learning_rate=2e-3))
    found = denoisers.run(case, 0, tmp_path)
    numbers = {m.name: m for m in denoisers.measure(case, 0, found)}
    assert numbers[RATIO].value == pytest.approx(
        numbers["noise left, denoiser"].value / numbers["noise left, linear filter"].value
    )
    assert 0.3 < numbers[RATIO].value < 1  # it begins at 1
    assert 0 < numbers[RATIO].error < 0.1
    assert numbers["noise left, linear filter"].networks == ()
    assert numbers["weave, grey levels"].value < denoisers.WEAVE
    assert found["losses"].shape == (40, 1)


def test_the_gate_of_a_claim_waits_for_its_card() -> None:
    (sentence, criterion), *rest = passes(
        Card(STUDY.card, "full"), "fruit", "target", 0.075
    ).items()
    assert sentence == (
        "the denoiser of the fruit (target, sigma 0.075) leaves at most 90 % of a linear filter's "
        "error"
    )
    assert criterion.judge(0.05) == CANNOT_TELL
    assert not rest
    assert arm("fruit", "target", 0.075) in STUDY.arms


def test_the_paper_has_no_skip_and_both_are_run() -> None:
    assert {case.config.skip for case in skip.STUDY.arms.values()} == {False, True}
    assert {case.config.steps for case in skip.STUDY.arms.values()} == {4000}
    assert skip.STUDY.arms[skip.arm("JD-BW", False)].config.skip is False
    assert len(skip.STUDY.seeds) == 5
