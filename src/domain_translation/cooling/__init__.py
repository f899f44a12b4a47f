"""Cool, then translate: L-Cool and ImproveIT for any translator and any score."""

from domain_translation.cooling.cool import Cooled, Translated, cool, cool_then_translate
from domain_translation.cooling.fringe import fringe_mask, score_norms
from domain_translation.cooling.fringe_tables import (
    SHARES,
    ShareRow,
    Trial,
    compare_by_share,
    search,
)
from domain_translation.cooling.presets import PAPER, PAPER_GRID, TOY, TOY_POINTS, Cooling
from domain_translation.cooling.study import Study, study

__all__ = [
    "PAPER",
    "PAPER_GRID",
    "SHARES",
    "TOY",
    "TOY_POINTS",
    "Cooled",
    "Cooling",
    "ShareRow",
    "Study",
    "Translated",
    "Trial",
    "compare_by_share",
    "cool",
    "cool_then_translate",
    "fringe_mask",
    "score_norms",
    "search",
    "study",
]
