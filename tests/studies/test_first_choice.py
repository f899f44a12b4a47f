"""ImproveIT's Table 1 under a classifier of photographs: what is counted, and a small run."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from domain_translation.evaluation.judges import imagenet
from domain_translation.studies.cooling import first_choice
from domain_translation.studies.cooling.first_choice import EVERY, RATED, STUDY, Horses


def test_first_choices_likeness_and_votes_are_means_over_scenes() -> None:
    # Eleven frames, the truth, blurs as far as the rated and the last frame, and noise alone.
    zebra = torch.linspace(0.1, 0.7, 15 * 2).reshape(15, 2)
    zebra[RATED // EVERY, 0] = 0.0  # one of two is less of a zebra there
    found = {"zebra": zebra, "first": zebra > 0.3}
    numbers = {m.name: m.value for m in first_choice.measure(Horses(), 0, found)}
    assert numbers["likeness after 0 steps"] == pytest.approx(float(zebra[0].mean()))
    assert numbers["likeness after 40 steps"] == pytest.approx(float(zebra[4].mean()))
    assert numbers["likeness, truth"] == pytest.approx(float(zebra[11].mean()))
    assert numbers["likeness, blurred as far"] == pytest.approx(float(zebra[13].mean()))
    assert numbers["likeness, noise alone"] == pytest.approx(float(zebra[14].mean()))
    beyond = float(zebra[10].mean() - zebra[13].mean())
    assert numbers["likeness, rise beyond the blur's"] == pytest.approx(beyond)
    assert numbers["likeness, rise"] == pytest.approx(float(zebra[10].mean() - zebra[0].mean()))
    assert numbers["called zebra after 0 steps"] == 0
    assert numbers["called zebra, truth"] == numbers["called zebra, rise"] == 1
    votes = [numbers[f"{name} preferred"] for name in ("cooled", "truth", "blurred")]
    assert votes == [0.5, 1, 1]


def test_a_small_run_asks_for_every_frame_and_for_the_truth(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def striped(x: Tensor) -> Tensor:
        """Surer of a zebra the more neighbouring columns differ."""
        p = torch.zeros(len(x), 1000)
        p[:, imagenet.ZEBRA] = x.diff(dim=3).abs().flatten(1).mean(1).clamp(max=1)
        p[:, 0] = 0.05
        return p

    monkeypatch.setattr(first_choice, "fetch", lambda _: [SimpleNamespace(parent=tmp_path)])
    monkeypatch.setattr(imagenet, "full_judges", lambda _: {"MobileNet": striped})
    monkeypatch.setattr(first_choice, "CHOSEN_BY", 1)
    setting = replace(Horses().setting, step_size=0.05, steps=10)
    clean, noisy = (
        first_choice.run(Horses(noise, setting, steps=RATED, scenes=2), 0, tmp_path)
        for noise in (0.0, 0.25)
    )
    assert clean["zebra"].shape == clean["first"].shape == (10, 2)
    assert torch.equal(clean["zebra"][6], noisy["zebra"][6])  # of the truth
    assert not torch.equal(clean["zebra"][0], noisy["zebra"][0])
    assert not torch.equal(clean["zebra"][0], clean["zebra"][2])
    assert all(arm.steps >= RATED and arm.steps % EVERY == 0 for arm in STUDY.arms.values())
    assert {arm.noise for arm in STUDY.arms.values()} == {0, 0.05, 0.1, 0.25}
