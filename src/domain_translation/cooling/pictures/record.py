"""What stands beside the results: the settings of the run, and a line for every picture."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

from domain_translation.cooling.errors import RequestError, UserError, differing
from domain_translation.cooling.pictures.folders import write
from domain_translation.runtime import versions

CARD = "run.json"
TABLE = "scores.csv"
COOLED, TRANSLATED = RESULTS = "cooled", "translated"

Status = Literal["done", "waiting", "broken", "changed", "failed"]


@dataclass
class Row:
    """What is known of one picture; the fields are the columns of scores.csv.

    Attributes:
        file: path below the input folder, with slashes.
        width, height: in pixels, upright; empty where the file could not be read.
        score_norm: length of the score at the picture (L-Cool eq. 10, left side).
        score_rms: the same divided by the square root of the number of values.
        score_after: `score_rms` of the cooled picture, as it was written.
        psnr: of the cooled picture, as it was written, to the picture, in dB; inf: equal.
        steps: of cooling; 0 for a picture that was spared.
        fringe: "yes" where the picture was to be cooled, "no" where it was to be spared.
        status: done; waiting (not reached yet); broken (could not be read); failed (a network or
            the memory gave up on it); changed (its results are of another version of the file
            and were left alone).
        reason: why it is not done, why it was spared, or what is odd about it.
    """

    file: str
    width: int | str = ""
    height: int | str = ""
    score_norm: str = ""
    score_rms: str = ""
    score_after: str = ""
    psnr: str = ""
    steps: str = ""
    fringe: str = ""
    status: Status = "waiting"
    reason: str = ""


class Report(NamedTuple):
    """What a run did.

    Attributes:
        rows: one per picture, in the order of scores.csv.
        kept: how many were finished by an earlier run.
        passed: how many files of which suffix were passed over.
        level: `score_rms` at which pictures were left alone; None: all took the same steps.
        notes: what is odd about the networks' results, in sentences.
    """

    rows: list[Row]
    kept: int
    passed: dict[str, int]
    level: float | None
    notes: list[str]

    @property
    def skipped(self) -> list[Row]:
        """The pictures without a result."""
        return [row for row in self.rows if row.status != "done"]

    @property
    def figures(self) -> dict[str, float | None]:
        """What cooling did, in numbers: counts, and medians over the pictures that are done.

        `steps` and `psnr` (in dB, to what they were) are of the cooled pictures; a median of
        nothing, and an infinite one, is None.
        """
        done = [row for row in self.rows if row.status == "done"]
        cooled = [row for row in done if row.steps != "0"]

        def middle(name: str, rows: list[Row]) -> float | None:
            found = [float(value) for row in rows if (value := getattr(row, name))]
            level = median(found) if found else math.inf
            return level if math.isfinite(level) else None

        return {
            "pictures": len(self.rows),
            "done": len(done),
            "done_earlier": self.kept,
            "cooled": len(cooled),
            "spared": len(done) - len(cooled),
            "score_before": middle("score_rms", done),
            "score_after": middle("score_after", done),
            "score_in_training": self.level,
            "steps": middle("steps", cooled),
            "psnr": middle("psnr", cooled),
        }

    @property
    def summary(self) -> str:
        """One line on what cooling did, by medians over the pictures that are done."""
        found = self.figures
        if not found["done"]:
            return "nothing was cooled"
        said = f"{found['cooled']} of {found['done']} cooled, {found['spared']} spared; "
        said += f"median score {found['score_before']:.3g} -> {found['score_after']:.3g}"
        said += "" if self.level is None else f" (training pictures {self.level:.3g})"
        if found["psnr"] is None:
            return said
        return (
            f"{said}; of the cooled, median {found['steps']:g} steps and {found['psnr']:.1f} dB to "
            f"what they were"
        )


def write_table(out: Path, rows: Iterable[Row]) -> None:
    """Write scores.csv.

    Raises:
        UserError: the disk refuses.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([f.name for f in fields(Row)])
    table.writerows(astuple(row) for row in rows)
    write(out / TABLE, text.getvalue().encode(errors="surrogateescape"))  # of names on Linux


def claim_folder(out: Path, settings: Mapping[str, Any]) -> None:
    """Make `out` the folder of a run with these settings, or go on with one that is.

    A run that stopped before its first result leaves the folder free.

    Raises:
        RequestError: it holds a run with other settings or networks, or files of another origin.
        UserError: it cannot be written, or its card cannot be read.
    """
    card = out / CARD
    if card.is_file() and any((out / name).exists() for name in RESULTS):
        try:
            before = json.loads(card.read_text(encoding="utf-8"))["settings"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{card} cannot be read ({error}); choose a new output folder"
            ) from error
        wanted = json.loads(json.dumps(settings))
        if named := differing(before, wanted):
            raise RequestError(
                f"{out} holds results with other settings ({named}); nothing was overwritten, "
                f"choose a new output folder"
            )
        for fragment in out.rglob(".*.tmp"):  # left by a process that was killed while writing
            fragment.unlink(missing_ok=True)
        return
    if out.is_dir() and any(
        not path.name.startswith(".") and path.name not in (CARD, TABLE) for path in out.iterdir()
    ):
        raise RequestError(
            f"{out} is not empty and holds no {CARD} of an earlier run; choose a new or empty "
            f"output folder"
        )
    content = json.dumps({"settings": settings, "versions": versions()}, indent=1, sort_keys=True)
    write(card, content.encode())
