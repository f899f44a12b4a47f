"""CIFAR-10 by CF-EBM's own recipe: spectral normalisation, A.2's noise and numbers of images.

It is for a GPU, and trains on one where there is one: c = 32 first, then the paper's c = 16. On a
CPU a seed takes 5 to 15 core-hours. A run that was stopped goes on from its last checkpoint.

Said before these runs: the samples must be nearer to real photographs than one Gaussian is, by the
Frechet distance on the judge's features, or the recipe has learnt nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from domain_translation import pretrained
from domain_translation.data.labelled_sets import real_images
from domain_translation.energies.config import PAPER, CFEBMConfig
from domain_translation.energies.guard import DivergedError
from domain_translation.energies.sampling import sample
from domain_translation.energies.training import train
from domain_translation.evaluation.distances.trivial_generators import gaussian_samples
from domain_translation.evaluation.judges.sample_judges import SampleJudge
from domain_translation.studies import device
from domain_translation.studies.energies.grid import MEASURED, PICTURES, TRACED, judged
from domain_translation.studies.study import LOST, Measure, Study, measures

SET = "cifar"  # the copy that the shipped judge knows
SAMPLES = 1000


def run(config: CFEBMConfig, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train and sample on the best device.

    Raises:
        DivergedError: the training ran away.
        MissingData, DamagedData: without the photographs.
    """
    trained = train(real_images(SET).x.to(device.best()), config, seed, folder)
    samples = sample(trained.network, SAMPLES, config.run(), seed=seed)
    traces = {f: torch.cat([t[f].cpu() for t in trained.stages]) for f in TRACED}
    return {"samples": samples.cpu()} | traces


def measure(config: CFEBMConfig, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """The samples before the judge, and one Gaussian of the training photographs beside them."""
    judge, real = pretrained.load("energies/judge_cifar"), real_images(SET, "test").x
    assert isinstance(judge, SampleJudge)
    gaussian = gaussian_samples(real_images(SET).x, len(found["samples"]), seed=seed)
    rows: dict[str, float] = {}
    for name, x in (("samples", found["samples"]), ("one Gaussian", gaussian)):
        numbers = judged(judge, x, real)
        rows |= {f"{name}, {said}": numbers[f] for said, f in MEASURED.items() if f in numbers}
    return measures(rows)


def excerpt(config: CFEBMConfig, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A few samples, and every tenth value of the traces."""
    return {"samples": found["samples"][:PICTURES]} | {f: found[f][::10] for f in TRACED}


STUDY = Study(
    "energies/cifar_paper",
    {
        "c = 32": replace(PAPER, precision="auto"),
        "c = 16": replace(PAPER, c=16, precision="auto"),
    },
    range(3),
    run,
    measure,
    trains=True,
    excerpt=excerpt,
    data=("cifar10_jpeg",),
    lost=(*LOST, DivergedError),
)
