"""Translators on scenes out of balance: methods, runs, measures, excerpts, declarations, cards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from domain_translation.data.digits import Split
from domain_translation.evaluation.judges.sample_judges import SampleJudge
from domain_translation.evaluation.statistics.class_preservation import agreement, confusion
from domain_translation.notebook.cards import Card, Row
from domain_translation.notebook.criteria import FEWEST_TRAININGS, HOLDS
from domain_translation.reweighting.config import PAPER_SVHN
from domain_translation.reweighting.domains import scenes
from domain_translation.reweighting.domains.scenes import SCENES
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.reweighting.masses import effective_share
from domain_translation.reweighting.record import exactly_equal
from domain_translation.reweighting.weighting import batch_softmax
from domain_translation.studies import frames, registry
from domain_translation.studies.reweighting import (
    conditions,
    digits,
    grid,
    measures,
    mnist,
    munit,
    real,
    yardsticks,
)
from domain_translation.studies.reweighting import scenes as drawn
from domain_translation.studies.reweighting.grid import Case
from domain_translation.studies.reweighting.measures import Judges
from domain_translation.studies.reweighting.methods import TRAIN, Outcome, translations
from domain_translation.studies.reweighting.settings import SETTINGS
from domain_translation.studies.reweighting.yardsticks import BASELINES
from domain_translation.translators.munit import config as munit_config
from domain_translation.translators.munit import training as munit_training

STUDIES = {"digits": digits, "mnist": mnist, "scenes": drawn, "real": real}


def short(config: Any) -> Any:
    """Two steps of narrow networks."""
    narrow = {"width": 2, "critic_width": 2, "weight_width": 2, "hidden": 4, "critic_steps": 1}
    known = {k: v for k, v in narrow.items() if hasattr(config, k)}
    return replace(config, steps=2, batch=4, **known)


@cache
def pair(name: str) -> Pair:
    return scenes.training_pair(SCENES[name], 0, 24)


@cache
def judges(name: str) -> Judges:
    """Untrained judges, and few test images, but every class."""
    scene = SCENES[name]
    torch.manual_seed(0)
    two = [
        SampleJudge(scenes.SIZE, channels, 2, len(scene.classes)).requires_grad_(False).eval()
        for channels in scene.channels
    ]
    return Judges(scene, two[0], two[1], scenes.held_out_pair(scene, 12 * len(scene.classes)))


@pytest.fixture
def few_looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Looks that are learnt from few images."""
    monkeypatch.setattr(yardsticks, "SEEN", 40)
    yardsticks.seen.cache_clear()
    yield
    yardsticks.seen.cache_clear()


# ---- methods

EVERY = [("digits", m) for m in SETTINGS["digits"]]
EVERY += [(scene, m) for scene in ("plates", "heads") for m in SETTINGS[scene]]


@pytest.mark.parametrize(("scene", "method"), EVERY)
def test_every_method_translates_both_ways_and_repeats(scene: str, method: str) -> None:
    data, config = pair(scene), short(SETTINGS[scene][method])
    found, again = (TRAIN[method](data, config, 0, None) for _ in range(2))
    x, y = data.x.x[:3], data.y.x[:3]
    assert found.forward(x, 0).shape == y.shape
    assert found.backward(y, 0).shape == x.shape
    assert torch.equal(found.forward(x, 4), again.forward(x, 4))
    assert torch.equal(found.forward(x, 4), found.forward(x, 5)) == method.startswith("CycleGAN")
    assert found.totals.shape == (0 if method == "MUNIT" else 2, 2, len(SCENES[scene].classes))
    if len(found.totals):
        torch.testing.assert_close(found.totals.sum(-1), torch.ones(2, 2))
    assert found.parameters > 500


def test_weights_cost_parameters() -> None:
    sizes = {
        method: TRAIN[method](pair("wares"), short(config), 0, None).parameters
        for method, config in SETTINGS["wares"].items()
    }
    assert sizes["JD-BW"] > sizes["joint discriminator"]
    assert sizes["MUNIT + weights"] > sizes["MUNIT"]


