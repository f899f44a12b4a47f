"""Real domains out of balance: what is drawn, with which masses, and the card."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator

from domain_translation.data import arrays, fetch, portraits
from domain_translation.data.digits import Split
from domain_translation.data.edges import canny_edges
from domain_translation.experiments import weights_real as real
from domain_translation.experiments import weights_scene_tables as tables
from domain_translation.experiments import weights_scenes
from domain_translation.experiments.weights_scene_settings import Settings, with_weights
from domain_translation.experiments.weights_scene_tables import SceneCard
from domain_translation.experiments.weights_scenes import Scene, held_out_pair, training_pair


def pictures(name: str, part: str) -> Split:
    """Random pictures in ten classes; a test picture has its first pixel at 1, others at -1."""
    channels = 3 if name == "mnistm" else 1
    x = torch.rand(200, channels, 32, 32, generator=Generator().manual_seed(len(name))) * 2 - 1
    x[..., 0, 0] = 1.0 if part == "test" else -1.0
    return Split(x, torch.arange(200) % 10)


def people(part: str, size: int, *, seed: int) -> portraits.Portraits:
    """Half of the people before a bright background."""
    x = torch.full((60, 3, size, size), -0.5)
    x[::2] = 0.5
    return portraits.Portraits(x, x.clone())


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "load", pictures)
    monkeypatch.setattr(portraits, "load", people)
    weights_scenes.training_pair.cache_clear()


def short(scene: Scene) -> Scene:
    found = scene.settings
    joint = replace(
        found.joint, steps=2, batch=4, critic_steps=1, width=2, critic_width=2, weight_width=2
    )
    munit = replace(found.munit, steps=2, batch=4, width=2, hidden=4, critic_width=2)
    judge = replace(found.judge, steps=2, batch=8, width=2)
    return replace(scene, settings=Settings(joint, munit, with_weights(munit), judge))


@pytest.mark.parametrize("name", list(real.SCENES))
def test_training_images_have_the_scenes_masses_and_test_images_equal_ones(name: str) -> None:
    scene = real.SCENES[name]
    pair, test = training_pair(scene, 0, 400), held_out_pair(scene, 200)
    for side, masses, channels in zip(pair, scene.masses, scene.channels, strict=True):
        assert side.x.shape == (400, channels, 32, 32)
        found = torch.bincount(side.y, minlength=len(masses)) / 400
        torch.testing.assert_close(found, torch.tensor(masses), atol=0.004, rtol=0)
    for side in test:
        counts = torch.bincount(side.y)
        assert int(counts.min()) == int(counts.max()) == 200 // len(scene.classes)


def test_only_held_out_images_come_from_the_test_part() -> None:
    scene = real.SCENES["street"]
    for pair, corner in ((training_pair(scene, 0, 50), -1), (held_out_pair(scene, 50), 1)):
        assert {float(side.x[i, 0, 0, 0]) for side in pair for i in range(50)} == {corner}
    assert {float(v) for v in real.SCENES["street"].even(50, 1).y.x[:, 0, 0, 0]} == {-1}


def test_contours_of_the_test_stand_beside_their_photographs() -> None:
    x, y = held_out_pair(real.SCENES["fashion"], 20)
    assert torch.equal(x.y, y.y)
    torch.testing.assert_close(x.x, canny_edges(y.x))


def test_bright_reads_the_upper_corners() -> None:
    x = torch.full((3, 3, 32, 32), -0.9)
    x[1, :, :8, :8] = x[1, :, :8, -8:] = 0.2
    x[2, :, 8:, 8:24] = 1.0  # a bright face before a dark wall
    assert real.bright(x).tolist() == [0, 1, 0]


def test_the_card_holds_all_arms_of_a_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "SCENES", {k: short(v) for k, v in real.SCENES.items()})
    monkeypatch.setattr(real, "JUDGED", 40)
    assert real.main([str(tmp_path), "--scenes", "fashion"]) == 0
    card = json.loads((tmp_path / "real.json").read_text())
    assert list(card["scenes"]) == ["fashion"]
    runs = card["scenes"]["fashion"]["runs"]
    assert [run["method"] for run in runs] == ["JD-BW", "joint discriminator", "MUNIT"]
    assert runs[0]["gap without weights"] == pytest.approx(0.317, abs=0.001)
    # Translations only, no image of a data set.
    assert set(runs[0]["pictures"]) == {"gx", "fy", "noises"}
    assert "pictures" not in card["scenes"]["fashion"]
    beside = card["scenes"]["fashion"]["beside"]
    for way in ("x to y", "y to x"):
        assert set(beside[way]) == {"real images", "doing nothing", "one picture", *real.COMPARED}
        assert 0.5 < beside[way]["real images"]["passes"] <= 1
    read = SceneCard(card["scenes"]["fashion"], "")
    assert "| joint discriminator |" in tables.results(read, "x to y", beside["x to y"])


def test_without_its_files_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("DOMAIN_TRANSLATION_DATA", str(tmp_path))
    monkeypatch.setenv("DOMAIN_TRANSLATION_CACHE", str(tmp_path))
    monkeypatch.setenv("DOMAIN_TRANSLATION_OFFLINE", "1")
    with pytest.raises(fetch.MissingData, match="mnist"):
        real.main([str(tmp_path)])
