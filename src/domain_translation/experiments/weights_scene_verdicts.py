"""Criteria for what JD-BW says of its pictures, set before any run of the scenes was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from domain_translation.experiments.weights_scene_tables import PASSES, Array, SceneCard

OURS, RIVAL, UNWEIGHTED = "JD-BW", "MUNIT", "joint discriminator"
WAYS = ("x to y", "y to x")
QUARTER = 0.25
STAYS, GOES = 0.85, 0.6  # thresholds of the digits (jdbw.fig2): kept with weights, and without
ANSWER = {True: "yes", False: "no"}


def classes_made(confusion: Array) -> float:
    """How many classes occur among translations of sources of which every class is as frequent.

    1 / sum of squared masses: K when all are as frequent, 1 when all translations are of one.

    Args:
        confusion: (K, K), rows are the classes of the sources.
    """
    masses = confusion.mean(0)
    return float(1 / np.square(masses / masses.sum()).sum())


def translates(
    card: SceneCard, way: str, live: Mapping[str, Mapping[str, float]]
) -> dict[str, bool]:
    """Which methods translate at all, whatever becomes of the class.

    In every seed the distance is at most a quarter of that of the one picture that is nearest to
    all, and more than a quarter of the translations that the card holds pass for the domain.

    Args:
        card: of the scene.
        way: "x to y" or "y to x".
        live: by method and `PASSES`, see `weights_scene_yardsticks.live`.
    """
    limit = card.scene["one picture"][f"distance, {way}"] * QUARTER
    return {
        method: bool((card.values(method, f"distance, {way}") <= limit).all())
        and live[method][PASSES] > QUARTER
        for method in card.methods
    }


class Verdict(NamedTuple):
    """What a claim says of a card: whether it holds, in words, and the numbers."""

    holds: bool
    ours: str
    measured: dict[str, Any]


def rare_kept(card: SceneCard, method: str) -> Array:
    """How much is kept of the class that the other domain has less of, (2, seeds).

    First row: first domain to second; second row: back. The scene has two classes.
    """
    p, q = np.asarray(card.scene["masses"], float)
    rare = (np.argmin(q - p), np.argmin(p - q))
    return np.stack(
        [card.confusion(method, way)[:, k, k] for way, k in zip(WAYS, rare, strict=True)]
    )


def on_and_off(card: SceneCard) -> Verdict:
    """Do the weights decide whether the rare class is kept (jdbw.claim.match)?

    With weights at least `STAYS` of it is kept, both ways and in every seed; without them at most
    `GOES`. A translation is not asked for.
    """
    kept = {method: rare_kept(card, method) for method in (OURS, UNWEIGHTED)}
    on, off = bool(kept[OURS].min() >= STAYS), bool(kept[UNWEIGHTED].max() <= GOES)
    words = f"with weights at least {100 * STAYS:.0f} % of it stays, both ways, in every seed: "
    words += f"{ANSWER[on]}; without them at most {100 * GOES:.0f} %: {ANSWER[off]}"
    measured = {
        f"rare class kept, {way}, {method}": values.tolist()
        for method, rows in kept.items()
        for way, values in zip(WAYS, rows, strict=True)
    }
    return Verdict(on and off, words, measured)


def sway(card: SceneCard, translating: Mapping[str, bool], limit: float = 0.1) -> Verdict:
    """The criterion of jdbw.claim.noise, first domain to second.

    JD-BW's noise changes the class that the judge sees in less than `limit` of the pairs of noises
    in every seed, and on average less than half as often as MUNIT's. If one of the two does not
    translate, there is nothing to compare, and the claim does not hold.

    Args:
        card: of the scene.
        translating: by method, see `translates`.
        limit: share of the pairs of noises.
    """
    field = "class swayed by noise, x to y"
    own, other = card.values(OURS, field), card.values(RIVAL, field)
    idle = [method for method in (OURS, RIVAL) if not translating[method]]
    small, half = bool((own < limit).all()), bool(own.mean() < other.mean() / 2)
    words = f"JD-BW: less than {limit:.0%} in every seed, {ANSWER[small]}; "
    words += f"less than half as often as MUNIT, {ANSWER[half]}"
    if idle:
        words += f"; but no translation by {' and '.join(idle)}, so this is no comparison"
    measured = {
        f"{what}, {way}, {method}": card.values(method, f"{name}, {way}").tolist()
        for method in (OURS, RIVAL)
        for what, name in (("class swayed", "class swayed by noise"), ("diversity", "diversity"))
        for way in WAYS
    }
    return Verdict(small and half and not idle, words, measured)