def test_settings_differ_in_what_the_methods_are_named_after() -> None:
    for name, settings in SETTINGS.items():
        assert settings["JD-BW"] == settings["joint discriminator"]
        weighted = vars(settings["MUNIT + weights"])
        assert vars(settings["MUNIT"]).items() <= weighted.items()
        assert weighted["clip_first"] <= weighted["clip_last"]
        size = scenes.REAL_SIZE if name in scenes.REAL else scenes.SIZE
        assert {config.size for config in settings.values()} == {size}
        noise = 8 if name in ("digits", "mnist") else 16
        assert settings["JD-BW"].noise == noise
    assert SETTINGS["digits"]["no skip"] == replace(SETTINGS["digits"]["JD-BW"], skip=False)
    assert SETTINGS["digits"]["CycleGAN"].lambda_identity > 0
    assert SETTINGS["digits"]["CycleGAN, no identity"].lambda_identity == 0
    plates = SETTINGS["plates"]["JD-BW"]
    assert (plates.noise, plates.kernel) == (PAPER_SVHN.noise, PAPER_SVHN.kernel)


# ---- measures


def identity(totals: Tensor) -> Outcome:
    """Translates digits, or heads, to themselves."""
    return Outcome(lambda x, s: x, lambda y, s: y, totals, torch.ones(len(totals), 2), 7)


def recorded(outcome: Outcome, at: Judges) -> dict[str, Tensor]:
    return translations(outcome, at.test, *at.scene.fixed) | {
        "totals": outcome.totals,
        "shares": outcome.shares,
        "parameters": torch.tensor(outcome.parameters),
    }


@pytest.mark.usefixtures("few_looks")
def test_numbers_of_a_translator_that_does_nothing() -> None:
    at = judges("heads")
    totals = torch.tensor(at.scene.masses)[None].repeat(8, 1, 1)
    entry = measures.of_run(recorded(identity(totals), at), at)
    nothing = yardsticks.of_baseline("doing nothing", at)
    assert {key: entry[key] for key in nothing if key in entry} == {
        key: value for key, value in nothing.items() if not key.startswith("passes")
    }
    assert entry["pixels, x there and back"] == entry["pixels, y there and back"] == 0
    assert entry["kept, x there and back"] == pytest.approx(
        agreement(confusion(at.x, at.test.x.x, at.test.x.y, 2))
    )
    assert entry["diversity, x to y"] == entry["class swayed by noise, x to y"] == 0
    by_noise = entry["pixels by noise, x to y"], entry["class by noise, y to x"]
    assert by_noise == pytest.approx((0, 0), abs=1e-9)
    assert entry["pixels by source, x to y"] == pytest.approx(1)
    # The masses of the training images are half their difference away from the midpoint.
    gaps = [entry[name] for name in ("gap, x", "gap, y", "gap without weights")]
    assert gaps == pytest.approx([0.2, 0.2, 0.2])
    assert entry["mass of glasses, y"] == pytest.approx(0.6)
    assert entry["effective share"] == entry["weights exactly equal"] == 1


@pytest.mark.usefixtures("few_looks")
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
    entry = measures.of_run(recorded(perfect, at), at)
    assert entry["error, x to y"] == entry["error, y to x"] == 0
    assert entry["outranked, x to y"] == entry["outranked, y to x"] == 0
    one = yardsticks.of_baseline("one picture", at)
    for baseline in (yardsticks.of_baseline("doing nothing", at), one):
        assert baseline["error, x to y"] > 0.05
        assert baseline["error, y to x"] > 0.05
    assert one["outranked, x to y"] == pytest.approx(0.5, abs=0.01)
    assert "gap, x" not in entry  # nothing was recorded


@pytest.mark.usefixtures("few_looks")
def test_plates_have_no_errors() -> None:
    assert not any(
        "error" in key for key in yardsticks.of_baseline("doing nothing", judges("plates"))
    )


def test_what_becomes_of_the_classes() -> None:
    """Rare are bags (class 0) among the photographs, and shoes (class 1) among the edges."""
    there, back = measures.ways(judges("wares"))
    assert (there.rare, there.common, back.rare, back.common) == (0, 1, 1, 0)
    table = torch.tensor([[0.9, 0.1], [0.5, 0.5]])
    found = measures.of_classes(table, there)
    assert found["rare class kept"] == pytest.approx(0.9)
    assert found["common class made"] == pytest.approx(0.3)
    assert measures.of_classes(table, back)["rare class kept"] == pytest.approx(0.5)
    for made, count in (([0, 1.0], 1), ([0.5, 0.5], 2)):
        assert measures.of_classes(torch.tensor([made] * 2), there)["classes made"] == count


