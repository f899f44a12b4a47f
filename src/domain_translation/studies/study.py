"""A study: what is compared, how one run is made, and what is measured of it.

A declaration stands in a module of its own, `studies/<part>/<name>.py`, as its `STUDY`:

    STUDY = Study(
        "energies/activations",
        arms={"swish": CONFIG, "relu": replace(CONFIG, activation="relu")},
        seeds=range(5),
        run=run,  # (settings, seed, folder) -> tensors; may take hours
        measure=measure,  # (settings, seed, tensors) -> numbers; quick
        trains=True,
    )

`domain-translation study energies/activations` runs what is not at hand, and `--card` writes the
card of what is; `ledger.card("studies/energies/activations", "full")` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation.sampling.langevin import DivergenceError
from domain_translation.training import TrainingError

# What ends a run without a result of its own: it is lost, and counted.
LOST = (DivergenceError, FloatingPointError, TrainingError)


class StudyError(ValueError):
    """What was asked of a study cannot be done; the message is for whoever asked."""


@dataclass(frozen=True)
class Measure:
    """A number that a run gives.

    Attributes:
        name: what was measured, in words.
        value: a finite number.
        networks: those that it is about, by fingerprints or by names that tell them apart; None:
            what the run has trained, and no network where it trains none.
        error: a standard error that all seeds share, as that of their one test set.
    """

    name: str
    value: float
    networks: Sequence[str] | None = None
    error: float = 0.0


def measures(numbers: Mapping[str, float], networks: Sequence[str] | None = None) -> list[Measure]:
    """Numbers by name, all about the same networks."""
    return [Measure(name, float(value), networks) for name, value in numbers.items()]


def tensors(found: Mapping[str, Any], of: str = "") -> dict[str, Tensor]:
    """Nested numbers, and lists of them, as tensors by the path of their keys: "lower, images".

    What is neither number nor list of numbers, as a text, is left out.
    """
    named: dict[str, Tensor] = {}
    for key, value in found.items():
        name = f"{of}, {key}" if of else str(key)
        if isinstance(value, Mapping):
            named |= tensors(value, name)
        elif not isinstance(value, str):
            named[name] = torch.as_tensor(value, dtype=torch.float64)
    return named


def scalars(found: Mapping[str, Tensor]) -> dict[str, float]:
    """Those of the tensors that are single numbers."""
    return {name: float(value) for name, value in found.items() if value.ndim == 0}


def curves(settings: Any, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An excerpt: those of the tensors that are no single numbers."""
    return {name: value for name, value in found.items() if value.ndim}


@dataclass(frozen=True)
class Study:
    """Arms that are compared, each with several seeds.

    Attributes:
        name: ``part/study``, as its module below `studies`.
        arms: what is compared, each with what `run` and `measure` are told of it: settings whose
            `repr` says all of them, as that of a dataclass of numbers does.
        seeds: of the runs of every arm.
        run: (settings, seed, folder) -> tensors to store. The folder is for checkpoints of what
            takes long; it is there again after a stop, and gone once the run is stored.
        measure: (settings, seed, tensors) -> numbers. It may change without running again.
        trains: whether each run trains networks of its own, which its numbers are then about.
        excerpt: (settings, seed, tensors) -> the few that chapters show, committed with the card.
        data: names in the registry of the data sets that it reads.
        profile: the card's.
        lost: exceptions that mean a lost run.
        earlier: a committed file of earlier runs, in a format of its own, below ``data``.

    Raises ValueError for a name that is no path of words, no arms or seeds, arms that would share
    a file, or settings that do not say what they are.
    """

    name: str
    arms: Mapping[str, Any]
    seeds: Sequence[int]
    run: Callable[[Any, int, Path], Mapping[str, Tensor]]
    measure: Callable[[Any, int, Mapping[str, Tensor]], Iterable[Measure]]
    trains: bool
    excerpt: Callable[[Any, int, Mapping[str, Tensor]], Mapping[str, Tensor]] | None = None
    data: Sequence[str] = ()
    profile: str = "full"
    lost: tuple[type[Exception], ...] = LOST
    earlier: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w+(/\w+)*", self.name):
            raise ValueError(f"a study was named {self.name!r}; give words joined by /")
        if not self.arms or not len(self.seeds):
            raise ValueError(f"the study {self.name} has no arms or no seeds; give at least one")
        if len({slug(arm) for arm in self.arms}) < len(self.arms):
            raise ValueError(f"two arms of {self.name} would share a file; name them differently")
        for arm, settings in self.arms.items():
            if " at 0x" in repr(settings):
                raise ValueError(
                    f"the arm {arm!r} of {self.name} has the settings {settings!r}, which do not "
                    "say what they are; give names, numbers, or dataclasses of these"
                )

    @property
    def card(self) -> str:
        """Name of its card, which is that of its module."""
        return f"studies/{self.name}"


def place(study: Study, folder: Path, arm: str, seed: int) -> Path:
    """Where a run is cached."""
    return folder / study.name / f"{slug(arm)}-{seed}.safetensors"


def slug(arm: str) -> str:
    """An arm's name as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", arm.lower()).strip("-") or "arm"


def cells(
    study: Study, arms: Sequence[str] | None = None, seeds: Sequence[int] | None = None
) -> Iterator[tuple[str, int]]:
    """Arms and seeds, seed by seed, so that a stopped study has compared all arms with some.

    Args:
        study: whose.
        arms, seeds: only these; None: all. An arm may be named as its file is.

    Raises:
        StudyError: an arm or seed that the study has not.
    """
    named = {name: arm for arm in study.arms for name in (slug(arm), arm)}
    for kind, asked, known in (("arm", arms, named), ("seed", seeds, study.seeds)):
        for one in asked or ():
            if one not in known:
                has = ", ".join(map(str, study.arms if kind == "arm" else study.seeds))
                raise StudyError(f"{study.name} has no {kind} {one!r}; it has {has}")
    for seed in study.seeds if seeds is None else seeds:
        for arm in study.arms if arms is None else arms:
            yield named[arm], seed
