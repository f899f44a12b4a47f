"""Cards of studies: the rows of all runs at hand, where they come from, and what chapters show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock
from torch import Tensor

from domain_translation.files import data_file
from domain_translation.notebook import card_files
from domain_translation.notebook.cards import Card, CardError, Row
from domain_translation.studies import provenance
from domain_translation.studies.engine import Cell, at_hand
from domain_translation.studies.study import Study, StudyError, cells, slug
from domain_translation.training import checkpoints
from domain_translation.training.checkpoints import Checkpoint

DIGITS = 8  # of a card's numbers: what float32 has, and no more that other processors round


class Survey(NamedTuple):
    """How far a study is."""

    name: str
    size: str  # arms x seeds
    at_hand: str  # runs, and of how many
    seconds: float  # of processor time behind them
    card: str  # its state


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


def collect(study: Study, folder: Path, card: Card | None = None) -> Card:
    """The card of all runs that are at hand; what is missing is told by its absence.

    Args:
        study: what was run.
        folder: of the cached runs.
        card: committed; its rows of the present code go on where a file is missing.

    Raises:
        CardError: a number that is not finite; a committed card without provenance.
    """
    provenance.start(study)
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
    rows = tuple(_rounded(row) for part in parts for row in part.rows)
    lost = {cell: why for part in parts for cell, why in part.lost.items()}
    return Card(study.card, study.profile, rows, lost, origin)


def write_card(
    study: Study, folder: Path, data: Path, card: Card | None, *, again: bool = False
) -> Card:
    """Write the card, and excerpts of the runs, of all that is at hand.

    Args:
        study: what was run.
        folder: of the cached runs.
        data: of the checkout, whose ``cards`` and ``studies`` are written to.
        card: the committed one.
        again: leave out runs of other code, and replace even a card that holds such.

    Raises:
        StudyError: nothing is at hand, a file is of other code, settings or data; or the committed
            card holds runs that would be lost.
        CheckpointError, OSError: the disk refuses.
    """
    (folder / study.name).mkdir(parents=True, exist_ok=True)
    with FileLock(folder / study.name / "card.lock"):
        for cell in cells(study):
            at_hand(study, folder, card, cell, again=again)
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
        _write_excerpts(study, folder, data)
        card_files.write(data / "cards" / f"{study.card}.json", new)
    return new


def excerpt(name: str, arm: str, seed: int) -> dict[str, Tensor]:
    """What chapters show of a run of the study `name`.

    Raises FileNotFoundError: it has not been run and committed.
    """
    return checkpoints.load(Path(str(data_file(_excerpt(name, arm, seed))))).tensors


def _excerpt(name: str, arm: str, seed: int) -> str:
    return f"studies/{name}/{slug(arm)}-{seed}.safetensors"


def survey(study: Study, folder: Path) -> Survey:
    """How far a study is; a card that cannot be read is told of, not raised."""
    size = len(study.arms) * len(study.seeds)
    try:
        card = stored_card(study)
        state = f"earlier runs, data/{study.earlier}" if study.earlier else "none"
        if card is not None:
            now, of = len(provenance.held(study, card)), len(card.origin["runs"])
            state = "whole" if now == size else f"{now} runs" if now == of else "of other code"
    except CardError as error:
        card, state = None, str(error)
    found = {cell: at_hand(study, folder, card, cell, again=True) for cell in cells(study)}
    spent = {(arm, seed): float(s) for arm, seed, s, *_ in (card.origin["runs"] if card else [])}
    seconds = [
        spent[cell] if isinstance(run, Card) else float(run.card["seconds"])
        for cell, run in found.items()
        if run is not None
    ]
    runs = f"{len(seconds)} of {size}"
    return Survey(study.name, f"{len(study.arms)} x {len(study.seeds)}", runs, sum(seconds), state)


def _write_excerpts(study: Study, folder: Path, data: Path) -> None:
    if study.excerpt is None:
        return
    for cell in cells(study):
        run = at_hand(study, folder, None, cell, again=True)
        if isinstance(run, Checkpoint) and not run.card["lost"]:
            path = data / _excerpt(study.name, *cell)
            path.parent.mkdir(parents=True, exist_ok=True)
            few = study.excerpt(study.arms[cell[0]], cell[1], run.tensors)
            checkpoints.save(path, few, {k: run.card[k] for k in ("code", "made", "machine")})


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


def _rounded(row: Row) -> Row:
    return replace(row, value=_short(row.value), error=_short(row.error))


def _short(x: float) -> float:
    return float(f"{x:.{DIGITS}g}")


def _part(card: Card, cell: Cell) -> Card:
    """What a card says of one run."""
    rows = tuple(r for r in card.rows if (r.arm, r.seed) == cell)
    lost = {cell: card.lost[cell]} if cell in card.lost else {}
    runs = [r for r in card.origin["runs"] if (r[0], r[1]) == cell]
    return Card(card.study, card.profile, rows, lost, {**card.origin, "runs": runs})
