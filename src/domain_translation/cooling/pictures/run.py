"""Cool a folder of pictures and translate it.

Each picture goes through the networks alone. Batching would save little (a picture keeps a
processor busy by itself) and cost the promise that matters here: the bytes of a result depend on
the picture, the networks and the settings, not on which pictures lie beside it or in what order.
A result names the bytes of the picture it was made from, so that a second run knows what is done.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from domain_translation import cooling, runtime
from domain_translation.cooling import PAPER
from domain_translation.cooling.pictures.codec import to_image
from domain_translation.cooling.pictures.denoisers import Denoiser, as_denoiser
from domain_translation.cooling.pictures.errors import RequestError, as_request
from domain_translation.cooling.pictures.folders import check_apart, find_pictures, write
from domain_translation.cooling.pictures.record import (
    COOLED,
    TRANSLATED,
    Row,
    claim_folder,
    write_table,
)
from domain_translation.cooling.pictures.sheet import Line, contact_sheet
from domain_translation.cooling.pictures.steps import Entry, Run, finish, measure, try_networks
from domain_translation.cooling.pictures.translators import Translator, as_translator
from domain_translation.cooling.pictures.view import View
from domain_translation.training.model_files import Model

SHEET = "contact_sheet.png"
SHEET_ROWS = 8


class Report(NamedTuple):
    """What a run did.

    Attributes:
        rows: one per picture, in the order of scores.csv.
        kept: how many were finished by an earlier run.
    """

    rows: list[Row]
    kept: int

    @property
    def skipped(self) -> list[Row]:
        """The pictures without a result."""
        return [row for row in self.rows if row.status != "done"]


def cool_folder(
    translator: Callable[[Tensor], Tensor] | Translator,
    denoiser: Callable[[Tensor], Tensor] | Model | Denoiser,
    in_dir: Path | str,
    out_dir: Path | str,
    *,
    sigma: float | None = None,
    step_size: float = PAPER.step_size,
    temperature: float = PAPER.temperature,
    steps: int = PAPER.steps,
    share: float | None = None,
    threshold: float | None = None,
    size: int | None = None,
    multiple: int = 4,
    seed: int = 0,
    device: str = "cpu",
) -> Report:
    """Cool and translate every PNG and JPEG file of a folder and the folders in it.

    Writes `out_dir`/cooled/NAME, /translated/NAME (same names, formats and sizes), scores.csv,
    contact_sheet.png (the pictures with the longest scores) and run.json. Run again with the same
    settings, it goes on where it stopped; files are written whole or not at all, and none of
    another origin is overwritten. A picture that cannot be read is skipped and listed.

    Args:
        translator: G, a callable (1, 3, H, W) -> (1, 3, H, W) in [-1, 1], or `load_translator`'s.
        denoiser: see `domain_translation.cool`, or `load_denoiser`'s.
        in_dir, out_dir: folders; the second must not lie in the first.
        sigma, step_size, temperature, steps: see `domain_translation.cool`.
        share: cool only this share of the pictures in (0, 1], those with the largest score_rms.
            Which they are depends on the whole folder, so it cannot grow between two runs.
        threshold: cool only pictures whose score_rms is larger. Default: cool all.
        size: scale pictures to this square for the networks, and results back.
        multiple: unscaled sides are continued to multiples of it; 4 suits ResNet generators.
        seed: of the noise.
        device: "cpu", "cuda" ...; bytes are equal between runs on the same kind of device.

    Raises:
        PicturesError: no pictures, a folder that cannot be written, a network that fails or
            returns another size, a chain that diverges.
        RequestError: settings, networks or folders that do not fit together, or a device that is
            not there.
    """
    chain = {"step_size": step_size, "temperature": temperature, "steps": steps, "seed": seed}
    _check_settings(chain, share, threshold, size, multiple)
    source, out = Path(in_dir), Path(out_dir)
    names = find_pictures(source)
    check_apart(source, out)
    with as_request():
        where = runtime.device(device)
    run = Run(
        source=source,
        out=out,
        translator=as_translator(translator).to(where),
        denoiser=as_denoiser(denoiser, sigma).to(where),
        chain=chain,
        view=View(size, multiple),
        device=where,
    )
    try_networks(run, names)
    settings = {
        **chain,
        "sigma": run.denoiser.sigma,
        "share": share,
        "threshold": threshold,
        "size": size,
        "multiple": multiple,
        "device": where.type,
        "translator": run.translator.digest,
        "denoiser": run.denoiser.digest,
        "share_of": None if share is None else _folder_digest(source, names),
    }
    claim_folder(out, settings)
    entries = [measure(run, name) for name in tqdm(names, desc="scores", disable=None)]
    _choose(entries, share, threshold)
    kept = sum(entry.row.status == "done" for entry in entries)
    rows = [entry.row for entry in entries]
    write_table(out, rows)
    waiting = [entry for entry in entries if entry.row.status == "waiting"]
    for entry in tqdm(waiting, desc="cooling", disable=None):
        finish(run, entry)
    write_table(out, rows)
    _write_sheet(run, entries)
    return Report(rows, kept)


def _check_settings(
    chain: Mapping[str, Any],
    share: float | None,
    threshold: float | None,
    size: int | None,
    multiple: int,
) -> None:
    """Rehearse on one number, so that bad settings are refused before anything is read."""
    if (size is not None and size < 1) or multiple < 1:
        raise RequestError(f"size is {size} and multiple {multiple}; give pixels, at least 1")
    with as_request():
        cooling.cool(torch.zeros_like, torch.zeros(1, 1), **chain)
        if share is not None or threshold is not None:
            cooling.fringe_mask(torch.ones(1), share=share, threshold=threshold)


def _folder_digest(source: Path, names: Sequence[Path]) -> str:
    """Digest of all files of the folder; those that cannot be read count by name."""
    seen = hashlib.sha256()
    for name in names:
        seen.update(name.as_posix().encode(errors="surrogateescape") + b"\0")
        with contextlib.suppress(OSError):
            seen.update(hashlib.sha256((source / name).read_bytes()).digest())
    return seen.hexdigest()


def _choose(entries: Sequence[Entry], share: float | None, threshold: float | None) -> None:
    """Mark the pictures to be cooled: L-Cool eq. 10 (lcool.eq10), on score_rms."""
    read = [entry for entry in entries if entry.row.status != "broken"]
    fringe = torch.ones(len(read), dtype=torch.bool)
    if read and (share is not None or threshold is not None):
        lengths = torch.tensor([entry.score_rms for entry in read], dtype=torch.float64)
        fringe = cooling.fringe_mask(lengths, share=share, threshold=threshold)
    for entry, inside in zip(read, fringe.tolist(), strict=True):
        entry.row.fringe = "yes" if inside else "no"


def _write_sheet(run: Run, entries: Sequence[Entry]) -> None:
    """The finished pictures with the longest scores; it is made from the files."""
    done = [entry for entry in entries if entry.row.status == "done"]
    done.sort(key=lambda entry: (-entry.score_rms, entry.row.file))
    lines = []
    for entry in done[:SHEET_ROWS]:
        picture = run.open(entry.name)
        before = to_image(picture.pixels)
        plain = to_image(run.back(run.translator(run.show(picture)), picture))
        if picture.alpha is not None:
            before.putalpha(picture.alpha)
            plain.putalpha(picture.alpha)
        cooled, translated = (
            Image.open(run.out / kind / entry.name) for kind in (COOLED, TRANSLATED)
        )
        text = f"{entry.row.file}   score {entry.score_rms:.3g}"
        if entry.row.fringe == "no":
            text += ", not cooled"
        lines.append(Line((before, cooled, plain, translated), text))
    if lines:
        write(run.out / SHEET, contact_sheet(lines))
