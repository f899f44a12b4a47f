"""Do the translations of a run get nearer to a reference? BLEU and chrF, in sentences."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

from domain_translation.cooling.errors import RequestError, as_user_error
from domain_translation.cooling.text_files.table import Row
from domain_translation.data.sentences import read_sentences
from domain_translation.evaluation.text import paired_bleu, paired_chrf

RESAMPLES = 1000


def read_references(path: Path | str, lines: int, of: Path | str) -> list[str]:
    """References of so many lines, one a line; an empty one means that there is none.

    Raises:
        UserError: no file, or one that cannot be used.
        RequestError: another number of lines, or several references on one.
    """
    with as_user_error():
        references = read_sentences(path)
    if len(references) != lines:
        raise RequestError(
            f"{of} has {lines} lines and the reference {path} {len(references)}; give one "
            f"reference for each line, in the same order"
        )
    for number, reference in enumerate(references, 1):
        if "\t" in reference or _is_list(reference):
            raise RequestError(
                f"{path}, line {number} holds a list of references; give one reference a line, as "
                f"plain text"
            )
    return references


def _is_list(reference: str) -> bool:
    if not reference.lstrip().startswith("["):
        return False
    try:
        return isinstance(json.loads(reference), list)
    except ValueError:
        return False


def judged(rows: Sequence[Row], references: Sequence[str], blank: Sequence[bool]) -> list[str]:
    """Sentences on how near the translations are to the references, before and after cooling.

    Lines count that have both. `blank` says which sentences are empty.
    """
    both = [
        (row.plain, row.cooled, reference)
        for row, reference, empty in zip(rows, references, blank, strict=True)
        if not row.reason and not empty and reference.strip()
    ]
    if not both:
        return ["no line has both a translation and a reference: there is no BLEU"]
    plain, cooled, wanted = ([*column] for column in zip(*both, strict=True))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scores = {
            "BLEU": paired_bleu(plain, cooled, wanted, resamples=RESAMPLES),
            "chrF": paired_chrf(plain, cooled, wanted, resamples=RESAMPLES),
        }
    said = [
        f"{name} of {len(both)} lines: plain {s.plain:.2f}, cooled {s.cooled:.2f}, difference "
        f"{s.difference:+.2f} [{s.low:+.2f}, {s.high:+.2f}], p = {s.p:.3f} ({s.signature})"
        for name, s in scores.items()
    ]
    return [*said, *dict.fromkeys(str(warning.message) for warning in caught)]
