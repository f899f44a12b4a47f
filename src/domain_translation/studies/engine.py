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

from domain_translation import checkpoints, runtime
from domain_translation.cached import seconds, timed
from domain_translation.checkpoints import Checkpoint, CheckpointError
from domain_translation.ledger import data_file
from domain_translation.notebook import card_files, machine
from domain_translation.notebook.cards import Card, Row
from domain_translation.studies import provenance
from domain_translation.studies.study import Study, StudyError, cells, place, slug

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
    provenance.listen()
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
    if card is not None and cell in held(study, card):
        return card
    if changed and not again:
        raise StudyError(
            f"{path} was made of something else than there is now ({_few(changed)}): "
            "--again runs it anew, or choose another folder with --runs"
        )
    return None


def held(study: Study, card: Card) -> list[Cell]:
    """The runs whose rows a card holds, as far as it was made of what there is now.

    Raises CardError: it has no provenance.
    """
    provenance.check(card)
    runs = [(arm, seed) for arm, seed, *_ in card.origin["runs"] if arm in study.arms]
    same = {arm: not provenance.changed(study, arm, card.origin) for arm in {a for a, _ in runs}}
    return [cell for cell in runs if same[cell[0]]]


def collect(study: Study, folder: Path, card: Card | None = None) -> Card:
    """The card of all runs that are at hand; what is missing is told by its absence.

    Args:
        study: what was run.
        folder: of the cached runs.
        card: committed; its rows of the present code go on where a file is missing.

    Raises:
        CardError: a number that is not finite; a committed card without provenance.
    """
    parts = []
    for cell in cells(study):
        found = at_hand(study, folder, card, cell, again=True)
        if isinstance(found, Card):
            parts.append(_part(found, cell))
        elif found is not None:
            parts.append(_measured(study, cell, found))
    runs = [run for part in parts for run in part.origin["runs"]]
    origin = {} if not runs else {
        **provenance.of_card(study, {name for part in parts for name in part.origin["data"]}),
        "runs": runs,
        "seconds": round(sum(run[2] for run in runs), 1),
        "made": max(run[3] for run in runs),
        "machine": sorted({run[4] for run in runs}),
        "versions": parts[-1].origin["versions"],
    }  # fmt: skip
    rows = tuple(row for part in parts for row in part.rows)
    lost = {cell: why for part in parts for cell, why in part.lost.items()}
    return Card(study.card, study.profile, rows, lost, origin)


def stored_card(study: Study) -> Card | None:
    """The card as it is committed; None if there is none.

    Raises:
        CardError: it is damaged, or has no provenance.
    """
    try:
        file = data_file(f"cards/{study.card}.json")
    except FileNotFoundError:
        return None
    card = card_files.read(file.read_text(encoding="utf-8"), f"data/cards/{study.card}.json")
    provenance.check(card)
    return card


def write_card(
    study: Study, folder: Path, data: Path, card: Card | None, *, again: bool = False
) -> Card:
    """Write the card, and excerpts of the runs, of all that is at hand.

    Args:
        study: what was run.
        folder: of the cached runs.
        data: of the checkout, whose ``cards`` and ``studies`` are written to.
        card: the committed one.
        again: replace even a card that holds runs which are not at hand any more.

    Raises:
        StudyError: nothing is at hand; or the committed card holds more that would be lost.
        CheckpointError, OSError: the disk refuses.
    """
    with FileLock(folder / study.name / "card.lock"):
        new = collect(study, folder, card)
        if not new.origin:
            raise StudyError(f"no run of {study.name} is at hand; run it without --card first")
        now = {(arm, seed) for arm, seed, *_ in new.origin["runs"]}
        gone = [r for r in (card.origin["runs"] if card else []) if (r[0], r[1]) not in now]
        if gone and not again:
            raise StudyError(
                f"data/cards/{study.card}.json holds {len(gone)} runs that would be lost, such as "
                f"{gone[0][0]}, seed {gone[0][1]}: they are of other code, settings or data, and "
                "have not been run anew; run them, or give --again"
            )
        for cell in cells(study) if study.excerpt else ():
            run = at_hand(study, folder, None, cell, again=True)
            if isinstance(run, Checkpoint) and not run.card["lost"]:
                path = data / _excerpt(study.name, *cell)
                path.parent.mkdir(parents=True, exist_ok=True)
                few = study.excerpt(study.arms[cell[0]], cell[1], run.tensors)
                checkpoints.save(path, few, {k: run.card[k] for k in ("code", "made", "machine")})
        card_files.write(data / "cards" / f"{study.card}.json", new)
    return new


def excerpt(name: str, arm: str, seed: int) -> dict[str, Tensor]:
    """What chapters show of a run of the study `name`.

    Raises FileNotFoundError: it has not been run and committed.
    """
    return checkpoints.load(Path(str(data_file(_excerpt(name, arm, seed))))).tensors


def _excerpt(name: str, arm: str, seed: int) -> str:
    return f"studies/{name}/{slug(arm)}-{seed}.safetensors"


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


def _measured(study: Study, cell: Cell, run: Checkpoint) -> Card:
    """The card of one run."""
    arm, seed = cell
    made = [arm, seed, *(run.card[name] for name in ("seconds", "made", "machine"))]
    origin = {"runs": [made], "data": run.card["data"], "versions": run.card["versions"]}
    if run.card["lost"]:
        return Card(study.card, study.profile, lost={cell: run.card["lost"]}, origin=origin)
    own = (f"{arm}, seed {seed}",) if study.trains else ()
    rows = (
        Row(
            arm,
            seed,
            m.name,
            float(m.value),
            own if m.networks is None else tuple(m.networks),
            m.error,
        )
        for m in study.measure(study.arms[arm], seed, run.tensors)
    )
    return Card(study.card, study.profile, tuple(rows), origin=origin)


def _part(card: Card, cell: Cell) -> Card:
    """What a card says of one run."""
    rows = tuple(r for r in card.rows if (r.arm, r.seed) == cell)
    lost = {cell: card.lost[cell]} if cell in card.lost else {}
    runs = [r for r in card.origin["runs"] if (r[0], r[1]) == cell]
    return Card(card.study, card.profile, rows, lost, {**card.origin, "runs": runs})


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
