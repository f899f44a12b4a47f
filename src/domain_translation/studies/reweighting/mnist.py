"""MNIST out of balance at 32x32: JD-BW's Fig. 2 and 3 at the size of the paper (JD-BW 5.1).

It needs MNIST's files. Half an hour on one core.
"""

from __future__ import annotations

from domain_translation.studies.reweighting.grid import Case, excerpt, measure, run
from domain_translation.studies.reweighting.settings import SETTINGS
from domain_translation.studies.reweighting.yardsticks import BASELINES
from domain_translation.studies.study import Study

# The paper's arms in the order of its Fig. 2.
METHODS = (*BASELINES, "JD-BW", "MUNIT + weights", "joint discriminator", "MUNIT")

STUDY = Study(
    "reweighting/mnist",
    arms={method: Case("mnist", method, SETTINGS["mnist"].get(method)) for method in METHODS},
    seeds=(0,),
    run=run,
    measure=measure,
    excerpt=excerpt,
    trains=True,
    data=("mnist",),
    earlier="results/full/reweighting/mnist.json",
)
