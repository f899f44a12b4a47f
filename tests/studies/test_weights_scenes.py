"""Pairs of domains out of balance, drawn and real: images and masses; the recipes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Generator

from domain_translation.data import arrays, fetch
from domain_translation.data.digits import Split
from domain_translation.evaluation.judges.sample_judges import SampleJudge
from domain_translation.evaluation.pictures.counterparts import outranked
from domain_translation.pretrained.recipes import scenes as recipes
from domain_translation.reweighting.domains import portraits, scenes
from domain_translation.reweighting.domains.edges import canny_edges
from domain_translation.reweighting.domains.scenes import DRAWN, REAL, SCENES
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.reweighting.generators import as_channels

NAMES = list(DRAWN)


@cache
def pair(name: str) -> Pair:
    return scenes.training_pair(SCENES[name], 0, 24)


@pytest.mark.parametrize("name", NAMES)
def test_training_images_have_the_masses_that_the_scene_names(name: str) -> None:
    scene = SCENES[name]
    found = scenes.training_pair(scene, 3, 300)
    for side, channels, mass in zip(found, scene.channels, scene.masses, strict=True):
        assert side.x.shape == (300, channels, scenes.SIZE, scenes.SIZE)
        assert float(side.x.abs().max()) <= 1
        share = torch.bincount(side.y, minlength=len(scene.classes)) / 300
        torch.testing.assert_close(share, torch.tensor(mass), rtol=0, atol=0.08)
    assert scene.masses[0] != scene.masses[1]
    goal = scene.goal()
    assert float(goal.sum()) == pytest.approx(1)
    assert float(goal[0]) == pytest.approx((scene.masses[0][0] + scene.masses[1][0]) / 2)


def test_the_midpoint_of_the_wares_is_that_of_the_paper() -> None:
    # jdbw.arch.targets: 0.417 bags and 0.583 shoes
    assert SCENES["wares"].goal().tolist() == pytest.approx([0.417, 0.583], abs=5e-4)
    assert float(SCENES["digits"].goal()[0]) == pytest.approx(0.3)


@pytest.mark.parametrize("name", NAMES)
def test_no_part_has_an_image_of_another(name: str) -> None:
    scene = SCENES[name]
    parts = [
        *scenes.training_pair(scene, 0, 20),
        *scenes.training_pair(scene, 1, 20),
        scenes.judged_pair(scene, 20).x,
        scenes.judged_pair(scene, 20).y,
    ]
    tests = scenes.held_out_pair(scene, 20)
    for part in parts:
        for test in tests:
            if part.x.shape == test.x.shape:
                assert float(torch.cdist(part.x.flatten(1), test.x.flatten(1)).min()) > 0.1
    assert not torch.equal(parts[0].x, parts[2].x)


@pytest.mark.parametrize("name", NAMES)
def test_sides_share_no_ware_in_training_and_all_of_them_held_out(name: str) -> None:
    scene = SCENES[name]
    trained = pair(name)
    assert not torch.equal(trained.x.y, trained.y.y)
    test = scenes.held_out_pair(scene, 24)
    assert torch.equal(test.x.y, test.y.y) == (name != "plates") == scene.paired
    if name == "plates":
        return
    # The untranslated image of one look is nearer to its own counterpart than to most others.
    made = as_channels(test.x.x, scene.channels[1])
    assert outranked(made, test.y.x, test.x.y) < 0.1
    assert outranked(made.roll(1, 0), test.y.x, torch.zeros(24, dtype=torch.int64)) > 0.3


def test_digits_are_skewed_and_held_out() -> None:
    scene = scenes.digits(0.35)
    trained = scenes.training_pair(scene, 0, 400)
    assert int((trained.x.y == 0).sum()) == 140
    assert torch.bincount(trained.y.y).tolist() == [40] * 10
    assert trained.x.x.shape == trained.y.x.shape == (400, 1, 16, 16)
    assert float(trained.x.x.min()) >= -1 - 1e-6
    test = scenes.held_out_pair(scene)
    assert len(test.x.y) == scene.tests == 360
    assert torch.equal(test.x.y, test.y.y)
    assert not torch.equal(test.x.x, test.y.x)
    for others in (trained.y, scenes.judged_pair(scene, 4000).y):
        seen = {tuple(x.flatten().tolist()) for x in others.x}
        assert not any(tuple(x.flatten().tolist()) in seen for x in test.y.x)


@pytest.mark.parametrize("name", ["digits", "heads"])
def test_seeds_are_checked(name: str) -> None:
    with pytest.raises(ValueError, match="seed is -1"):
        scenes.training_pair(SCENES[name], -1, 4)


# ---- real


def real_pictures(name: str, part: str) -> Split:
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


@pytest.fixture
def invented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "load", real_pictures)
    monkeypatch.setattr(portraits, "load", people)
    scenes.training_pair.cache_clear()


@pytest.mark.usefixtures("invented")
@pytest.mark.parametrize("name", list(REAL))
def test_real_images_have_the_scenes_masses_and_test_images_equal_ones(name: str) -> None:
    scene = SCENES[name]
    trained, test = scenes.training_pair(scene, 0, 400), scenes.held_out_pair(scene, 200)
    for side, masses, channels in zip(trained, scene.masses, scene.channels, strict=True):
        assert side.x.shape == (400, channels, 32, 32)
        found = torch.bincount(side.y, minlength=len(masses)) / 400
        torch.testing.assert_close(found, torch.tensor(masses), atol=0.004, rtol=0)
    for side in test:
        counts = torch.bincount(side.y)
        assert int(counts.min()) == int(counts.max()) == 200 // len(scene.classes)


@pytest.mark.usefixtures("invented")
@pytest.mark.parametrize("name", ["mnist", "street"])
def test_only_held_out_images_come_from_the_test_part(name: str) -> None:
    scene, corner = SCENES[name], {"train": -1, "test": 1}
    for part, drawn in {
        "train": scenes.training_pair(scene, 0, 50),
        "test": scenes.held_out_pair(scene, 50),
    }.items():
        assert {float(x[0, 0, 0]) for x in drawn.y.x} == {corner[part]}
    assert {float(v) for v in scenes.judged_pair(scene, 50).y.x[:, 0, 0, 0]} == {-1}


@pytest.mark.usefixtures("invented")
def test_contours_of_the_test_stand_beside_their_photographs() -> None:
    x, y = scenes.held_out_pair(SCENES["fashion"], 20)
    assert torch.equal(x.y, y.y)
    torch.testing.assert_close(x.x, canny_edges(y.x))


def test_bright_reads_the_upper_corners() -> None:
    x = torch.full((3, 3, 32, 32), -0.9)
    x[1, :, :8, :8] = x[1, :, :8, -8:] = 0.2
    x[2, :, 8:, 8:24] = 1.0  # a bright face before a dark wall
    assert scenes.bright(x).tolist() == [0, 1, 0]


def test_nobodys_pictures_are_shown() -> None:
    assert SCENES["faces"].shown == ()
    assert set(SCENES["street"].shown) == set(SCENES["fashion"].shown) == {"gx", "fy", "noises"}


def test_without_its_files_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOMAIN_TRANSLATION_DATA", str(tmp_path))
    monkeypatch.setenv("DOMAIN_TRANSLATION_CACHE", str(tmp_path))
    monkeypatch.setenv("DOMAIN_TRANSLATION_OFFLINE", "1")
    with pytest.raises(fetch.MissingData, match="mnist"):
        scenes.training_pair(SCENES["mnist"], 0)


# ---- recipes


def test_recipes_make_judges_and_generators_that_can_be_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recipes.recipes()
    assert set(made) == {f"scenes/{name}" for name in NAMES} | {
        name for scene in DRAWN.values() for name in scene.judges if name.startswith("scenes/")
    }
    monkeypatch.setattr(recipes, "judged_pair", lambda scene: scenes.judged_pair(scene, 24))
    monkeypatch.setattr(recipes, "training_pair", lambda scene, seed: pair(scene.name))
    recipe = made["scenes/judge_photos"]
    config = replace(recipe.config, steps=2, batch=8, width=2)
    (judge,) = recipe.train(config, tmp_path / "judge", 0).items()
    assert judge[0] == "scenes/judge_photos"
    again = SampleJudge(**judge[1].network.arguments())
    again.load_state_dict(judge[1].network.state_dict())
    assert again.eval()(pair("wares").y.x[:2]).shape == (2, 2)
    recipe = made["scenes/wares"]
    narrow = {"width": 2, "critic_width": 2, "weight_width": 2}
    config = replace(recipe.config, steps=2, batch=4, critic_steps=1, **narrow)
    files = recipe.train(config, tmp_path / "translators", 0)
    assert set(files) == {"scenes/wares_forward", "scenes/wares_backward"}
    assert len(recipe.losses(tmp_path / "translators")) == 2
