"""What is measured of scenes whose true translation is known: votes, distances, lost ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from domain_translation.cooling import cool
from domain_translation.cooling.strips import time_to_move
from domain_translation.evaluation.judges.image_judges import target_margin
from domain_translation.pretrained.directions import DIRECTIONS, Direction
from domain_translation.sampling.scores import Score


def rms(a: Tensor, b: Tensor) -> Tensor:
    """Root mean square difference per picture, (n,); black to white is 2."""
    return (a - b).square().flatten(1).mean(1).sqrt()


def judged(direction: Direction, y: Tensor) -> Tensor:
    """What each judge of a direction says of pictures: log-odds of its target, (judges, n)."""
    task_target = target_margin(direction.judges, y)
    return -task_target if DIRECTIONS[direction.name][1] else task_target


def error_changes(errors: Mapping[str, Tensor]) -> dict[str, float]:
    """How cooling changes the errors of translations, beside a blur that moves as far; by name.

    Args:
        errors: of the same scenes (n,): `plain`, `cooled`, `blur`.
    """
    change = {k: errors[k] - errors["plain"] for k in ("cooled", "blur")}
    return {
        "error, plain": float(errors["plain"].mean()),
        **{f"change of the error, {k}": float(v.mean()) for k, v in change.items()},
        "closer to the truth": float((change["cooled"] < 0).double().mean()),
    }


def round_trip_score(direction: Direction, x: Tensor, chain: Mapping[str, Any]) -> Score:
    """The cycle score at the scale, which no source gives, at which it goes as far as the denoiser.

    Args:
        direction: whose scores they are.
        x: validation pictures, which move by the same mean distance at temperature 0.
        chain: arguments of `cool`, with the denoiser's `step_size` and number of `steps`.
    """
    moved = cool(direction.score, x, **{**chain, "temperature": 0}).x - x
    reach = float(moved.flatten(1).norm(dim=1).mean())
    cycle = direction.cycle_score(1.0)
    time = time_to_move(cycle, x, reach, step_size=0.1, steps=200)
    return direction.cycle_score(time / (chain["step_size"] * chain["steps"]))