def test_noise_that_decides_the_class_is_seen() -> None:
    at = judges("heads")
    made = at.test.x.x[:6]
    by_noise = made[None, :4].expand(6, 4, *made.shape[1:])
    found = measures.of_noise(by_noise, at.x)
    names = ("pixels by noise", "pixels by noise - by both", "class by noise")
    assert [found[name] for name in names] == pytest.approx([1, 1, 1])
    assert found["class not by source"] == pytest.approx(1)
    assert found["pixels by source"] == pytest.approx(0, abs=1e-6)
    assert measures.shares(torch.ones(3, 4, 5)) == (0, 0, 0)  # a collapsed translator


def test_source_over_noise_is_that_of_the_pairs() -> None:
    g = torch.Generator().manual_seed(7)
    v = torch.randn(5, 4, 3, generator=g, dtype=torch.float64) + torch.randn(5, 1, 3, generator=g)
    found = measures.shares(v)
    pairs = [torch.cdist(row, row).square().sum() / (5 * 4 * 3) for row in v]
    others = [torch.cdist(c, c).square().sum() / (4 * 5 * 4) for c in v.transpose(0, 1)]
    wanted = float(sum(pairs) / sum(others))
    assert measures.source_over_noise(found.source, found.noise, 5, 4) == pytest.approx(wanted)


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
    assert measures.of_masses(torch.zeros(0, 2, 2), torch.zeros(0, 2), scene) == {
        "effective share": 1
    }


def test_weights_are_exactly_equal_where_the_clip_has_cut_all_logits() -> None:
    logits = torch.tensor([[0.5, -1.0, 1.5, 0.0], [3.5, 4.0, 9.0, 3.0], [-0.1, 0.0, 0.1, 0.0]])
    shares = torch.tensor([effective_share(batch_softmax(row, 3.0)) for row in logits])
    assert exactly_equal(torch.stack([shares, torch.ones(3)], 1)) == pytest.approx(1 / 3)


def test_shares_are_of_test_images() -> None:
    scene = SCENES["digits"]
    assert measures.items("rare class kept, x to y", scene) == 36
    assert measures.items("class swayed by noise, x to y", scene) == 12
    assert measures.items("kept, x to y", scene) == measures.items("passes, y to x", scene) == 360
    assert measures.items("distance, x to y", scene) == 0
    assert measures.items("rare class kept, x to y", SCENES["wares"]) == 200


def test_the_judges_name_real_digits() -> None:
    # jdbw.metric.none: what stands in for looking at pictures
    at = measures.judges(SCENES["digits"])
    for judge, side in ((at.x, at.test.x), (at.y, at.test.y)):
        assert agreement(confusion(judge, side.x, side.y, 10)) > 0.97


def test_a_judge_that_is_not_shipped_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = replace(SCENES["wares"], name="fashion", judges=("", "scenes/judge_photos"), judged=60)
    config = replace(measures.FASHION, steps=2, batch=8, width=2)
    monkeypatch.setitem(measures.JUDGE_SETTINGS, "fashion", config)
    at = measures.judges(scene)
    assert at.x.arguments()["width"] == 2 != at.y.arguments()["width"]
    assert measures.judges(scene) is at


# ---- yardsticks


def test_real_images_pass_and_untranslated_ones_do_not() -> None:
    at = measures.judges(SCENES["plates"])
    of = {name: yardsticks.of_baseline(name, at) for name in BASELINES}
    for way in measures.WAYS:
        assert of["real images"][f"kept, {way}"] > 0.97
        assert 0 < of["real images"][f"distance, {way}"] < 10
        assert of["real images"][f"passes, {way}"] > 0.85
        assert of["doing nothing"][f"passes, {way}"] < 0.05
    x, y = (side.x[:8] for side in at.test)
    passes = yardsticks.passing(y, x, at.scene)
    assert min(passes.values()) >= 0.75
    assert list(passes) == ["passes, x to y", "passes, y to x"]


def test_apart() -> None:
    """Noise of standard deviation 0.1 in each class: two images are 0.1 sqrt(2) apart."""
    g = torch.Generator().manual_seed(0)
    classes = torch.arange(2).repeat(500)
    images = classes[:, None, None, None] + 0.1 * torch.randn(1000, 3, 4, 4, generator=g)
    assert abs(yardsticks.apart(images, classes) - 0.1 * 2**0.5) < 0.002
    assert yardsticks.apart(images, torch.zeros(1000)) > 0.5


