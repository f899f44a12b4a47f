"""When a translator of the scenes counts as one: what claims about it are given.

JD-BW shows pictures, and says of them that they are of the other domain before it says anything
else of them. A generator that leaves its input alone keeps every class.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain_translation.experiments import stored_runs
from domain_translation.experiments.weights_scene_measures import NOISES, ROWS, SHOWN
from domain_translation.experiments.weights_scene_tables import BASELINES, PASSES, SceneCard
from domain_translation.notebook.cards import Card
from domain_translation.notebook.criteria import Criterion, at_least, at_most
from domain_translation.notebook.evidence import Estimate

QUARTER = 0.25
PICTURES = {"x to y": SHOWN + ROWS * NOISES, "y to x": SHOWN}  # that a card holds of a method


def translates(
    scene: SceneCard, card: Card, live: Mapping[str, Mapping[str, float]], method: str, way: str
) -> dict[str, Criterion]:
    """Conditions under which a method translates at all, whatever becomes of the class.

    `nearer`, and more than a quarter of the pictures that the stored file holds, of one training,
    pass for pictures of the other domain.

    Args:
        scene: the scene's entry.
        card: its runs.
        live: by method and `PASSES`, see `weights_scene_yardsticks.live`.
        method: the arm.
        way: "x to y" or "y to x".
    """
    share = at_least(passing(card.study, live, method, way), QUARTER)
    sentence = f"more than a quarter of {method}'s pictures pass for {scene.goal(way)}"
    return nearer(scene, card, method, way) | {sentence: share}


def nearer(scene: SceneCard, card: Card, method: str, way: str) -> dict[str, Criterion]:
    """That a method's pictures are nearer to the other domain than untranslated ones are.

    And than a quarter of the distance of the one picture that is nearest to all.
    """
    field = f"distance, {way}"
    idle, one = (scene.scene[name][field] for name in BASELINES)
    sentence = f"{method}'s pictures are nearer to {scene.goal(way)} than untranslated ones"
    return {sentence: at_most(card[method, field], min(idle, QUARTER * one))}


def passing(study: str, live: Mapping[str, Mapping[str, float]], method: str, way: str) -> Estimate:
    """The share of a method's stored pictures, of one training, that pass."""
    return stored_runs.share(study, live[method][PASSES], PICTURES[way])
