"""The studies of likeness: the table by hand, the paper's pipeline on a tiny stand-in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation import cooling
from domain_translation.data.folders import Domains
from domain_translation.denoising import DenoiserConfig
from domain_translation.studies.cooling import likeness, likeness_paper, likeness_public
from domain_translation.translators import cyclegan


def pictures(n: int, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 32, 32, generator=Generator().manual_seed(seed)) * 2 - 1


def brightness(x: Tensor) -> Tensor:
    """A judge of two classes: the brighter, the more of class 1."""
    p = (x.flatten(1).mean(1) + 1) / 2
    return torch.stack([1 - p, p], 1)


def brightness_of_zebras(x: Tensor) -> Tensor:
    """The same among ImageNet's classes."""
    out = torch.zeros(len(x), 1000)
    out[:, likeness.TARGETS["horse2zebra"]] = brightness(x)[:, 1]
    return out


def test_the_table_compares_the_arms_on_the_fringe() -> None:
    x = torch.zeros(10, 3, 4, 4)
    after = torch.linspace(0, 0.9, 10).reshape(10, 1, 1, 1).expand_as(x)
    study = cooling.Study(torch.arange(10.0), x, x, x, x, after, x)
    judged = likeness.judged(study, {"a": brightness, "b": brightness}, 1)
    found = likeness.table(judged)
    assert found["gain, cooled, fringe of 20%"] == pytest.approx((0.8 + 0.9) / 2 / 2, abs=1e-6)
    assert found["gain, cooled, fringe of 100%"] == pytest.approx(0.45 / 2, abs=1e-6)
    assert found["gain, blurred, fringe of 100%"] == 0
    assert found["likeness, plain, fringe of 40%"] == pytest.approx(0.5)
    assert found["likeness, plain"] == pytest.approx(0.5)
    gains = [name for name in found if name.startswith("gain, cooled")]
    assert len(gains) == len(cooling.SHARES)


def test_the_papers_pipeline_runs_from_checkpoint_to_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = cyclegan.ResnetGenerator(width=4, blocks=2)
    torch.save(generator.state_dict(), tmp_path / likeness_paper.TRANSLATOR)
    monkeypatch.setenv("DOMAIN_TRANSLATION_DATA", str(tmp_path))
    parts = {"train": 4, "validation": 3, "test": 10}

    def unpaired(name: str, size: int, split: str) -> Domains:
        assert (name, size) == ("horse2zebra", 32)
        return Domains(pictures(parts[split], parts[split]), pictures(2))

    monkeypatch.setattr(likeness_paper.folders, "unpaired", unpaired)
    judges = lambda names: dict.fromkeys(names, brightness_of_zebras)  # noqa: E731
    monkeypatch.setattr(likeness_paper.imagenet, "paper_judges", judges)
    small = likeness_paper.Photographs(
        size=32,
        denoiser=DenoiserConfig(steps=2, batch=2),
        step_sizes=(0.005, 0.01),
        temperatures=(0.001,),
        steps=(1, 2),
    )
    found = likeness_paper.run(small, 0, tmp_path)
    numbers = {m.name: m.value for m in likeness_paper.measure(small, 0, found)}
    assert numbers["chosen step size"] in small.step_sizes
    assert numbers["chosen steps"] in small.steps
    assert found["plain"].shape == (5, 10)
    assert 0 < numbers["likeness, plain"] < 1


def test_the_paper_asks_for_the_translator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOMAIN_TRANSLATION_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*latest_net_G\.pth"):
        likeness_paper.run(likeness_paper.Photographs(), 0, tmp_path)


def test_shipped_directions_are_behind_the_numbers_of_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(likeness.fetch, "fetch", lambda name: [Path("here/file")])
    monkeypatch.setattr(
        likeness.imagenet, "full_judges", lambda folder: {"a": brightness_of_zebras}
    )
    of = likeness.Scenes("horse2zebra", cooling.Cooling(0.3, 0.005, 0.001, 2), scenes=10)
    found = likeness.run(of, 1, Path())
    rows = {m.name: m for m in likeness.measure(of, 1, found)}
    assert rows["likeness, truth"].value == pytest.approx(float(found["truth"].mean()))
    assert len({tuple(m.networks) for m in rows.values()}) == 1
    again = likeness.run(of, 1, Path())
    assert torch.equal(found["after_cooling"], again["after_cooling"])
    # The same scenes before classifiers that anybody can get.
    monkeypatch.setattr(
        likeness.imagenet, "paper_judges", lambda names: dict.fromkeys(names, brightness_of_zebras)
    )
    public = likeness_public.run(of, 1, Path())
    assert len(public["truth"]) == 2
    assert torch.equal(public["after_cooling"][1:], found["after_cooling"])


@pytest.mark.slow
@pytest.mark.skipif(
    "DOMAIN_TRANSLATION_DATA" not in os.environ,
    reason="needs the ImageNet classifiers in the folder of DOMAIN_TRANSLATION_DATA",
)
def test_photographs_taught_the_judges_what_procedural_zebras_are() -> None:
    from domain_translation.evaluation.judges import imagenet
    from domain_translation.synthetic import TASKS

    judges = imagenet.full_judges(os.environ["DOMAIN_TRANSLATION_DATA"])
    scenes = TASKS["animals"](12, 5)
    judge = {"MobileNet": judges["MobileNet"]}
    zebra = likeness.likeness(judge, scenes.target, imagenet.ZEBRA)
    horse = likeness.likeness(judge, scenes.source, imagenet.ZEBRA)
    assert zebra.mean() > 0.4 > 0.1 > horse.mean()
