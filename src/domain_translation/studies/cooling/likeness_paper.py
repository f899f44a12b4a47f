"""The source's own experiment on likeness: horse2zebra and five classifiers (lcool.tab2).

The authors' generator, a Tiramisu-67 trained here on the horses, five classifiers of torchvision,
settings from the validation horses. The authors publish the generator as `latest_net_G.pth`: put it
into the folder that DOMAIN_TRANSLATION_DATA names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from domain_translation import cooling, denoising
from domain_translation.cooling import PAPER, PAPER_GRID, Cooling
from domain_translation.data import fetch, folders
from domain_translation.denoising import DenoiserConfig
from domain_translation.evaluation.judges import imagenet
from domain_translation.sampling import scores
from domain_translation.studies.cooling.likeness import TARGETS, judged, likeness, table
from domain_translation.studies.study import Measure, Study, measures
from domain_translation.translators import cyclegan

TRANSLATOR = "latest_net_G.pth"


@dataclass(frozen=True)
class Photographs:
    """A set of photographs, and how it is cooled.

    Attributes:
        dataset: of the registry, with an ImageNet class as its target.
        size: side of the pictures in pixels.
        denoiser: of the Tiramisu's training.
        step_sizes, temperatures, steps: among which validation chooses.
        classifiers: of torchvision.
    """

    dataset: str = "horse2zebra"
    size: int = 256
    denoiser: DenoiserConfig = denoising.PAPER
    step_sizes: tuple[float, ...] = PAPER_GRID["step_sizes"]
    temperatures: tuple[float, ...] = PAPER_GRID["temperatures"]
    steps: tuple[int, ...] = PAPER_GRID["steps"]
    classifiers: tuple[str, ...] = imagenet.LCOOL


def run(of: Photographs, seed: int, folder: Path) -> dict[str, Tensor]:
    """Train the denoiser, choose the setting, cool the test photographs.

    Raises:
        FileNotFoundError, CheckpointError: of the authors' generator, see `load_published`.
        MissingData, DamagedData: of photographs and classifiers.
    """
    generator = cyclegan.load_published(Path(os.environ.get(fetch.OWN, ".")) / TRANSLATOR)
    horses, held_out, test = (
        folders.unpaired(of.dataset, of.size, part).source
        for part in ("train", "validation", "test")
    )
    denoiser = denoising.train_denoiser(
        denoising.Tiramisu, horses, PAPER.sigma, of.denoiser, seed, folder / "tiramisu.ckpt"
    )
    score = scores.dae_score(denoiser, PAPER.sigma)
    judges, index = imagenet.paper_judges(of.classifiers), TARGETS[of.dataset]

    @torch.no_grad()
    def objective(z: Tensor) -> float:
        return float(likeness(judges, generator(z), index).mean())

    best = cooling.search(
        score,
        held_out,
        objective,
        step_sizes=of.step_sizes,
        temperatures=of.temperatures,
        steps=of.steps,
    )[0]
    setting = Cooling(PAPER.sigma, best.step_size, best.temperature, best.steps)
    found = cooling.study(generator, score, test, setting, seed)
    chosen = torch.tensor([best.step_size, best.temperature, best.steps], dtype=torch.float64)
    return judged(found, judges, index) | {"chosen": chosen}


def measure(of: Photographs, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """The table, and the setting that validation chose."""
    names = ("step size", "temperature", "steps")
    chosen = {f"chosen {n}": float(v) for n, v in zip(names, found["chosen"], strict=True)}
    return measures(table(found) | chosen)


STUDY = Study(
    "cooling/likeness_paper",
    {"horse2zebra": Photographs()},
    range(5),
    run,
    measure,
    trains=True,
    data=("horse2zebra", *(imagenet.CLASSIFIERS[name][0] for name in imagenet.LCOOL)),
    profile="paper",
)
