"""Studies: results too long for a page. One engine runs, resumes, keeps and measures arms x seeds.

A study says how to `run` one arm with one seed, which may take hours and gives tensors, and how to
`measure` what came out, which is quick and may be changed without running again:

    STUDY = Study("energies/ablations", ("swish", "relu"), range(5), run, measure)
    perform(STUDY, Path("runs"))            # stopped and started again, it goes on
    card_files.write(path, collect(STUDY, Path("runs")))
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from torch import Tensor

import domain_translation
from domain_translation import checkpoints, runtime
from domain_translation.checkpoints import CheckpointError
from domain_translation.langevin import DivergenceError
from domain_translation.notebook import machine
from domain_translation.notebook.cards import Card, Row
from domain_translation.notebook.code import code_digest

# What ends a run without a result of its own: it is lost, and counted.
LOST = (DivergenceError, FloatingPointError)
PACKAGE = Path(domain_translation.__file__).parent


@dataclass(frozen=True)
class Measure:
    """A number that a run gives; `networks` are those that it is about."""

    name: str
    value: float
    networks: Sequence[str] = ()


@dataclass(frozen=True)
class Study:
    """Arms that are compared, each with several seeds.

    Attributes:
        name: ``part/study``.
        arms: what is compared.
        seeds: of the runs of every arm.
        run: (arm, seed) -> tensors, kept.
        measure: (arm, seed, tensors) -> numbers.
        profile: the card's.
        lost: exceptions that mean a lost run.

    Raises ValueError for a name that is no path of words, or arms that would share a file.
    """

    name: str
    arms: tuple[str, ...]
    seeds: Sequence[int]
    run: Callable[[str, int], Mapping[str, Tensor]]
    measure: Callable[[str, int, Mapping[str, Tensor]], Iterable[Measure]]
    profile: str = "full"
    lost: tuple[type[Exception], ...] = LOST

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w+(/\w+)*", self.name):
            raise ValueError(f"a study was named {self.name!r}; give words joined by /")
        if not self.arms or not len(self.seeds):
            raise ValueError(f"the study {self.name} has no arms or no seeds; give at least one")
        if len({slug(arm) for arm in self.arms}) < len(self.arms):
            raise ValueError(f"two arms of {self.name} would share a file; name them differently")


def perform(
    study: Study,
    folder: Path,
    *,
    arms: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Run what is not at hand yet, below `folder`; several processes may share the work.

    A run is at hand if its file is whole and was made by the code as it is now.

    Args:
        study: what to run.
        folder: of the kept runs; the study gets one of its own.
        arms, seeds: only these; None: all.
        say: told of each run.

    Raises:
        ValueError: an arm or seed that the study has not.
        CheckpointError: the disk refuses.
    """
    for arm, seed in _cells(study, arms, seeds):
        path = place(study, folder, arm, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path.with_suffix(".lock"), timeout=0):
                if _at_hand(path) is None:
                    say(f"{study.name}: {arm}, seed {seed}")
                    _run(study, arm, seed, path)
        except Timeout:
            say(f"{study.name}: {arm}, seed {seed}: another process is at it")


def collect(study: Study, folder: Path) -> Card:
    """The card of all runs that are at hand; what is missing is told by its absence."""
    rows: list[Row] = []
    lost: dict[tuple[str, int], str] = {}
    origin: dict[str, Any] = {"code": {}, "seconds": 0.0, "machine": [], "versions": {}}
    for arm, seed in _cells(study, None, None):
        kept = _at_hand(place(study, folder, arm, seed))
        if kept is None:
            continue
        origin["code"] |= kept.card["code"]
        origin["seconds"] += kept.card["seconds"]
        origin["versions"] = kept.card["versions"]
        origin["made"] = max(origin.get("made", ""), kept.card["made"])
        origin["machine"] = sorted({*origin["machine"], kept.card["machine"]})
        if kept.card["lost"]:
            lost[arm, seed] = kept.card["lost"]
            continue
        found = study.measure(arm, seed, kept.tensors)
        rows += [Row(arm, seed, m.name, float(m.value), tuple(m.networks)) for m in found]
    return Card(study.name, study.profile, tuple(rows), lost, origin)


def missing(study: Study, folder: Path) -> list[tuple[str, int]]:
    """Arms and seeds that have not been run by the code as it is now."""
    cells = _cells(study, None, None)
    return [cell for cell in cells if _at_hand(place(study, folder, *cell)) is None]


def place(study: Study, folder: Path, arm: str, seed: int) -> Path:
    """Where a run is kept."""
    return folder / study.name / f"{slug(arm)}-{seed}.safetensors"


def slug(arm: str) -> str:
    """An arm's name as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", arm.lower()).strip("-") or "arm"


def _cells(
    study: Study, arms: Sequence[str] | None, seeds: Sequence[int] | None
) -> Iterator[tuple[str, int]]:
    """Seed by seed, so that a stopped study has compared all arms with some seeds."""
    for kind, asked, known in (("arm", arms, study.arms), ("seed", seeds, study.seeds)):
        for one in asked or ():
            if one not in known:
                told = ", ".join(map(str, known))
                raise ValueError(f"{study.name} has no {kind} {one!r}; it has {told}")
    for seed in study.seeds if seeds is None else seeds:
        for arm in study.arms if arms is None else arms:
            yield arm, seed


def _run(study: Study, arm: str, seed: int, path: Path) -> None:
    started, lost = time.process_time(), ""
    tensors: Mapping[str, Tensor] = {}
    try:
        tensors = study.run(arm, seed)
    except study.lost as error:
        lost = f"{type(error).__name__}: {error}"
    card = {
        "study": study.name,
        "arm": arm,
        "seed": seed,
        "lost": lost,
        "code": _code_in_use(),
        "seconds": round(time.process_time() - started, 1),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.identity(),
        "versions": runtime.versions(),
    }
    checkpoints.save(path, tensors, card)


def _at_hand(path: Path) -> checkpoints.Checkpoint | None:
    """A kept run that is whole and was made by the code as it is now."""
    try:
        kept = checkpoints.load(path)
    except (FileNotFoundError, CheckpointError):
        return None  # none yet, or one that was cut off: both are made anew
    for name, digest in kept.card.get("code", {}).items():
        file = PACKAGE / name
        if not file.is_file() or code_digest(file.read_text(encoding="utf-8")) != digest:
            return None
    return kept


def _code_in_use() -> dict[str, str]:
    """Digests of the package's modules that are imported now, by file name."""
    files = {Path(getattr(m, "__file__", None) or "") for m in list(sys.modules.values())}
    inside = sorted(f for f in files if f.is_relative_to(PACKAGE) and f.suffix == ".py")
    return {
        f.relative_to(PACKAGE).as_posix(): code_digest(f.read_text(encoding="utf-8"))
        for f in inside
    }
