"""The criteria for JD-BW's pictures, on cards of known numbers."""

import numpy as np
import pytest

from domain_translation.experiments import weights_scene_verdicts as verdicts
from domain_translation.experiments.weights_scene_tables import SceneCard


def _card(*, own=(0.0, 0.05), other=(0.3, 0.4), distance=1.0):
    runs = []
    for method, swayed, away in (("JD-BW", own, 1.0), ("MUNIT", other, distance)):
        for seed, share in enumerate(swayed):
            run = {"method": method, "seed": seed, "distance, x to y": away}
            for way in ("x to y", "y to x"):
                run |= {f"class swayed by noise, {way}": share, f"diversity, {way}": 0.3}
            runs.append(run)
    return SceneCard({"one picture": {"distance, x to y": 8.0}, "runs": runs}, "")


def test_classes_made():
    assert verdicts.classes_made(np.eye(4)) == pytest.approx(4.0)
    assert verdicts.classes_made(np.tile([0, 1.0, 0, 0], (4, 1))) == pytest.approx(1.0)
    assert verdicts.classes_made(np.tile([0.5, 0.5, 0, 0], (4, 1))) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("distance", "passes", "expected"), [(2.0, 0.26, True), (2.1, 0.26, False), (2.0, 0.25, False)]
)
def test_translates(distance, passes, expected):
    live = {"MUNIT": {"passes": passes}, "JD-BW": {"passes": 1.0}}
    found = verdicts.translates(_card(distance=distance), "x to y", live)
    assert found == {"MUNIT": expected, "JD-BW": True}


@pytest.mark.parametrize(
    ("changes", "idle", "holds", "words"),
    [
        ({}, (), True, "less than half as often as MUNIT, yes"),
        ({"own": (0.0, 0.1)}, (), False, "every seed, no; less than half as often as MUNIT, yes"),
        (
            {"other": (0.02, 0.03)},
            (),
            False,
            "every seed, yes; less than half as often as MUNIT, no",
        ),
        ({"other": (0.0, 0.0), "own": (0.0, 0.0)}, (), False, "half as often as MUNIT, no"),
        ({}, ("MUNIT",), False, "no translation by MUNIT, so this is no comparison"),
        ({}, ("JD-BW", "MUNIT"), False, "by JD-BW and MUNIT, so this is no comparison"),
    ],
)
def test_sway(changes, idle, holds, words):
    translating = {method: method not in idle for method in ("JD-BW", "MUNIT")}
    found = verdicts.sway(_card(**changes), translating)
    assert found.holds is holds
    assert found.ours.endswith(words)
    own = changes.get("own", (0.0, 0.05))
    assert found.measured["class swayed, x to y, JD-BW"] == pytest.approx(own)


def _scene_of_two(with_weights, without):
    """Rare are bags among the photographs (0.1 for 0.7) and shoes among the edges."""
    runs = []
    for method, kept in (("JD-BW", with_weights), ("joint discriminator", without)):
        for seed, (bags, shoes) in enumerate(kept):
            there, back = [[bags, 1 - bags], [0.5, 0.5]], [[0.5, 0.5], [1 - shoes, shoes]]
            found = {"confusion, x to y": there, "confusion, y to x": back}
            runs.append({"method": method, "seed": seed, **found})
    return SceneCard({"masses": ((0.7, 0.3), (0.1, 0.9)), "runs": runs}, "")


@pytest.mark.parametrize(
    ("with_weights", "without", "holds", "answers"),
    [
        ([(0.9, 0.95), (0.85, 1.0)], [(0.6, 0.1), (0.2, 0.5)], True, "yes yes"),
        ([(0.9, 0.95), (0.85, 0.84)], [(0.6, 0.1), (0.2, 0.5)], False, "no yes"),
        ([(0.9, 0.95)], [(0.1, 0.61)], False, "yes no"),
    ],
)
def test_on_and_off(with_weights, without, holds, answers):
    card = _scene_of_two(with_weights, without)
    np.testing.assert_allclose(verdicts.rare_kept(card, "JD-BW").T, with_weights)
    found = verdicts.on_and_off(card)
    assert found.holds is holds
    on, off = answers.split()
    assert f"every seed: {on}; without them at most 60 %: {off}" in found.ours
    shoes = found.measured["rare class kept, y to x, joint discriminator"]
    assert shoes == pytest.approx([back for _, back in without])
