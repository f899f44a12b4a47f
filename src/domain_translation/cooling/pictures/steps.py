"""What happens to one picture of a folder: it is shown, measured, cooled, translated, written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation import cooling
from domain_translation.cooling.pictures.arrays import noise_id
from domain_translation.cooling.pictures.codec import (
    Picture,
    encode,
    made_from,
    open_picture,
    upright_size,
)
from domain_translation.cooling.pictures.denoisers import Denoiser
from domain_translation.cooling.pictures.errors import PicturesError
from domain_translation.cooling.pictures.folders import write
from domain_translation.cooling.pictures.record import COOLED, TRANSLATED, Row
from domain_translation.cooling.pictures.translators import Translator
from domain_translation.cooling.pictures.view import View
from domain_translation.sampling.langevin import DivergenceError


@dataclass(frozen=True)
class Run:
    source: Path
    out: Path
    translator: Translator
    denoiser: Denoiser
    chain: Mapping[str, Any]  # arguments of `cooling.cool`
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


@dataclass
class Entry:
    """A picture of the folder: its line of the table and what orders it."""

    name: Path
    row: Row
    score_rms: float = 0.0


def try_networks(run: Run, names: Sequence[Path]) -> None:
    """Check the size of every picture, and show both networks the first one that can be read.

    Raises:
        RequestError: a network was made for another size.
        PicturesError: a network fails.
    """
    for name in names:
        if size := upright_size(run.source / name):
            shape = run.view.shape(size[1], size[0])
            run.denoiser.check(3, *shape)
            run.translator.check(*shape)
    for name in names:
        try:
            seen = run.show(run.open(name))
        except PicturesError:
            continue
        _score(run, seen)
        run.translator(seen)
        return


def _score(run: Run, seen: Tensor) -> Tensor:
    try:
        score = run.denoiser.score(seen)
    except (RuntimeError, ValueError) as error:
        why = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise PicturesError(
            f"the denoiser failed on a picture shown at {seen.shape[3]}x{seen.shape[2]} ({why})"
        ) from error
    if not score.isfinite().all():
        raise PicturesError("the denoiser returned NaN or infinite values; train it again")
    return score


def measure(run: Run, name: Path) -> Entry:
    """Read a picture, measure its score, and see whether its results are there already."""
    row = Row(name.as_posix())
    try:
        picture = run.open(name)
    except PicturesError as error:
        row.status, row.reason = "broken", str(error)
        return Entry(name, row)
    row.width, row.height = picture.size
    seen = run.show(picture)
    score = run.view.own(_score(run, seen), row.height, row.width)
    norm = float(torch.linalg.vector_norm(score.cpu().double()))
    rms = norm / math.sqrt(score.numel())
    row.score_norm, row.score_rms = f"{norm:.6g}", f"{rms:.6g}"
    origins = [made_from(run.out / kind / name) for kind in (COOLED, TRANSLATED)]
    if any(origin not in (None, picture.digest) for origin in origins):
        row.status = "changed"
        row.reason = (
            f"{COOLED}/{row.file} or {TRANSLATED}/{row.file} was made from other bytes; "
            f"delete them to have them made anew"
        )
    elif None not in origins:
        row.status = "done"
    return Entry(name, row, rms)


def finish(run: Run, entry: Entry) -> None:
    """Cool if fringe, translate, write both; the translation last, so that it marks the end."""
    picture = run.open(entry.name)
    seen = run.show(picture)
    pixels = picture.pixels
    if entry.row.fringe == "yes":
        try:
            ids = [noise_id(picture.pixels)]
            seen = cooling.cool(run.denoiser.score, seen, **run.chain, ids=ids).x
        except DivergenceError as error:
            raise PicturesError(f"cooling {entry.row.file} failed: {error}") from error
        pixels = run.back(seen, picture)
    translated = run.back(run.translator(seen), picture)
    if picture.grey:
        pixels = pixels.mean(0, keepdim=True)
    write(run.out / COOLED / entry.name, encode(pixels, picture))
    write(run.out / TRANSLATED / entry.name, encode(translated, picture))
    entry.row.status = "done"
