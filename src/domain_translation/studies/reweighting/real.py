"""JD-BW 5.2 to 5.4 on real handwriting and photographs of 32x32.

JD-BW, its joint discriminator alone and MUNIT between three pairs of real domains out of balance,
with judges trained on real labelled images. It needs the files of MNIST, MNIST-M, Fashion-MNIST and
Labeled Faces in the Wild. An hour and a half on one core.
"""

from __future__ import annotations

from domain_translation.studies.reweighting.grid import cases, excerpt, measure, run
from domain_translation.studies.reweighting.settings import SETTINGS
from domain_translation.studies.study import Study

COMPARED = ("JD-BW", "joint discriminator", "MUNIT")
SCENES = ("street", "fashion", "faces")

STUDY = Study(
    "reweighting/real",
    arms=cases(SCENES, {s: {m: SETTINGS[s][m] for m in COMPARED} for s in SCENES}),
    seeds=(0,),
    run=run,
    measure=measure,
    excerpt=excerpt,
    trains=True,
    data=("mnist", "mnistm", "fashion_unbalanced", "lfw64"),
    earlier="results/full/reweighting/real.json",
)
