"""Cool a folder of pictures and translate it.

Each picture goes through the networks alone. Batching would save little (a picture keeps a
processor busy by itself) and cost the promise that matters here: the bytes of a result depend on
the picture, the networks and the settings, not on which pictures lie beside it or in what order.
A result names the bytes of the picture it was made from, so that a second run knows what is done.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from domain_translation import cooling, runtime
from domain_translation.cooling import PAPER
from domain_translation.cooling.errors import RequestError, as_request
from domain_translation.cooling.pictures.chain import chain, fringe_level
from domain_translation.cooling.pictures.codec import to_image
from domain_translation.cooling.pictures.denoisers import Denoiser, as_denoiser, doubt
from domain_translation.cooling.pictures.folders import (
    Found,
    check_apart,
    check_names,
    find_pictures,
    told_passed,
    write,
)
from domain_translation.cooling.pictures.record import (
    RESULTS,
    Report,
    claim_folder,
    write_table,
)
from domain_translation.cooling.pictures.sheet import Line, contact_sheet
from domain_translation.cooling.pictures.steps import Entry, Run, finish, measure
from domain_translation.cooling.pictures.translators import Translator, as_translator
from domain_translation.cooling.pictures.trial import try_networks
from domain_translation.cooling.pictures.view import View
from domain_translation.sampling.inputs import evaluating
from domain_translation.training.model_files import Model

LARGEST = 16384  # pixels of a side
SHEET = "contact_sheet.png"
SHEET_LONGEST, SHEET_OTHERS = 8, 4  # rows of the sheet: the longest scores, and some of the others


def cool_folder(
    translator: Callable[[Tensor], Tensor] | Translator,
    denoiser: Callable[[Tensor], Tensor] | Model | Denoiser,
    in_dir: Path | str,
    out_dir: Path | str,
    *,
    sigma: float | None = None,
    step_size: float | None = None,
    temperature: float = PAPER.temperature,
    steps: int | None = None,
    share: float | None = None,
    threshold: float | Literal["auto"] | None = None,
    size: int | None = None,
    multiple: int = 4,
    seed: int = 0,
    device: str = "cpu",
    tell: Callable[[str], None] | None = None,
) -> Report:
    """Cool and translate every picture of a folder and the folders in it.

    Writes `out_dir`/cooled/NAME, /translated/NAME (same names and sizes; what is neither PNG nor
    JPEG becomes NAME.png), scores.csv, contact_sheet.png (the longest scores and some others) and
    run.json. Run again with the same settings, it goes on where it stopped; files are written whole
    or not at all, and none of another origin is overwritten. A picture that cannot be read, or on
    which a network or the memory gives up, is skipped and listed.

    Args:
        translator: G, a callable (1, 3, H, W) -> (1, 3, H, W) in [-1, 1], or `load_translator`'s.
        denoiser: see `domain_translation.cool`, or `load_denoiser`'s.
        in_dir, out_dir: folders; the second must not lie in the first.
        sigma, step_size, temperature, steps: see `domain_translation.cool`; by default a picture is
            cooled until its score is as short as the training pictures' median.
        share: cool only this share of the pictures in (0, 1], those with the largest score_rms.
            Which they are depends on the whole folder, so it cannot grow between two runs.
        threshold: cool only pictures whose score_rms is larger; "auto": than four of five training
            pictures have, by the denoiser's card. Default: "auto", and all with steps or share.
        size: scale pictures to this square for the networks, and results back.
        multiple: unscaled sides are continued to multiples of it; 4 suits ResNet generators.
        seed: of the noise.
        device: "cpu", "cuda" ...; bytes are equal between runs on the same kind of device.
        tell: called with sentences on what the run will take, before it starts.

    Raises:
        UserError: no pictures, a folder that cannot be written, a network that fails on the
            first pictures or returns another size.
        RequestError: settings, networks or folders that do not fit together, or a device that is
            not there.
    """
    _check_settings(share, threshold, size, multiple)
    with as_request():
        where = runtime.device(device)
    source, out = Path(in_dir), Path(out_dir)
    found = find_pictures(source)
    names = found.pictures
    check_apart(source, out)
    check_names(names)
    chosen = as_denoiser(denoiser, sigma).to(where)
    how = chain(chosen, step_size=step_size, temperature=temperature, steps=steps, seed=seed)
    run = Run(
        source=source,
        out=out,
        translator=as_translator(translator).to(where),
        denoiser=chosen,
        chain=how,
        view=View(size, multiple),
        device=where,
    )
    level = fringe_level(chosen, how, share, threshold)
    with evaluating(chosen.network, run.translator.network):
        return _cooled(run, found, share, level, tell)


def _cooled(
    run: Run,
    found: Found,
    share: float | None,
    threshold: float | None,
    tell: Callable[[str], None] | None,
) -> Report:
    """What `cool_folder` does, once it is known what is asked for."""
    names = found.pictures
    expected = try_networks(run, names)
    settings = {
        **asdict(run.chain),
        "sigma": run.denoiser.sigma,
        "share": share,
        "threshold": threshold,
        "size": run.view.size,
        "multiple": run.view.multiple,
        "device": run.device.type,
        "translator": run.translator.digest,
        "denoiser": run.denoiser.digest,
        "share_of": None if share is None else _folder_digest(run.source, names),
    }
    claim_folder(run.out, settings)
    for sentence in (told_passed(found.passed), doubt(run.denoiser.card), expected):
        if sentence and tell:
            tell(sentence)
    entries = [measure(run, name) for name in runtime.progress(names, desc="scores")]
    _choose(entries, share, threshold)
    kept = sum(entry.row.status == "done" for entry in entries)
    rows = [entry.row for entry in entries]
    try:
        _finish_all(run, entries)
    finally:  # whatever ended it: the table says what is done
        write_table(run.out, rows)
    _write_sheet(run, entries)
    return Report(rows, kept, found.passed, run.chain.level, run.translator.notes())


def _finish_all(run: Run, entries: Sequence[Entry]) -> None:
    """One picture after another; the bar counts pixels, and moves with every step of a picture."""
    due = [entry for entry in entries if entry.row.status in ("waiting", "done")]
    work = sum(entry.pixels for entry in due)
    with runtime.progress(total=work, desc="cooling", unit="px", unit_scale=True) as bar:
        finished = 0
        for entry in due:
            finish(run, entry, functools.partial(bar.update, entry.pixels // (run.chain.steps + 2)))
            finished += entry.pixels
            bar.update(finished - bar.n)  # those that stopped early


def _check_settings(
    share: float | None, threshold: float | str | None, size: int | None, multiple: int
) -> None:
    """Rehearse on one number, so that bad settings are refused before anything is read."""
    if not all(1 <= side <= LARGEST for side in (1 if size is None else size, multiple)):
        raise RequestError(
            f"size is {size} and multiple {multiple}; give pixels, at least 1 and at most {LARGEST}"
        )
    if isinstance(threshold, str) and threshold != "auto":
        raise RequestError(f"threshold is {threshold!r}; give a score_rms or 'auto'")
    if share is not None or threshold is not None:
        number = 0.0 if isinstance(threshold, str) else threshold
        with as_request():
            cooling.fringe_mask(torch.ones(1), share=share, threshold=number)


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
    read = [entry for entry in entries if entry.row.status not in ("broken", "failed")]
    fringe = torch.ones(len(read), dtype=torch.bool)
    if read and (share is not None or threshold is not None):
        lengths = torch.tensor([entry.score_rms for entry in read], dtype=torch.float64)
        fringe = cooling.fringe_mask(lengths, share=share, threshold=threshold)
    for entry, inside in zip(read, fringe.tolist(), strict=True):
        entry.row.fringe = "yes" if inside else "no"


def _write_sheet(run: Run, entries: Sequence[Entry]) -> None:
    """Finished pictures: the longest scores, and others at even distances; made from the files."""
    done = [entry for entry in entries if entry.row.status == "done"]
    done.sort(key=lambda entry: (-entry.score_rms, entry.row.file))
    longest, others = done[:SHEET_LONGEST], done[SHEET_LONGEST:]
    lines = [_line(run, e) for e in longest + others[:: max(1, len(others) // SHEET_OTHERS)]]
    if lines:
        write(run.out / SHEET, contact_sheet(lines))


def _line(run: Run, entry: Entry) -> Line:
    row, picture = entry.row, run.open(entry.name)
    before = to_image(picture.pixels)
    plain = to_image(run.back(run.translator(run.show(picture)), picture))
    if picture.alpha is not None:
        before.putalpha(picture.alpha)
        plain.putalpha(picture.alpha)
    cooled, translated = (Image.open(run.result(kind, entry.name)) for kind in RESULTS)
    text = f"{row.file}   score {entry.score_rms:.3g}"
    text += (
        ", spared"
        if row.steps == "0"
        else (f" -> {float(row.score_after):.3g}, {float(row.psnr):.1f} dB, {row.steps} steps")
    )
    return Line((before, cooled, plain, translated), text)
