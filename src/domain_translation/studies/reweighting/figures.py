"""What chapters show of the scenes, drawn and real: tables, rows of pictures, curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from domain_translation import pretrained
from domain_translation.evaluation.statistics.class_preservation import grid
from domain_translation.notebook import plots, tables
from domain_translation.reweighting.domains.scenes import SCENES, Scene
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.reweighting.generators import StochasticGenerator
from domain_translation.studies import frames
from domain_translation.studies.reweighting.grid import pictures
from domain_translation.studies.reweighting.methods import translate_by
from domain_translation.studies.study import Study

WINDOW = 5  # records of class masses in a moving mean
DRAWN = 10_000  # seeds from here on are those of no training, judge or test image
Rows = list[list[Tensor]]  # pictures (C, S, S), row by row


def results(runs: pd.DataFrame, way: str) -> pd.DataFrame:
    """What translations of one way have, a line for every baseline and method of a scene.

    Args:
        runs: of one scene.
        way: "x to y" or "y to x".
    """
    return tables.of_runs(
        runs,
        {
            "kept": f"kept, {way}",
            "distance": (f"distance, {way}", 1),
            "passes": f"passes, {way}",
            "error": f"error, {way}",
            "outranked": f"outranked, {way}",
            "diversity": f"diversity, {way}",
            "class swayed": f"class swayed by noise, {way}",
            "kept, there and back": f"kept, {way[0]} there and back",
            "mass gap": (f"gap, {way[0]}", 3),
        },
    )


def settings(runs: pd.DataFrame) -> pd.DataFrame:
    """What the methods were trained with, a line for each."""
    trained = runs.dropna(subset="steps").fillna({"critic_steps": 1})
    trained = trained.assign(noise=trained["noise"].fillna(trained["style"]))
    said = ["steps", "critic_steps", "batch", "noise", "parameters"]
    found = trained.groupby("method", sort=False)[said].first()
    found = found.rename(columns={"critic_steps": "critic steps to each"})
    return found.join(tables.of_runs(trained, {"core seconds": ("seconds", 0)}))


def noises(runs: pd.DataFrame) -> pd.DataFrame:
    """What source and noise decide, first domain to second, a line for each method."""
    shares = [
        f"{kind} by {by}" for kind in ("pixels", "class") for by in ("source", "noise", "both")
    ]
    columns = {share: f"{share}, x to y" for share in shares}
    columns["class swayed"] = "class swayed by noise, x to y"
    return tables.of_runs(runs.dropna(subset="pixels by source, x to y"), columns)


def there_and_back(
    study: Study, scene: str, methods: Sequence[str], test: Pair
) -> tuple[Rows, list[str]]:
    """Rows and labels as in JD-BW's Figures 5 and 6, both ways: originals, translated, back again.

    Args:
        study: whose first runs.
        scene: one of its scenes.
        methods: in this order.
        test: the scene's test images.
    """
    rows: Rows = []
    labels: list[str] = []
    for side, names in enumerate((("gx", "fgx"), ("fy", "gfy"))):
        made = [pictures(study, f"{scene}: {m}", name) for m in methods for name in names]
        rows += [list(x) for x in (test[side].x[: len(made[0])], *made)]
        labels += [
            SCENES[scene].looks[side],
            *(label for m in methods for label in (m, "and back")),
        ]
    return rows, labels


def translated(
    study: Study, scene: str, methods: Sequence[str], originals: Pair | None
) -> tuple[Rows, list[str]]:
    """Rows and labels of both ways: the first test images, and what every method makes of them.

    Args:
        study: whose first runs.
        scene: one of its scenes.
        methods: in this order.
        originals: the scene's test images, which are no part of it; None leaves them away.
    """
    rows: Rows = []
    labels: list[str] = []
    for side, name in enumerate(("gx", "fy")):
        made = {m: pictures(study, f"{scene}: {m}", name) for m in methods}
        if originals is not None:
            shown = len(next(iter(made.values())))
            made = {SCENES[scene].looks[side]: originals[side].x[:shown]} | made
        rows += [list(x) for x in made.values()]
        labels += list(made)
    return rows, labels


def noise_rows(
    study: Study, scene: str, methods: Sequence[str], sources: Tensor | None = None
) -> tuple[Rows, list[str]]:
    """Rows and labels as in JD-BW's Figures 4, 7 and 8: the source, and a picture for each noise.

    Args:
        study: whose first runs.
        scene: one of its scenes.
        methods: in this order.
        sources: the test images (n, C, S, S); None leaves them away.
    """
    rows: Rows = []
    labels: list[str] = []
    for method in methods:
        made = pictures(study, f"{scene}: {method}", "noises")
        first = [[] for _ in made] if sources is None else [[x] for x in sources[: len(made)]]
        rows += [[*own, *row] for own, row in zip(first, made, strict=True)]
        labels += [method, *[""] * (len(made) - 1)]
    return rows, labels


def shipped_rows(scene: Scene, n: int = 4, seed: int = 0) -> Rows:
    """n new images of the first domain, each with its translations by the shipped JD-BW.

    Args:
        scene: plates, wares or heads.
        n: number of rows.
        seed: of the images, 0 or larger.
    """
    forward = pretrained.load(f"scenes/{scene.name}_forward")
    assert isinstance(forward, StochasticGenerator)
    x = scene.even(n, DRAWN + seed).x.x
    made = grid(translate_by(forward), x, scene.fixed[1])
    return [[source, *row] for source, row in zip(x, made, strict=True)]


def smoothed(totals: ArrayLike) -> NDArray[np.float64]:
    """Means over the last `WINDOW` records, fewer at the beginning: (..., records, sides, K)."""
    t = np.asarray(totals, float)
    ends = [slice(max(0, i + 1 - WINDOW), i + 1) for i in range(t.shape[-3])]
    return np.stack([t[..., end, :, :].mean(-3) for end in ends], -3)


def draw_masses(ax: Axes, study: Study, arm: str, k: int) -> None:
    """Weighted mass of class k over the training, and its midpoint, on `ax`.

    First domain dashed, second solid; bands from the least to the greatest seed; at the left, the
    mass without weights as a mark.
    """
    case = study.arms[arm]
    scene, steps = case.drawn(), case.config.steps
    curves = smoothed(frames.excerpts(study, arm, "totals"))[..., k]
    at = (np.arange(curves.shape[1]) + 1) * steps / curves.shape[1]
    for side, (style, colour) in enumerate((("--", plots.BLUE), ("-", plots.RED))):
        band = curves[:, :, side]
        ax.fill_between(at, band.min(0), band.max(0), color=colour, alpha=0.18, lw=0)
        ax.plot(at, band.mean(0), style, color=colour, label=scene.looks[side])
        ax.plot(0, scene.masses[side][k], "os"[side], color=colour, ms=6, clip_on=False)
    ax.axhline(float(scene.goal()[k]), color=plots.INK, ls=":", lw=1.2)
    ax.set(xlabel="generator steps", xlim=(0, steps))
