"""Procedural picture domains: seeded, cheap, and with the truth that real data lack.

Each task has a sampler `sample(n, seed, *, size, rare) -> Scenes` that draws scenes in both
domains at once; `load_task` turns one into what an unpaired translation study needs.

Two kits paint them: `latent` and `shapes` for animals and fruit, `mixture_law` and `canvas` for
city and seasons. One would do, but its random numbers would be others, and so would be the
pictures that shipped networks were trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor

from domain_translation.synthetic.animals.animals import sample as sample_animals
from domain_translation.synthetic.city.city import sample as sample_city
from domain_translation.synthetic.fruit.fruit import sample as sample_fruit
from domain_translation.synthetic.scenes import Scenes
from domain_translation.synthetic.seasons.seasons import sample as sample_seasons

__all__ = ["TASKS", "Scenes", "Task", "load_task"]

TASKS: Mapping[str, Callable[..., Scenes]] = {
    "animals": sample_animals,  # plain -> striped, for horse2zebra
    "fruit": sample_fruit,  # apples -> oranges, for apple2orange
    "city": sample_city,  # aerial photo -> street map, for sat2map
    "seasons": sample_seasons,  # summer -> winter, for summer2winter_yosemite
}

# Seeds of the parts; a scene of one part never occurs in another.
_SOURCE, _TARGET, _VALIDATION, _TEST = 1_000_001, 1_000_002, 1_000_003, 2_000_000


class Task(NamedTuple):
    """An unpaired translation task.

    Attributes:
        source, target: training images of the two domains, of different scenes
            (train, 3, size, size) in [-1, 1].
        validation, test: scenes with their true translations and their rarity.
    """

    source: Tensor
    target: Tensor
    validation: Scenes
    test: Scenes


def load_task(
    name: str,
    *,
    seed: int = 0,
    size: int = 64,
    train: int = 1000,
    validation: int = 120,
    test: int = 120,
) -> Task:
    """Draw a task: training and validation scenes are the same for every seed.

    Args:
        name: one of `TASKS`.
        seed: chooses the test scenes.
        size: side of the pictures in pixels, at least 16.
        train, validation, test: numbers of scenes, at least 1; the scenes of a smaller part are
            the first ones of a larger part.

    Raises:
        ValueError: an unknown task, and what its sampler refuses.
    """
    if name not in TASKS:
        raise ValueError(f"unknown task {name!r}; choose one of {', '.join(TASKS)}")
    sample = TASKS[name]
    return Task(
        sample(train, _SOURCE, size=size).source,
        sample(train, _TARGET, size=size).target,
        sample(validation, _VALIDATION, size=size),
        sample(test, _TEST + seed, size=size),
    )
