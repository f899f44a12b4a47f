"""The translators that are compared on the scenes out of balance, with each scene's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from domain_translation.data.sr_digits import Pair
from domain_translation.experiments.weights_methods import (
    Outcome,
    Train,
    joint,
    munit_alone,
    munit_with_weights,
)
from domain_translation.experiments.weights_scene_settings import Settings


class SceneMethod(NamedTuple):
    """How a translator is trained, and which of a scene's settings it is trained with."""

    train: Train
    config: Callable[[Settings], Any]


METHODS: Mapping[str, SceneMethod] = {
    "JD-BW": SceneMethod(partial(joint, "composite"), attrgetter("joint")),
    "joint discriminator": SceneMethod(partial(joint, "none"), attrgetter("joint")),
    "MUNIT": SceneMethod(munit_alone, attrgetter("munit")),
    "MUNIT + weights": SceneMethod(munit_with_weights, attrgetter("weighted")),
}


def train(name: str, pair: Pair, settings: Settings, seed: int) -> Outcome:
    """One of `METHODS`, trained on a pair of domains.

    Raises:
        KeyError: another name.
        ValueError, TrainingError: as the training.
    """
    method = METHODS[name]
    return method.train(pair, method.config(settings), seed)


def configuration(name: str, settings: Settings) -> dict[str, Any]:
    """What a method is trained with, for a card."""
    return asdict(METHODS[name].config(settings))
