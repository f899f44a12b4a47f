"""Plates, wares and heads out of balance: domains, methods, measures, the card, the recipes."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor

from domain_translation.data.digits import Split
from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation.counterparts import none_known, outranked
from domain_translation.evaluation.sample_judges import SampleJudge
from domain_translation.experiments import weights_scene_grid as grid
from domain_translation.experiments import weights_scene_measures as measures
from domain_translation.experiments import weights_scenes as scenes
from domain_translation.experiments.picture_text import from_pictures
from domain_translation.experiments.weights_methods import Outcome, translations
from domain_translation.experiments.weights_scene_measures import Judges
from domain_translation.experiments.weights_scene_methods import METHODS, configuration, train
from domain_translation.experiments.weights_scene_settings import Settings, with_weights
from domain_translation.experiments.weights_scenes import SCENES, Scene
from domain_translation.jd_bw.config import PAPER_SVHN
from domain_translation.jd_bw.generators import as_channels
from domain_translation.recipes import scenes as recipes

NAMES = list(SCENES)


def short(scene: Scene) -> Scene:
    """The scene with two-step trainings of narrow networks."""
    found = scene.settings
    joint = replace(
        found.joint, steps=2, batch=4, critic_steps=1, width=2, critic_width=2, weight_width=2
    )
    munit = replace(found.munit, steps=2, batch=4, width=2, hidden=4, critic_width=2)
    judge = replace(found.judge, steps=2, batch=8, width=2)
    return replace(scene, settings=Settings(joint, munit, with_weights(munit), judge))


@cache
def pair(name: str) -> Pair:
    return scenes.training_pair(SCENES[name], 0, 24)


@cache
def judges(name: str) -> Judges:
    """Untrained judges, and few test images, but every class."""
    scene = short(SCENES[name])
    count = 12 * len(scene.classes)
    torch.manual_seed(0)
    two = [
        SampleJudge(scenes.SIZE, channels, 2, len(scene.classes)).requires_grad_(False).eval()
        for channels in scene.channels
    ]
    return Judges(scene, two[0], two[1], scenes.held_out_pair(scene, count))


# ---- domains


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
    assert torch.equal(test.x.y, test.y.y) == (name != "plates")
    if name == "plates":
        assert scene.errors is none_known
        return
    # The untranslated image of one look is nearer to its own counterpart than to most others.
    made = as_channels(test.x.x, scene.channels[1])
    assert outranked(made, test.y.x, test.x.y) < 0.1
    assert outranked(made.roll(1, 0), test.y.x, torch.zeros(24)) > 0.3


def test_seeds_are_checked() -> None:
    with pytest.raises(ValueError, match="seed is -1"):
        scenes.training_pair(SCENES["heads"], -1, 4)


def test_plates_have_the_papers_noise_and_kernel() -> None:
    joint = SCENES["plates"].settings.joint
    assert (joint.noise, joint.kernel) == (PAPER_SVHN.noise, PAPER_SVHN.kernel) == (16, 1)
    for scene in SCENES.values():
        assert scene.settings.joint.noise == 16
        assert scene.settings.joint.size == scene.settings.munit.size == scenes.SIZE
        weighted = vars(scene.settings.weighted)
        assert vars(scene.settings.munit).items() <= weighted.items()
        assert weighted["clip_first"] <= weighted["clip_last"]


# ---- methods


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("name", ["plates", "heads"])
def test_every_method_translates_both_ways_and_repeats(name: str, method: str) -> None:
    scene, data = short(SCENES[name]), pair(name)
    found = train(method, data, scene.settings, 0)
    x, y = data.x.x[:3], data.y.x[:3]
    assert found.forward(x, 0).shape == y.shape
    assert found.backward(y, 0).shape == x.shape
    assert torch.equal(found.forward(x, 4), found.forward(x, 4))
    assert not torch.equal(found.forward(x, 4), found.forward(x, 5))
    assert torch.equal(train(method, data, scene.settings, 0).forward(x, 4), found.forward(x, 4))
    assert found.totals.shape == (0 if method == "MUNIT" else 2, 2, len(scene.classes))
    if len(found.totals):
        torch.testing.assert_close(found.totals.sum(-1), torch.ones(2, 2))
    assert found.parameters > 500


def test_weights_cost_parameters_and_the_card_says_what_was_trained() -> None:
    scene, data = short(SCENES["wares"]), pair("wares")
    sizes = {name: train(name, data, scene.settings, 0).parameters for name in METHODS}
    assert sizes["JD-BW"] > sizes["joint discriminator"]
    assert sizes["MUNIT + weights"] > sizes["MUNIT"]
    assert configuration("JD-BW", scene.settings)["steps"] == 2
    assert "weight_width" in configuration("MUNIT + weights", scene.settings)
    assert "weight_width" not in configuration("MUNIT", scene.settings)
    with pytest.raises(KeyError):
        train("CycleGAN", data, scene.settings, 0)


# ---- measures


def identity(totals: Tensor) -> Outcome:
    """Translates heads to themselves."""
    return Outcome(lambda x, s: x, lambda y, s: y, totals, torch.ones(len(totals), 2), 7)


def recorded(outcome: Outcome, at: Judges) -> dict[str, Tensor]:
    return translations(outcome, at.test, measures.SOURCES, measures.NOISES) | {
        "totals": outcome.totals,
        "shares": outcome.shares,
        "seconds": torch.tensor(3.0),
        "parameters": torch.tensor(outcome.parameters),
    }


def test_the_summary_of_a_translator_that_does_nothing() -> None:
    at = judges("heads")
    totals = torch.tensor(at.scene.masses)[None].repeat(8, 1, 1)
    entry = grid.summary(recorded(identity(totals), at), at)
    nothing = grid.rounded(measures.nothing(at))
    assert {key: entry[key] for key in nothing} == nothing
    assert entry["pixels, x there and back"] == entry["pixels, y there and back"] == 0
    assert entry["kept, x there and back"] == pytest.approx(measures.right(at)["x"], abs=1e-4)
    assert entry["diversity, x to y"] == entry["class swayed by noise, x to y"] == 0
    assert entry["pixels by noise, x to y"] == entry["class by noise, y to x"] == 0
    assert entry["pixels by source, x to y"] == entry["class by source, y to x"] == 1
    # The masses of the training images are half their difference away from the midpoint.
    assert entry["gap, x"] == entry["gap, y"] == entry["gap without weights"] == 0.2
    assert entry["effective share"] == 1
    assert len(entry["confusion, x to y"]) == 2


def test_the_error_of_a_perfect_translator_is_zero() -> None:
    at = judges("wares")
    x, y = at.test

    def look_up(source: Split, target: Split, images: Tensor) -> Tensor:
        """The counterpart of the nearest test image; `images` may be test images of either look."""
        if images.shape[1] == target.x.shape[1]:
            return images
        return target.x[torch.cdist(images.flatten(1), source.x.flatten(1)).argmin(1)]

    perfect = Outcome(
        lambda images, seed: look_up(x, y, images),
        lambda images, seed: look_up(y, x, images),
        torch.zeros(0, 2, 2),
        torch.zeros(0, 2),
        0,
    )
    entry = grid.summary(recorded(perfect, at), at)
    assert entry["error, x to y"] == entry["error, y to x"] == 0
    assert entry["outranked, x to y"] == entry["outranked, y to x"] == 0
    for baseline in (measures.nothing(at), measures.one_picture(at)):
        assert baseline["error, x to y"] > 0.05
        assert baseline["error, y to x"] > 0.05
    assert measures.one_picture(at)["outranked, x to y"] == pytest.approx(0.5, abs=0.01)
    assert "gap, x" not in entry  # nothing was recorded


def test_plates_have_no_errors() -> None:
    assert not any("error" in key for key in measures.nothing(judges("plates")))


def test_noise_that_decides_the_class_is_seen() -> None:
    at = judges("heads")
    made = at.test.x.x[:6]
    by_noise = made[None, :4].expand(6, 4, *made.shape[1:])
    found = measures.of_noise(by_noise, at.x)
    assert found["pixels by noise"] == pytest.approx(1)
    assert found["class by noise"] == pytest.approx(1)
    assert found["pixels by source"] == pytest.approx(0, abs=1e-6)
    assert measures.shares(torch.ones(3, 4, 5)) == (0, 0, 0)  # a collapsed translator


def test_the_gap_is_measured_late_and_by_domain() -> None:
    scene = SCENES["heads"]
    goal = scene.goal().float()
    totals = torch.zeros(16, 2, 2)
    totals[-2:] = goal
    totals[-2:, 1] += torch.tensor([0.1, -0.1])
    found = measures.of_masses(totals, torch.full((16, 2), 0.5), scene)
    assert found["gap, x"] == pytest.approx(0, abs=1e-6)
    assert found["gap, y"] == pytest.approx(0.1, abs=1e-6)
    assert found["effective share"] == 0.5
    assert found["weights exactly equal"] == 0
    assert measures.of_masses(torch.zeros(0, 2, 2), torch.zeros(0, 2), scene) == {}


# ---- the grid


def test_runs_are_planned_by_seed() -> None:
    planned = grid.planned(NAMES, 3)
    assert len(planned) == len(set(planned)) == 3 * 3 * 4
    assert [seed for *_, seed in planned] == sorted(seed for *_, seed in planned)


def test_the_grid_writes_its_card_and_repeats_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "judges", lambda scene: judges(scene.name))
    monkeypatch.setattr(grid, "training_pair", lambda scene, seed: pair(scene.name))
    monkeypatch.setattr(measures, "SOURCES", 4)
    monkeypatch.setattr(measures, "NOISES", 2)
    plan = [("wares", "JD-BW", 0), ("plates", "MUNIT", 0), ("wares", "JD-BW", 1)]
    monkeypatch.setattr(grid, "planned", lambda scenes, seeds: plan)
    assert grid.main([str(tmp_path), "--scenes", "plates", "wares"]) == 0
    text = (tmp_path / "scenes.json").read_text()
    card = json.loads(text)
    assert list(card["scenes"]) == ["plates", "wares"]
    runs = card["scenes"]["wares"]["runs"]
    assert [(r["method"], r["seed"]) for r in runs] == [("JD-BW", 0), ("JD-BW", 1)]
    assert "pictures" not in runs[1]
    shown = runs[0]["pictures"]
    assert from_pictures(shown["gx"], 16, 3).shape == (measures.SHOWN, 3, 16, 16)
    assert from_pictures(shown["fgx"], 16, 1).shape == (measures.SHOWN, 1, 16, 16)
    assert from_pictures(shown["noises"], 16, 3).shape == (4 * 2, 3, 16, 16)
    assert card["scenes"]["wares"]["goal"] == pytest.approx([0.417, 0.583], abs=5e-4)
    assert "NaN" not in text
    monkeypatch.setattr(grid, "train", None)  # nothing left to train with
    assert grid.main([str(tmp_path), "--scenes", "plates", "wares"]) == 0
    again = json.loads((tmp_path / "scenes.json").read_text())
    assert again["scenes"] == card["scenes"]
    with pytest.raises(TypeError):
        grid.run("MUNIT", 5, judges("wares"), tmp_path / "scene_runs")


# ---- recipes


def test_recipes_make_judges_and_generators_that_can_be_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recipes.recipes()
    assert set(made) == {f"scenes/{name}" for name in NAMES} | {
        name for scene in SCENES.values() for name in scene.judges if name.startswith("scenes/")
    }
    monkeypatch.setattr(recipes, "judged_pair", lambda scene: scenes.judged_pair(scene, 24))
    monkeypatch.setattr(recipes, "training_pair", lambda scene, seed: pair(scene.name))
    monkeypatch.setitem(SCENES, "wares", short(SCENES["wares"]))
    recipe = recipes.recipes()["scenes/judge_photos"]
    (judge,) = recipe.train(recipe.config, tmp_path / "judge").items()
    assert judge[0] == "scenes/judge_photos"
    again = SampleJudge(**judge[1].network.arguments())
    again.load_state_dict(judge[1].network.state_dict())
    assert again.eval()(pair("wares").y.x[:2]).shape == (2, 2)
    recipe = recipes.recipes()["scenes/wares"]
    files = recipe.train(recipe.config, tmp_path / "translators")
    assert set(files) == {"scenes/wares_forward", "scenes/wares_backward"}
    losses = recipe.losses(tmp_path / "translators")
    assert len(losses) == recipe.config.steps
