"""Growth from coarse to fine on glyphs of 16x16: CF-EBM's Table 9 (d, e) and its claim of 3x.

All arms have the paper's spectral normalisation, with which no pilot was lost; without it, at a
higher rate, direct training always was. The direct arm is given about the processor time of the
grown one. An hour and a quarter on one core.

Said before these runs: the grown energies must be nearer to real glyphs than one Gaussian is, or
nothing is decided; a run is compared with that of the same seed. If training without growth takes
three times as long, then after the same time its samples are farther.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from domain_translation.energies.config import QUICK_GLYPHS
from domain_translation.energies.guard import DivergedError
from domain_translation.studies.energies.grid import Arm, excerpt, measure, run
from domain_translation.studies.study import LOST, Study

# 1,200 updates at 8x8 and 800 at 16x16; rates as in `ablations`, half of it at 16x16.
GLYPHS = replace(
    QUICK_GLYPHS,
    images=(1_200 * 32, 800 * 32),
    learning_rates=(1e-2, 5e-3),
    spectral=True,
    batch=32,
    c=4,
)
DIRECT = replace(GLYPHS, sizes=(16,), images=(1_200 * 32,), steps=(50,), learning_rates=(5e-3,))

ARMS: Mapping[str, Arm] = {
    "glyphs": Arm("glyphs", GLYPHS),
    "direct": Arm("glyphs", DIRECT),
    "fixed": Arm("glyphs", GLYPHS, "fixed coarse models"),
    **{way: Arm("glyphs", GLYPHS, way) for way in ("abrupt learning", "abrupt sampling")},
}

STUDY = Study(
    "energies/growth",
    ARMS,
    range(5),
    run,
    measure,
    trains=True,
    excerpt=excerpt,
    lost=(*LOST, DivergedError),
)
