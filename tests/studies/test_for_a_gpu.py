"""The studies that wait for a GPU, at toy size on a pretended one: they train and come back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pretend
import pytest
import torch
from torch import Generator

from domain_translation import pretrained
from domain_translation.data.digits import Split
from domain_translation.energies import training
from domain_translation.energies.config import PAPER
from domain_translation.energies.training import TrainedEnergy
from domain_translation.evaluation.judges.sample_judges import SampleJudge
from domain_translation.reweighting.config import FULL_DIGITS
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.studies import device
from domain_translation.studies.energies import cifar_paper
from domain_translation.studies.reweighting import grid, methods, mnist_batches
from domain_translation.studies.reweighting.methods import Outcome

WHERE = pytest.mark.parametrize("where", ["cpu", pretend.NAME])


def photographs(name: str, part: str = "train") -> Split:
    generator = Generator().manual_seed(len(part))
    x = torch.rand(40, 3, 16, 16, generator=generator) * 2 - 1
    return Split(x, torch.arange(40) % 10)


@WHERE
def test_cifar_by_the_papers_recipe(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"sizes": (8, 16), "images": (16, 24), "steps": (2, 3), "learning_rates": (1e-3, 1e-3)}
    tiny = replace(cifar_paper.STUDY.arms["c = 16"], c=2, batch=8, **few)
    monkeypatch.setattr(cifar_paper, "real_images", photographs)
    monkeypatch.setattr(cifar_paper, "SAMPLES", 30)
    given: list[str] = []

    def train(data: torch.Tensor, *rest: Any) -> TrainedEnergy:
        given.append(data.device.type)
        return training.train(data, *rest)

    monkeypatch.setattr(cifar_paper, "train", train)
    with pretend.accelerator():
        monkeypatch.setattr(device, "best", lambda: torch.device(where))
        found = cifar_paper.run(tiny, 0, tmp_path)
    assert given == [where]
    assert {t.device.type for t in found.values()} == {"cpu"}
    assert found["samples"].shape == (30, 3, 16, 16)
    judge = SampleJudge(16, 3, width=2).eval()
    monkeypatch.setattr(pretrained, "load", lambda name: judge)
    numbers = {m.name: m.value for m in cifar_paper.measure(tiny, 0, found)}
    assert numbers["samples, distance"] > 0 < numbers["one Gaussian, distance"]
    assert cifar_paper.excerpt(tiny, 0, found)["samples"].shape[0] == 8


def test_its_arms_are_the_papers() -> None:
    for arm, config in cifar_paper.STUDY.arms.items():
        assert replace(config, precision=PAPER.precision) == replace(PAPER, c=int(arm[4:]))


@WHERE
def test_minibatches_of_mnist(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = grid.Case("digits", "JD-BW", None).drawn().even(20, 0)
    drawn = {"training_pair": lambda scene, seed: pair, "held_out_pair": lambda scene: pair}
    for name, draw in drawn.items():
        monkeypatch.setattr(mnist_batches, name, draw)
    tiny = replace(FULL_DIGITS, size=16, width=2, critic_width=2, steps=2, batch=8)
    given: list[str] = []

    def train(pair: Pair, *rest: Any) -> Outcome:
        given.extend(t.device.type for part in pair for t in part)
        return methods.TRAIN["JD-BW"](pair, *rest)

    monkeypatch.setattr(mnist_batches, "TRAIN", {"JD-BW": train})
    with pretend.accelerator():
        monkeypatch.setattr(device, "best", lambda: torch.device(where))
        found = mnist_batches.run(grid.Case("digits", "JD-BW", tiny), 0, tmp_path)
    assert set(given) == {where}
    assert {t.device.type for t in found.values()} == {"cpu"}
    assert found["gx"].shape == found["fgx"].shape == (20, 1, 16, 16)
    assert all(t.isfinite().all() for t in found.values())


def test_its_minibatches_are_larger_and_nothing_else_but_the_length() -> None:
    for method, case in mnist_batches.STUDY.arms.items():
        assert case.method == method
        assert replace(case.config, batch=32, steps=1_200) == FULL_DIGITS
        assert case.config.batch == 128