# ---- runs


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, few_looks: None) -> None:
    """Few images, and untrained judges."""
    monkeypatch.setattr(grid, "training_pair", lambda scene, seed: pair(scene.name))
    monkeypatch.setattr(grid, "held_out_pair", lambda scene: judges(scene.name).test)
    monkeypatch.setattr(grid, "judges", lambda scene: judges(scene.name))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("scene", "zeros"), [("digits", 0.35), ("wares", None)])
def test_a_run_is_measured_and_shown(scene: str, zeros: float | None, tmp_path: Path) -> None:
    case = Case(scene, "JD-BW", short(SETTINGS[scene]["JD-BW"]), zeros)
    found = grid.run(case, 1, tmp_path)
    assert found["totals"].shape == (1, 2, len(SCENES[scene].classes))
    numbers = {m.name: m for m in grid.measure(case, 1, found)}
    assert numbers["kept, x to y"].networks is None
    assert numbers["kept, x to y"].error > 0 == numbers["distance, x to y"].error
    assert {"passes, x to y", "rare class kept, y to x", "gap, x"} <= set(numbers)
    classes = len(SCENES[scene].classes)
    shown = grid.excerpt(case, 1, found)
    assert set(shown) == {"confusion, x to y", "confusion, y to x", "totals"}
    assert shown["confusion, x to y"].shape == (classes, classes)
    first = grid.excerpt(case, 0, found)
    count = 12 if scene == "digits" else grid.SHOWN
    assert first["gx"].shape == found["gx"][:count].shape
    assert first["gx"].dtype == torch.uint8
    assert first["noises"].shape[:2] == ((12, 6) if scene == "digits" else (grid.ROWS, 8))


@pytest.mark.usefixtures("few")
def test_a_baseline_is_measured_once_and_has_no_network(tmp_path: Path) -> None:
    case = Case("wares", "one picture")
    found = grid.run(case, 0, tmp_path)
    assert found == grid.excerpt(case, 0, found) == {}
    assert all(m.networks == () for m in grid.measure(case, 0, found))
    assert grid.measure(case, 1, found) == []


def test_of_digits_three_zeros_and_one_of_each_other_are_shown() -> None:
    classes = torch.tensor([3, 0, 1, 0, 0, 2, 0, 4, 5, 6, 7, 8, 9, 1])
    assert grid.picked(SCENES["digits"], classes).tolist() == [1, 3, 4, 2, 5, 0, *range(7, 13)]
    assert grid.picked(SCENES["plates"], classes).tolist() == list(range(8))


# ---- declarations and cards


def test_every_study_can_be_found() -> None:
    for name, module in STUDIES.items():
        assert registry.find(f"reweighting/{name}") is module.STUDY


def test_arms_of_the_studies() -> None:
    swept = 5 * (len(digits.SWEPT) + len(BASELINES))
    assert len(digits.STUDY.arms) == len(SETTINGS["digits"]) + len(BASELINES) + swept
    assert digits.STUDY.arms[digits.arm("JD-BW", 0.65)].drawn() is scenes.digits(0.65)
    assert next(iter(digits.STUDY.arms)) == "JD-BW, 50 % zeros"  # the paper's skew comes first
    assert len(drawn.STUDY.arms) == 3 * (4 + len(BASELINES))
    assert drawn.STUDY.arms["heads: MUNIT"].drawn() is SCENES["heads"]
    assert {case.scene for case in real.STUDY.arms.values()} == {"street", "fashion", "faces"}
    papers = {"JD-BW", "joint discriminator", "MUNIT", "MUNIT + weights"}
    assert set(mnist.STUDY.arms) == papers | set(BASELINES)  # jdbw.concept.baselines


# Arms of which three of the five trainings have been run, by how their names begin.
THREE = {
    "digits": [
        digits.arm(method, zeros)
        for method in ("CycleGAN", "CycleGAN + weights")
        for zeros in (0.2, 0.35, 0.65, 0.8)
    ],
    "scenes": [
        *(f"{scene}: {m}" for scene in scenes.DRAWN for m in ("JD-BW", "joint", "MUNIT + weights")),
        "heads: MUNIT",
    ],
}


