"""JD-BW as described, and with an input skip that the paper has not: two claims.

4,000 generator steps on the digits, ten times those of `reweighting/digits`, with weights and
without. Said beforehand: JD-BW keeps at least 85 % of the zeros and the joint discriminator at most
60 %, as on the page of the digits; nothing is compared whose translations are no nearer to the
target digits than the untouched ones are.
"""

from __future__ import annotations

from dataclasses import replace

from domain_translation.reweighting.config import QUICK_DIGITS
from domain_translation.reweighting.domains.sr_digits import ZEROS
from domain_translation.studies.reweighting.grid import Case, excerpt, measure, run
from domain_translation.studies.study import Study

STEPS = 4_000
METHODS = ("JD-BW", "joint discriminator")


def arm(method: str, skip: bool) -> str:
    """Name of an arm, such as "JD-BW, as described"."""
    return f"{method}, {'with an input skip' if skip else 'as described'}"


STUDY = Study(
    "reweighting/skip",
    {
        arm(method, skip): Case(
            "digits", method, replace(QUICK_DIGITS, steps=STEPS, skip=skip), ZEROS
        )
        for skip in (False, True)
        for method in METHODS
    },
    range(5),
    run,
    measure,
    excerpt=excerpt,
    trains=True,
)
