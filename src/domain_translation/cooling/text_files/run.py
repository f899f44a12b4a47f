"""Cool and translate a file of sentences.

Lines are translated in chunks at fixed places, whatever was done before: a run that was stopped
and goes on writes the bytes that it would have written without a stop. A line's noise depends on
its sentence and the seed alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch

from domain_translation import cooling, runtime
from domain_translation.cooling.errors import UserError, as_request, as_user_error
from domain_translation.cooling.text_files import table
from domain_translation.cooling.text_files.chunks import Run, finished, fringe, refused
from domain_translation.cooling.text_files.judging import judged, read_references
from domain_translation.cooling.text_files.models import Loaded, LoadedDenoiser
from domain_translation.cooling.text_files.table import Part, Row
from domain_translation.data.sentences import fingerprint, read_lines

# What a chain does is said by its total pull alpha N / sigma^2, whatever the scale of the points:
# this one is that of L-Cool's best setting for codes (lcool.hyper.lang), which takes 25 steps.
PULL, STEPS, TEMPERATURE = 0.25, 5, 1e-3


class Report(NamedTuple):
    """What a run did.

    Attributes:
        rows: one per line, as in the table.
        blank: which lines are empty.
        kept: how many lines were finished by an earlier run.
        judged: sentences on BLEU and chrF; none without references.
        notes: what is odd, in sentences.
    """

    rows: list[Row]
    blank: list[bool]
    kept: int
    judged: list[str]
    notes: list[str]

    @property
    def skipped(self) -> list[Row]:
        """The lines without a translation that are not empty."""
        return [row for row in self.rows if row.reason]

    @property
    def summary(self) -> str:
        """One line on what cooling did."""
        done = [
            row
            for row, blank in zip(self.rows, self.blank, strict=True)
            if not blank and not row.reason
        ]
        said = f"{len(done)} of {len(self.rows)} lines translated"
        said += f" ({self.kept} by an earlier run)" if self.kept else ""
        said += f", {sum(self.blank)} empty" if any(self.blank) else ""
        said += f", {len(self.skipped)} skipped" if self.skipped else ""
        if not done:
            return said
        cooled = [row for row in done if float(row.moved) > 0]
        said += f"; {len(cooled)} cooled, {len(done) - len(cooled)} spared, "
        said += f"{sum(row.changed == 'yes' for row in done)} translations changed; "
        said += f"median score {median(float(row.score) for row in done):.3g}"
        if cooled:
            said += f", cooled sentences moved by {median(float(r.moved) for r in cooled):.1%}"
        return said


def cool_file(
    translator: Loaded,
    denoiser: LoadedDenoiser,
    in_file: Path | str,
    out_file: Path | str,
    *,
    step_size: float | None = None,
    temperature: float = TEMPERATURE,
    steps: int = STEPS,
    share: float | None = None,
    threshold: float | None = None,
    reference: Path | str | None = None,
    seed: int = 0,
    tell: Callable[[str], None] | None = None,
) -> Report:
    """Cool and translate the sentences of a file, one a line; write a table of tabs and rows.

    The table's columns are those of `table.Row`. Run again with the same settings, a run that was
    stopped goes on where it was; the table is written whole or not at all and overwrites nothing.
    A line that cannot be read, or on which a network gives up, is a row with a reason.

    Args:
        translator: see `load_translator`.
        denoiser: see `load_denoiser`.
        in_file: plain text or gzip, UTF-8.
        out_file: the table to write, by convention ``*.tsv``.
        step_size, temperature, steps: of L-Cool eq. 1; by default the steps are as long as adds up
            to the total pull `PULL`.
        share: cool only this share of the sentences, in (0, 1], those with the longest scores.
        threshold: cool only sentences with a longer score. Default: cool all.
        reference: file of the right translations, line by line, for BLEU and chrF.
        seed: of the noise.
        tell: called with sentences on what is odd, before the run starts.

    Raises:
        UserError: a file that cannot be used or written; a network that fails on every line.
        RequestError: settings or files that do not fit together.
    """
    run = Run(
        translator, denoiser, _chain(denoiser, step_size, temperature, steps, seed), threshold
    )
    _check_fringe(share, threshold)
    with as_user_error():
        lines = read_lines(in_file)
    blank = [not s.strip() and i not in lines.reasons for i, s in enumerate(lines.sentences, 1)]
    references = None
    if reference is not None:
        references = read_references(reference, len(blank), in_file)
    notes = [note for note in [_seen(denoiser, lines.sentences)] if note]
    for note in notes:
        if tell:
            tell(note)
    part = Part(Path(out_file), _settings(run, share, in_file))
    kept = len(part.rows)
    texts, reasons = lines.sentences, lines.reasons
    reasons |= refused(run, texts, reasons)
    chosen = None if share is None else fringe(run, texts, reasons, share)
    with runtime.progress(total=len(texts), initial=kept, desc="cooling", unit="line") as bar:
        for start in range(kept, len(texts), table.CHUNK):
            places = range(start, min(start + table.CHUNK, len(texts)))
            part.add(finished(run, texts, reasons, chosen, places))
            bar.update(len(places))
    _check_any(part, blank)
    part.finish()
    said = [] if references is None else judged(part.rows, references, blank)
    return Report(part.rows, blank, kept, said, notes)


def _chain(
    denoiser: LoadedDenoiser,
    step_size: float | None,
    temperature: float,
    steps: int,
    seed: int,
) -> dict[str, Any]:
    """Settings of the chain, rehearsed on one number so that bad ones are refused at once."""
    if step_size is None:
        step_size = PULL * denoiser.network.sigma**2 / max(steps, 1)
    chain: dict[str, Any] = {
        "step_size": step_size,
        "temperature": temperature,
        "steps": steps,
        "seed": seed,
    }
    with as_request():
        cooling.cool(torch.zeros_like, torch.zeros(1, 1), **chain)
    return chain


def _check_fringe(share: float | None, threshold: float | None) -> None:
    if share is not None or threshold is not None:
        with as_request():
            cooling.fringe_mask(torch.ones(1), share=share, threshold=threshold)


def _settings(run: Run, share: float | None, in_file: Path | str) -> dict[str, Any]:
    """What the rows depend on, as it is compared when a run goes on."""
    return {
        **run.chain,
        "share": share,
        "threshold": run.threshold,
        "translator": run.loaded.digest,
        "how": run.loaded.how,
        "denoiser": run.denoiser.digest,
        "device": run.loaded.device.type,
        "sentences": hashlib.sha256(Path(in_file).read_bytes()).hexdigest(),
    }


def _seen(denoiser: LoadedDenoiser, sentences: Sequence[str]) -> str:
    """A sentence on how many lines the denoiser was trained on; empty for none."""
    stored = base64.b64decode(denoiser.card.get("training_sentences", ""))
    known = set(np.frombuffer(stored, dtype="<u4").tolist())
    full = [sentence for sentence in sentences if sentence.strip()]
    seen = sum(fingerprint(sentence) in known for sentence in full) if known else 0
    if not seen:
        return ""
    return (
        f"{seen} of {len(full)} sentences were among those the denoiser was trained on: their "
        f"scores are shorter than those of new ones, so judge on the others"
    )


def _check_any(part: Part, blank: Sequence[bool]) -> None:
    """Refuse a table without a single translation."""
    full = [row for row, empty in zip(part.rows, blank, strict=True) if not empty]
    if full and all(row.reason for row in full):
        part.path.unlink()
        raise UserError(
            f"none of the {len(full)} lines could be translated; line {full[0].line}: "
            f"{full[0].reason}"
        )
