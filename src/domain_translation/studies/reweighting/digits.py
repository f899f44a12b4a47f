"""Digits out of balance: which translators keep the class when the masses differ (JD-BW 5.1).

Every method is trained on skewed, resized digits against plain ones (scikit-learn's, at 16x16), the
`SWEPT` over a range of skews. JD-BW shows pictures only; here judges of both domains name the class
of every translation of the test digits. Four hours on one core.
"""

from __future__ import annotations

from domain_translation.notebook.criteria import Criterion, at_least
from domain_translation.reweighting.domains.sr_digits import ZEROS
from domain_translation.studies import frames
from domain_translation.studies.reweighting.grid import Case, excerpt, measure, run
from domain_translation.studies.reweighting.settings import SETTINGS
from domain_translation.studies.reweighting.yardsticks import BASELINES
from domain_translation.studies.study import Study

EVEN = 0.1  # mass of the zeros without a shift
SKEWS = (EVEN, 0.2, 0.35, ZEROS, 0.65, 0.8)  # mass of the zeros in the first domain
SWEPT = (
    "JD-BW",
    "joint discriminator",
    "MUNIT",
    "MUNIT + weights",
    "CycleGAN",
    "CycleGAN + weights",
)


def arm(method: str, zeros: float = ZEROS) -> str:
    """Name of an arm, such as "JD-BW, 50 % zeros"."""
    return f"{method}, {zeros:.0%} zeros".replace("%", " %")


STUDY = Study(
    "reweighting/digits",
    arms={
        arm(method, zeros): Case("digits", method, SETTINGS["digits"].get(method), zeros)
        for zeros in sorted(SKEWS, key=lambda zeros: abs(zeros - ZEROS))
        for method in (*(SETTINGS["digits"] if zeros == ZEROS else SWEPT), *BASELINES)
    },
    seeds=range(5),
    run=run,
    measure=measure,
    excerpt=excerpt,
    trains=True,
)


def working(method: str = "MUNIT") -> dict[str, Criterion]:
    """Whether a translator keeps classes where nothing shifts: 60 % of them, said beforehand."""
    kept = frames.card(STUDY)[arm(method, EVEN), "kept, x to y"]
    sentence = f"{method} keeps at least 60 % of the digits between balanced boxes of 16x16"
    return {sentence: at_least(kept, 0.6)}
