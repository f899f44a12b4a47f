"""Plates, wares and heads out of balance: which translators keep the class (JD-BW 5.2 to 5.4).

An hour and a half on one core; JD-BW and its joint discriminator alone have three trainings each.
"""

from __future__ import annotations

from domain_translation.reweighting.domains.scenes import DRAWN
from domain_translation.studies.reweighting.grid import cases, excerpt, measure, run
from domain_translation.studies.reweighting.settings import SETTINGS
from domain_translation.studies.study import Study

STUDY = Study(
    "reweighting/scenes",
    arms=cases(DRAWN, SETTINGS),
    seeds=range(5),
    run=run,
    measure=measure,
    excerpt=excerpt,
    trains=True,
)
