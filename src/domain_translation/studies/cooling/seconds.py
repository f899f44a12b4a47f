"""How long a cooled translation takes beside a plain one, with L-Cool's networks at its size.

L-Cool needed 5.3 and 0.5 seconds a picture, 10.6 times as long (lcool.claim.time_test_image). Time
does not depend on the weights, so untrained networks do. Said beforehand: the factor counts as
found again between 10.6 / 1.5 and 10.6 x 1.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from domain_translation import cooling, denoising
from domain_translation.cooling import PAPER, Cooling
from domain_translation.runtime import seeded
from domain_translation.sampling import scores
from domain_translation.studies.study import Measure, Study, measures
from domain_translation.training.cost import seconds
from domain_translation.translators import cyclegan

FACTOR = 10.6  # L-Cool section 6
FOUND_AGAIN = 1.5  # times more or less


@dataclass(frozen=True)
class Pictures:
    """What is translated, one picture at a time.

    Attributes:
        size: side in pixels.
        setting: of the cooling.
        repeats: timed, after one that is not.
    """

    size: int = 256
    setting: Cooling = PAPER
    repeats: int = 1


def run(of: Pictures, seed: int, folder: Path) -> dict[str, Tensor]:
    """Seconds of a plain translation and of one that is cooled first."""
    with seeded(seed):
        translator = cyclegan.ResnetGenerator().eval()
        denoiser = denoising.Tiramisu().eval()
    x = torch.rand(1, 3, of.size, of.size, generator=Generator().manual_seed(seed)) * 2 - 1
    score = scores.dae_score(denoiser, of.setting.sigma)
    with torch.no_grad():
        plain, cooled = seconds(
            [
                lambda: translator(x),
                lambda: translator(cooling.cool(score, x, seed=seed, **of.setting.chain()).x),
            ],
            of.repeats,
        )
    return {"plain": torch.tensor(plain), "cooled": torch.tensor(cooled)}


def measure(of: Pictures, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Seconds, and how many times as long cooling takes."""
    plain, cooled = float(found["plain"]), float(found["cooled"])
    return measures(
        {"s, plain": plain, "s, cooled": cooled, "cooled over plain": cooled / plain}, ()
    )


STUDY = Study(
    "cooling/seconds",
    {"CycleGAN and Tiramisu-67": Pictures()},
    range(3),
    run,
    measure,
    trains=False,
)
