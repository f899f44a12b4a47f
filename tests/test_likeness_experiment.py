"""The likeness experiments: the table by hand, the paper's pipeline on a tiny stand-in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from domain_translation import cooling, cyclegan
from domain_translation.dae import DenoiserConfig
from domain_translation.data.folders import Domains
from domain_translation.experiments import likeness


def pictures(n: int, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 32, 32, generator=Generator().manual_seed(seed)) * 2 - 1


def brightness(x: Tensor) -> Tensor:
    """A judge of two classes: the brighter, the more of class 1."""
    p = (x.flatten(1).mean(1) + 1) / 2
    return torch.stack([1 - p, p], 1)


def test_the_table_compares_the_arms_on_the_fringe() -> None:
    x = torch.zeros(10, 3, 4, 4)
    after = torch.linspace(0, 0.9, 10).reshape(10, 1, 1, 1).expand_as(x)
    study = cooling.Study(torch.arange(10.0), x, x, x, x, after, x)
    found = likeness.table([study], {"a": brightness, "b": brightness}, 1)
    assert found["images"] == 10
    assert [row["share"] for row in found["shares"]] == list(cooling.SHARES)
    first, last = found["shares"][0], found["shares"][-1]
    assert first["cooled"]["n"] == 2
    assert first["cooled"]["gain"] == pytest.approx((0.8 + 0.9) / 2 / 2, abs=1e-6)
    assert last["cooled"]["gain"] == pytest.approx(0.45 / 2, abs=1e-6)
    assert last["blurred"]["gain"] == 0
    assert found["by judge"]["a"]["plain"] == pytest.approx(0.5)


def test_the_papers_pipeline_runs_from_checkpoint_to_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = cyclegan.ResnetGenerator(width=4, blocks=2)
    file = tmp_path / "latest_net_G.pth"
    torch.save(generator.state_dict(), file)
    parts = {"train": 4, "validation": 3, "test": 10}

    def unpaired(name: str, size: int, split: str) -> Domains:
        assert (name, size) == ("horse2zebra", 32)
        return Domains(pictures(parts[split], parts[split]), pictures(2))

    def judge(x: Tensor) -> Tensor:
        out = torch.zeros(len(x), 1000)
        out[:, likeness.TARGETS["horse2zebra"]] = brightness(x)[:, 1]
        return out

    monkeypatch.setattr(likeness.folders, "unpaired", unpaired)
    judges = lambda names: dict.fromkeys(names, judge)  # noqa: E731
    monkeypatch.setattr(likeness.imagenet, "paper_judges", judges)
    grid = {"step_sizes": (0.005, 0.01), "temperatures": (0.001,), "steps": (1, 2)}
    monkeypatch.setattr(likeness, "PAPER_GRID", grid)
    found = likeness.paper(file, tmp_path, size=32, config=DenoiserConfig(steps=2, batch=2))
    assert found["setting"]["step_size"] in grid["step_sizes"]
    assert found["setting"]["steps"] in grid["steps"]
    assert found["horse2zebra"]["images"] == 10
    assert len(found["horse2zebra"]["by judge"]) == 5
    assert json.loads(json.dumps(found)) == found


def test_the_paper_profile_asks_for_the_translator(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        likeness.main(["paper", "--out", "nowhere"])
    assert "needs --translator" in capsys.readouterr().err


def test_stored_gains_are_of_one_training() -> None:
    shares = likeness.stored()["horse2zebra"]["shares"]
    for arm in ("cooled", "blurred"):
        found = likeness.gains("horse2zebra", arm)
        assert list(found) == [0.2, 0.4, 0.6, 0.8, 1.0]
        for row in shares:
            estimate, said = found[row["share"]], row[arm]
            assert (estimate.value, estimate.n) == (said["gain"], said["n"])
            assert (estimate.seeds, estimate.card) == (1, "likeness-full")
            low, high = estimate.interval()
            assert high - low == pytest.approx(said["high"] - said["low"], rel=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(
    "DOMAIN_TRANSLATION_DATA" not in os.environ,
    reason="needs the ImageNet classifiers in the folder of DOMAIN_TRANSLATION_DATA",
)
def test_photographs_taught_the_judges_what_procedural_zebras_are() -> None:
    from domain_translation.data.procedural import TASKS
    from domain_translation.evaluation import imagenet

    judges = imagenet.full_judges(os.environ["DOMAIN_TRANSLATION_DATA"])
    scenes = TASKS["animals"](12, 5)
    judge = {"MobileNet": judges["MobileNet"]}
    zebra = likeness.likeness(judge, scenes.target, imagenet.ZEBRA)
    horse = likeness.likeness(judge, scenes.source, imagenet.ZEBRA)
    assert zebra.mean() > 0.4 > 0.1 > horse.mean()
