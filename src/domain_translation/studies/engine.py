"""The engine of the studies: it runs, resumes, caches, and makes cards of what is at hand.

A run is at hand if its file is whole, and made of the code, settings and data that there are now;
or if the committed card holds its rows, and was made of these. So nothing that took an hour is lost
with the folder of the runs.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from torch import Tensor

from domain_translation import runtime
from domain_translation.notebook import machine
from domain_translation.notebook.cards import Card
from domain_translation.studies import provenance
from domain_translation.studies.study import Study, StudyError, cells, place
from domain_translation.training import checkpoints
from domain_translation.training.cached import seconds, timed
from domain_translation.training.checkpoints import Checkpoint, CheckpointError

Cell = tuple[str, int]  # an arm and a seed


def perform(
    study: Study,
    folder: Path,
    *,
    card: Card | None = None,
    arms: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    again: bool = False,
    say: Callable[[str], None] = print,
) -> list[Cell]:
    """Run what is not at hand yet; several processes may share the work.

    Args:
        study: what to run.
        folder: of the cached runs of all studies.
        card: committed, see `stored_card`.
        arms, seeds: only these; None: all.
        again: replace runs that were made of other code, settings or data.
        say: told of each run.

    Returns:
        What another process is at.

    Raises:
        StudyError: an arm or seed that the study has not, or a cached run of something else than
            there is now; nothing has been run then.
        CheckpointError: the disk refuses; trainings go on from their checkpoints.
    """
    provenance.start(study)
    asked, busy = list(cells(study, arms, seeds)), []
    if not again:
        for cell in asked:
            at_hand(study, folder, card, cell)
    for arm, seed in asked:
        path = place(study, folder, arm, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path.with_suffix(".lock"), timeout=0):
                if not at_hand(study, folder, card, (arm, seed), again=again):
                    say(f"{study.name}: {arm}, seed {seed}")
                    _run(study, arm, seed, path)
        except Timeout:
            busy.append((arm, seed))
            say(f"{study.name}: {arm}, seed {seed}: another process is at it")
    return busy


def at_hand(
    study: Study, folder: Path, card: Card | None, cell: Cell, *, again: bool = False
) -> Checkpoint | Card | None:
    """A run that need not be made: its file, or the card that holds its rows; None: neither.

    Args:
        study: whose.
        folder: of the cached runs.
        card: committed.
        cell: arm and seed.
        again: a file of other code, settings or data counts as none.

    Raises:
        StudyError: there is such a file, and no card that makes it superfluous.
        CardError: the card has no provenance.
    """
    path = place(study, folder, *cell)
    try:
        run: Checkpoint | None = checkpoints.load(path)
    except (FileNotFoundError, CheckpointError):
        run = None  # none yet, or one that was cut off: both are made anew
    changed = provenance.changed(study, cell[0], run.card) if run else []
    if run is not None and not changed:
        return run
    if card is not None and provenance.holds(study, card, *cell):
        return card
    if changed and not again:
        raise StudyError(
            f"{path} was made of something else than there is now ({_few(changed)}): "
            "--again runs it anew, or choose another folder with --runs"
        )
    return None


def _run(study: Study, arm: str, seed: int, path: Path) -> None:
    scratch = path.with_suffix("")
    scratch.mkdir(exist_ok=True)
    clock, lost = scratch / "seconds.json", ""
    tensors: Mapping[str, Tensor] = {}
    with timed(clock, "run", time.process_time):
        try:
            tensors = study.run(study.arms[arm], seed, scratch)
        except study.lost as error:
            lost = f"{type(error).__name__}: {error}"
    card = {
        "study": study.name,
        "arm": arm,
        "seed": seed,
        "lost": lost,
        **provenance.of_run(study, arm),
        "seconds": round(seconds(clock)["run"], 1),
        "made": datetime.now(UTC).date().isoformat(),
        "machine": machine.identity(),
        "versions": runtime.versions(),
    }
    checkpoints.save(path, tensors, card)
    shutil.rmtree(scratch)


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
