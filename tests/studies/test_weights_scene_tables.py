"""What chapters show of the scenes: frames of runs, tables, rows of pictures, curves."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from domain_translation import pretrained
from domain_translation.evaluation.statistics.class_preservation import agreement, confusion
from domain_translation.reweighting.domains.scenes import DRAWN, SCENES, held_out_pair
from domain_translation.studies import frames
from domain_translation.studies.reweighting import clusters, digits, figures, grid, real, scenes
from domain_translation.studies.reweighting.measures import WAYS
from domain_translation.studies.reweighting.methods import translate_by
from domain_translation.studies.reweighting.settings import SETTINGS
from domain_translation.studies.reweighting.yardsticks import BASELINES

PM = "\u00a0±\u00a0"


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return frames.runs(scenes.STUDY)


@pytest.fixture
def ax() -> Iterator[plt.Axes]:
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_a_row_a_run_with_its_settings(runs: pd.DataFrame) -> None:
    assert not runs.duplicated(["arm", "seed"]).any()
    one = runs[(runs.arm == "heads: MUNIT") & (runs.seed == 2)].iloc[0]
    assert (one.scene, one.method, one.steps, one.seed) == ("heads", "MUNIT", 600, 2)
    card = grid.card(scenes.STUDY, "heads")
    assert one["kept, x to y"] == card.values(("MUNIT", "kept, x to y"))[2]
    assert 30 < one.seconds < 300
    half = frames.runs(digits.STUDY).pivot_table("kept, x to y", "zeros", "method")
    assert list(half.index) == sorted(digits.SKEWS)
    assert frames.runs(clusters.STUDY).query("arm == 'turned 90'").degrees.eq(90).all()


def test_excerpts_are_by_seed() -> None:
    found = frames.excerpts(scenes.STUDY, "wares: JD-BW", "confusion, x to y")
    assert found.shape == (3, 2, 2)
    torch.testing.assert_close(found.sum(2), torch.ones(3, 2, dtype=torch.float64))
    kept = grid.card(scenes.STUDY, "wares").values(("JD-BW", "kept, x to y"))
    shown = found.diagonal(dim1=1, dim2=2).mean(1)
    assert shown.tolist() == pytest.approx([kept[seed] for seed in range(3)], abs=1e-3)
    with pytest.raises(KeyError, match="no run of 'wares: JD-BW'"):
        frames.excerpts(scenes.STUDY, "wares: JD-BW", "losses")
    with pytest.raises(FileNotFoundError, match="wares-crogan"):
        grid.pictures(scenes.STUDY, "wares: CroGAN", "gx")


def test_made_says_when_and_on_what() -> None:
    assert frames.made(frames.card(real.STUDY)) == "2026-11-23, one core (AVX512)"


@pytest.mark.parametrize("way", WAYS)
def test_results(runs: pd.DataFrame, way: str) -> None:
    plates, wares = (figures.results(runs[runs.scene == s], way) for s in ("plates", "wares"))
    assert list(plates.index) == [*BASELINES, *SETTINGS["plates"]]
    assert {"error", "outranked"} == set(wares.columns) - set(plates.columns)
    values = runs[runs.arm == "plates: JD-BW"][f"kept, {way}"]
    assert plates.kept["JD-BW"] == f"{values.mean():.2f}{PM}{values.std():.2f}"
    assert plates["mass gap"]["MUNIT"] == ""  # it has no weights
    assert "±" not in plates.kept["doing nothing"]


def test_settings(runs: pd.DataFrame) -> None:
    found = figures.settings(runs[runs.scene == "plates"])
    assert list(found.index) == list(SETTINGS["plates"])
    assert found.loc["MUNIT"].tolist()[:4] == [600, 1, 32, 8]
    assert found.loc["JD-BW"].tolist()[:4] == [600, 5, 32, 16]
    spent = runs[runs.arm == "plates: MUNIT"].seconds
    said = f"{spent.mean():.0f}{PM}{spent.std():.0f}"
    assert found["core seconds"]["MUNIT"] == said


def test_noises(runs: pd.DataFrame) -> None:
    found = figures.noises(runs[runs.scene == "plates"])
    assert list(found.index) == list(SETTINGS["plates"])
    assert list(found.columns[:3]) == [f"pixels by {by}" for by in ("source", "noise", "both")]
    shares = [float(v.split(PM)[0]) for v in found.loc["JD-BW"]]
    assert sum(shares[:3]) == pytest.approx(1, abs=0.02)
    assert sum(shares[3:6]) == pytest.approx(1, abs=0.02)


def test_there_and_back() -> None:
    test = held_out_pair(SCENES["wares"], 8)
    rows, labels = figures.there_and_back(scenes.STUDY, "wares", ["JD-BW", "MUNIT"], test)
    block = ["JD-BW", "and back", "MUNIT", "and back"]
    assert labels == ["edges", *block, "photos", *block]
    assert [tuple(row[0].shape) for row in rows[:3]] == [(1, 16, 16), (3, 16, 16), (1, 16, 16)]
    assert [len(row) for row in rows] == [8] * 10
    assert torch.equal(rows[5][0], test.y.x[0])
    back = grid.pictures(scenes.STUDY, "wares: MUNIT", "gfy")
    assert torch.equal(rows[9][7], back[7])
    assert -1 <= float(back.min()) < float(back.max()) <= 1


def test_noise_rows_begin_with_their_source() -> None:
    sources = held_out_pair(SCENES["wares"], 8).x.x
    rows, labels = figures.noise_rows(scenes.STUDY, "wares", ["JD-BW", "MUNIT"], sources)
    bare, _ = figures.noise_rows(scenes.STUDY, "wares", ["JD-BW", "MUNIT"])
    assert [len(row) for row in rows] == [9] * 8
    assert labels == ["JD-BW", "", "", "", "MUNIT", "", "", ""]
    for i, row in enumerate(rows):
        assert torch.equal(row[0], sources[i % 4])
        assert torch.equal(torch.stack(row[1:]), torch.stack(bare[i]))


def test_rows_of_translations_with_and_without_the_originals() -> None:
    methods = list(real.COMPARED)
    rows, labels = figures.translated(real.STUDY, "fashion", methods, None)
    assert labels == methods * 2
    originals = held_out_pair(SCENES["wares"], 12)
    rows, labels = figures.translated(real.STUDY, "fashion", methods, originals)
    assert labels == ["contours", *methods, "photographs", *methods]
    assert torch.equal(torch.stack(rows[4]), originals.y.x[:8])
    assert [len(row) for row in rows] == [8] * 8


def test_smoothed_looks_back_only() -> None:
    found = figures.smoothed(np.arange(8.0)[None, :, None, None])
    assert found.ravel().tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0]


def test_draw_masses(ax: plt.Axes) -> None:
    figures.draw_masses(ax, scenes.STUDY, "wares: JD-BW", 1)
    dashed, mark, solid, *_ = ax.get_lines()
    assert dashed.get_linestyle() == "--"
    totals = frames.excerpts(scenes.STUDY, "wares: JD-BW", "totals").numpy()
    assert dashed.get_xdata()[-1] == 600
    assert dashed.get_ydata()[0] == pytest.approx(totals[:, 0, 0, 1].mean())
    assert solid.get_ydata()[-1] == pytest.approx(totals[:, -5:, 1, 1].mean())
    assert mark.get_ydata()[0] == SCENES["wares"].masses[0][1]
    assert ax.get_lines()[-1].get_ydata()[0] == pytest.approx(0.583, abs=5e-4)


# ---- the shipped translators, live


@pytest.mark.parametrize("name", list(DRAWN))
def test_rows_begin_with_the_source_and_noises_are_shared(name: str) -> None:
    scene = SCENES[name]
    rows = figures.shipped_rows(scene, 2)
    assert [len(row) for row in rows] == [9, 9]
    x = scene.even(2, figures.DRAWN).x.x
    torch.testing.assert_close(rows[1][0], x[1])
    forward = pretrained.load(f"scenes/{name}_forward")
    torch.testing.assert_close(rows[1][3], translate_by(forward)(x[1:], 2)[0])  # type: ignore[arg-type]
    assert torch.equal(figures.shipped_rows(scene, 1)[0][0], figures.shipped_rows(scene, 1)[0][0])
    assert not torch.equal(figures.shipped_rows(scene, 1, seed=1)[0][0], rows[0][0])


def test_the_shipped_translator_of_the_wares_keeps_their_class() -> None:
    scene = SCENES["wares"]
    drawn = scene.even(60, figures.DRAWN + 1)
    made = translate_by(pretrained.load("scenes/wares_forward"))(drawn.x.x, 0)  # type: ignore[arg-type]
    found = confusion(pretrained.load("scenes/judge_photos"), made.clamp(-1, 1), drawn.x.y, 2)
    assert agreement(found) > 0.8
