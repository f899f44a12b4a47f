"""What a recipe is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from torch import Tensor, nn

from domain_translation.language.vocabulary import Vocabulary
from domain_translation.training import checkpoints

SEED = 0  # of the networks that chapters show, and of what all trainings learn from
# A check of a shipped network looks at so many examples, drawn with a seed that no part of any
# task draws with.
CHECKED, CHECK = 64, 4_000_000


class Made(NamedTuple):
    """A trained network, and what its file is to say of it besides how it was trained."""

    network: nn.Module
    card: Mapping[str, Any] = MappingProxyType({})
    vocabulary: Vocabulary | None = None  # of a translator of text, which its file holds


def losses_of_file(checkpoint: Path) -> Tensor:
    """Losses (updates, players) in a checkpoint of `training.fit`."""
    return checkpoints.load(checkpoint).tensors["losses"]


def fewer_steps(config: Any, steps: int) -> Any:
    """A trial of settings that count their updates in `steps`."""
    return replace(config, steps=steps)


@dataclass(frozen=True)
class Recipe:
    """Settings, and the function that trains by them.

    Attributes:
        config: a dataclass of settings.
        train: (settings, checkpoint, seed) -> the files it makes, by name.
        shorten: (settings, updates) -> settings of a trial of so many updates.
        check: (file, its network) -> one number that says what the network does on a small fixed
            batch: a loss where there is one.
        losses: checkpoint -> losses (updates, players).
    """

    config: Any
    train: Callable[[Any, Path, int], dict[str, Made]]
    shorten: Callable[[Any, int], Any]
    check: Callable[[str, nn.Module], float]
    losses: Callable[[Path], Tensor] = losses_of_file