@pytest.mark.parametrize("name", list(STUDIES))
def test_stored_runs_are_of_these_arms(name: str) -> None:
    study = STUDIES[name].STUDY
    card = frames.card(study)
    assert (card.study, card.profile) == (f"studies/reweighting/{name}", "full")
    assert set(card.arms) <= set(study.arms)
    assert {arm for arm, case in study.arms.items() if case.config} <= set(card.arms)
    few = {arm for arm in study.arms if any(map(arm.startswith, THREE.get(name, ())))}
    assert {(r.arm, r.seed) for r in card.rows if r.networks} == {
        (arm, seed)
        for arm, case in study.arms.items()
        if case.config
        for seed in (range(FEWEST_TRAININGS) if arm in few else study.seeds)
    }


def test_stored_runs_of_digits_as_a_card() -> None:
    card = frames.card(digits.STUDY)
    assert sorted(card.values((digits.arm("JD-BW"), "rare class kept, x to y"))) == [0, 1, 2, 3, 4]
    estimate = card[digits.arm("no skip"), "kept, x to y"]
    assert (estimate.n, estimate.seeds) == (5, 5)
    assert card[digits.arm("doing nothing"), "kept, x to y"].seeds == 0
    errors = {r.name: r.error for r in card.rows if r.arm == digits.arm("JD-BW")}
    assert 0 < errors["kept, x to y"] < errors["rare class kept, x to y"]
    (condition,) = digits.working("MUNIT").values()
    assert condition.judge(0.05) == HOLDS


def test_what_munit_goes_without_is_all_that_differs() -> None:
    whole = munit_config.QUICK
    assert replace(munit.WITHOUT["no cycle loss"], lambda_cycle=whole.lambda_cycle) == whole
    assert replace(munit.WITHOUT["content of 4x4"], halvings=whole.halvings) == whole
    neither = munit.WITHOUT["content of 4x4, no cycle loss"]
    assert replace(neither, lambda_cycle=10.0, halvings=1) == whole != neither
    for config, side in ((whole, 8), (neither, 4)):
        with torch.device("meta"):
            content = munit_training.build(config).x.content(torch.zeros(1, 1, 16, 16))
        assert content.shape[-1] == side
    at = {munit.STUDY.arms[digits.arm(m, z)].zeros for m in munit.WITHOUT for z in (0.1, 0.5)}
    assert at == {0.1, 0.5}


@pytest.mark.parametrize("name", ["plates", "wares", "heads", "street", "fashion", "faces"])
def test_the_card_of_a_scene_has_methods_as_arms(name: str) -> None:
    study = drawn.STUDY if name in scenes.DRAWN else real.STUDY
    card = grid.card(study, name)
    methods = SETTINGS[name] if name in scenes.DRAWN else real.COMPARED
    assert card.arms == (*BASELINES, *methods)
    seeds = range(3) if name in scenes.DRAWN else study.seeds
    assert set(card.values(("JD-BW", "kept, x to y"))) == set(seeds)
    errors = {r.name: r.error for r in card.rows if (r.arm, r.seed) == ("JD-BW", 0)}
    assert errors["distance, x to y"] == 0 < errors["kept, x to y"] < 0.03
    assert errors["class swayed by noise, x to y"] > 0.02


@pytest.mark.parametrize(
    ("away", "share", "said"),
    [(5.0, 1.0, ("cannot tell", "cannot tell")), (1.0, 0.0, ("holds", "cannot tell"))],
)
def test_conditions_of_a_translation(away: float, share: float, said: tuple[str, str]) -> None:
    """Nearer than 2: a quarter of one picture's 8, which is less than doing nothing's 7.25."""
    values: Mapping[tuple[str, int], Mapping[str, float]] = {
        ("doing nothing", 0): {"distance, x to y": 7.25},
        ("one picture", 0): {"distance, x to y": 8.0},
        # one seed of the first case is near
        ("JD-BW", 0): {"distance, x to y": 1.0, "passes, x to y": share},
        ("JD-BW", 1): {"distance, x to y": away + 0.2},
        ("JD-BW", 2): {"distance, x to y": away + 0.4},
    }
    rows = tuple(
        Row(arm, seed, name, value, (f"{arm}, {seed}",) if arm == "JD-BW" else ())
        for (arm, seed), numbers in values.items()
        for name, value in numbers.items()
    )
    card = Card("studies/test", "full", rows)
    found = conditions.translates(SCENES["wares"], card, "JD-BW", "x to y")
    assert tuple(c.judge(0.05) for c in found.values()) == said
    near, passing = found.values()
    assert near.high == 2.0
    assert passing.estimate is not None
    assert passing.estimate.seeds == 1
    assert "nearer to photos than untranslated ones" in next(iter(found))
