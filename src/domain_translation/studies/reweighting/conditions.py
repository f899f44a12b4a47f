"""When a translator of the scenes counts as one: what claims about it are given.

JD-BW shows pictures, and says of them that they are of the other domain before it says anything
else of them. A generator that leaves its input alone keeps every class.
"""

from __future__ import annotations

from domain_translation.notebook.cards import Card
from domain_translation.notebook.criteria import Criterion, at_least, at_most
from domain_translation.reweighting.domains.scenes import Scene

QUARTER = 0.25


def translates(scene: Scene, card: Card, method: str, way: str) -> dict[str, Criterion]:
    """Conditions under which a method translates at all, whatever becomes of the class.

    `nearer` and `passes`.

    Args:
        scene: whose.
        card: its numbers, see `grid.card`.
        method: the arm.
        way: "x to y" or "y to x".
    """
    return nearer(scene, card, method, way) | passes(scene, card, method, way)


def passes(scene: Scene, card: Card, method: str, way: str) -> dict[str, Criterion]:
    """That more than a quarter of a method's pictures pass for pictures of the other domain.

    All that is asked of a method of which a claim says that it loses the class: without the rare
    class its pictures are far from a set that has both.
    """
    sentence = f"more than a quarter of {method}'s pictures pass for {goal(scene, way)}"
    return {sentence: at_least(card[method, f"passes, {way}"], QUARTER)}


def nearer(scene: Scene, card: Card, method: str, way: str) -> dict[str, Criterion]:
    """That a method's pictures are nearer to the other domain than untranslated ones are.

    And than a quarter of the distance of the one picture that is nearest to all.
    """
    field = f"distance, {way}"
    idle, one = (card[name, field].value for name in ("doing nothing", "one picture"))
    sentence = f"{method}'s pictures are nearer to {goal(scene, way)} than untranslated ones"
    return {sentence: at_most(card[method, field], min(idle, QUARTER * one))}


def goal(scene: Scene, way: str) -> str:
    """What the domain is called that "x to y" or "y to x" leads to."""
    return scene.looks[1 if way == "x to y" else 0]
