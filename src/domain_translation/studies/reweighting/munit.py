"""What MUNIT needs to keep the class: room for the content, and the way back in pixels.

The MUNIT of `reweighting/digits` has content of 8x8 numbers and a cycle loss; these arms take away
one or both (JD-BW 4.2 names neither, jdbw.concept.baselines). Said beforehand, as there: a MUNIT
counts once it keeps 60 % of the digits between balanced boxes. An hour on one core.
"""

from __future__ import annotations

from dataclasses import replace

from domain_translation.reweighting.domains.sr_digits import ZEROS
from domain_translation.studies.reweighting.digits import EVEN, arm
from domain_translation.studies.reweighting.grid import Case, excerpt, measure, run
from domain_translation.studies.study import Study
from domain_translation.translators.munit.config import QUICK

WITHOUT = {
    "no cycle loss": replace(QUICK, lambda_cycle=0.0),
    "content of 4x4": replace(QUICK, halvings=2),
    "content of 4x4, no cycle loss": replace(QUICK, halvings=2, lambda_cycle=0.0),
}

STUDY = Study(
    "reweighting/munit",
    {
        arm(without, zeros): Case("digits", "MUNIT", config, zeros)
        for without, config in WITHOUT.items()
        for zeros in (EVEN, ZEROS)
    },
    range(5),
    run,
    measure,
    excerpt=excerpt,
    trains=True,
)
