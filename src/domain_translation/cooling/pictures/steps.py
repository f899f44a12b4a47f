"""What happens to one picture of a folder: it is shown, measured, cooled, translated, written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.cooling.errors import DiskError, UserError, out_of_memory
from domain_translation.cooling.pictures.arrays import noise_id
from domain_translation.cooling.pictures.chain import Chain
from domain_translation.cooling.pictures.codec import Picture, encode, made_from, open_picture
from domain_translation.cooling.pictures.denoisers import Denoiser
from domain_translation.cooling.pictures.folders import result_name, write
from domain_translation.cooling.pictures.record import COOLED, RESULTS, TRANSLATED, Row
from domain_translation.cooling.pictures.translators import Translator
from domain_translation.cooling.pictures.view import View
from domain_translation.sampling.langevin import DivergenceError


@dataclass(frozen=True)
class Run:
    source: Path
    out: Path
    translator: Translator
    denoiser: Denoiser
    chain: Chain
    view: View
    device: torch.device

    def open(self, name: Path) -> Picture:
        return open_picture(self.source / name)

    def show(self, picture: Picture) -> Tensor:
        """What the networks see of it."""
        return self.view.show(picture.pixels).to(self.device)

    def back(self, seen: Tensor, picture: Picture) -> Tensor:
        """What the networks return, at the size of the picture."""
        width, height = picture.size
        return self.view.back(seen, height, width).cpu()

    def result(self, kind: str, name: Path) -> Path:
        """Where a result of the picture `name` is written."""
        return self.out / kind / result_name(name)


@dataclass
class Entry:
    """A picture of the folder: its line of the table and what orders it."""

    name: Path
    row: Row
    score_rms: float = 0.0

    @property
    def pixels(self) -> int:
        return int(self.row.width or 0) * int(self.row.height or 0)


def scored(run: Run, seen: Tensor) -> Tensor:
    """The denoiser's score at what the networks see.

    Raises:
        UserError: the denoiser fails, or returns values that are not finite.
    """
    try:
        score = run.denoiser.score(seen)
    except (RuntimeError, ValueError) as error:
        raise UserError(f"the denoiser failed at {_size(seen)} ({_why(error)})") from error
    if not score.isfinite().all():
        raise UserError("the denoiser returned NaN or infinite values; train it again")
    return score


def measure(run: Run, name: Path) -> Entry:
    """Read a picture, measure its score, and see whether its results are there already."""
    row = Row(name.as_posix())
    try:
        picture = run.open(name)
    except UserError as error:
        row.status, row.reason = "broken", str(error)
        return Entry(name, row)
    row.width, row.height = picture.size
    row.reason = picture.note
    try:
        norm, rms = _length(run, picture)
    except UserError as error:
        row.status, row.reason = "failed", str(error)
        return Entry(name, row)
    row.score_norm, row.score_rms = f"{norm:.6g}", f"{rms:.6g}"
    origins = [made_from(run.result(kind, name)) for kind in RESULTS]
    if any(origin is not None and origin.digest != picture.digest for origin in origins):
        row.status = "changed"
        row.reason = (
            f"{COOLED}/{row.file} or {TRANSLATED}/{row.file} was made from other bytes; "
            f"move them away to have them made anew"
        )
    elif None not in origins:
        row.status = "done"
    return Entry(name, row, rms)


def finish(run: Run, entry: Entry, each: Callable[[], object] = lambda: None) -> None:
    """Cool if fringe, translate, write both; the translation last, so that it marks the end.

    `each` is called after every step. What fails on this picture becomes its status and reason.

    Raises:
        DiskError: the disk refuses.
    """
    row = entry.row
    try:
        if row.status == "waiting":
            _make(run, entry, each)
        _compare(run, entry)
        row.status = "done"
    except DiskError:
        raise
    except (UserError, DivergenceError) as error:
        row.status, row.reason = "failed", str(error)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        row.status, row.reason = "failed", _why(error)


def _make(run: Run, entry: Entry, each: Callable[[], object]) -> None:
    picture = run.open(entry.name)
    seen, pixels, steps = run.show(picture), picture.pixels, 0
    if entry.row.fringe == "yes":
        cooled = run.chain.cool(run.denoiser, seen, [noise_id(picture.pixels)], each)
        steps = int(cooled.steps)
        if steps:
            seen, pixels = cooled.x, run.back(cooled.x, picture)
    translated = run.back(run.translator(seen), picture)
    if picture.grey:
        pixels = pixels.mean(0, keepdim=True)
    for kind, made in zip(RESULTS, (pixels, translated), strict=True):
        write(run.result(kind, entry.name), encode(made, picture, steps))


def _compare(run: Run, entry: Entry) -> None:
    """What cooling did, told by what was written: a later run finds the same numbers."""
    picture, row = run.open(entry.name), entry.row
    path = run.result(COOLED, entry.name)
    cooled, origin = open_picture(path), made_from(path)
    row.steps = origin.steps if origin else ""
    row.score_after = f"{_length(run, cooled)[1]:.6g}"
    error = float((cooled.pixels - picture.pixels).double().square().mean())
    row.psnr = f"{10 * math.log10(4 / error):.2f}" if error else "inf"  # values range over 2
    if row.steps == "0":
        spared = "its score is not longer than asked for"
        row.reason = "; ".join(filter(None, (f"spared: {spared}", picture.note)))


def _length(run: Run, picture: Picture) -> tuple[float, float]:
    """Norm and root mean square of the score at a picture, without what continues it."""
    width, height = picture.size
    score = run.view.own(scored(run, run.show(picture)), height, width)
    norm = float(torch.linalg.vector_norm(score.cpu().double()))
    return norm, norm / math.sqrt(score.numel())


def _size(seen: Tensor) -> str:
    return f"a picture shown at {seen.shape[3]}x{seen.shape[2]}"


def _why(error: BaseException) -> str:
    if out_of_memory(error):
        return "not enough memory; give --size to scale pictures down"
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
