"""The mass shift of horse2zebra on painted animals: what becomes of the meadow?

Animals cover 17.9 % of horse2zebra's horse photographs and 36.8 % of the zebra ones (Park et al.
2020). The painted horses cover a fifth of their pictures. Two CycleGANs of equal settings are
trained on them, one with zebras seen from as far, one with zebras closer by the root of 36.8/17.9.
No scene is in both domains.

Said beforehand: the shift is paid on the meadow if, with the closer zebras, translations change
more of the ground than with the others, at 95 % over trainings. A pixel is changed if one of its
channels moves by more than `CHANGED`, a tenth of the range. A translator has learnt its task if it
changes at least half of the coat; if one arm's have not, nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from domain_translation.evaluation.pictures.regions import changed_region, contrast_in, error_in
from domain_translation.runtime import in_parts
from domain_translation.studies.study import Measure, Study
from domain_translation.synthetic.animals import animals
from domain_translation.translators import cyclegan

CLOSER = math.sqrt(36.8 / 17.9)  # of the zebras: their area doubles
CHANGED = 0.2  # of a range of 2
TRAIN, TEST = 400, 60  # scenes of each domain
SHORT = replace(cyclegan.QUICK, steps=1000)


@dataclass(frozen=True)
class Arm:
    """How near the zebras are, and how long is trained.

    Attributes:
        closer: zebras are painted so many times as large as horses.
        config: of the CycleGAN.
    """

    closer: float = 1.0
    config: cyclegan.CycleGANConfig = SHORT


def painted(scenes: range, seed: int, closer: float) -> tuple[Tensor, Tensor]:
    """Horses (n, 3, 64, 64) and the same scenes with zebras, so many times as large."""
    latents, textures = animals.draw(scenes, seed, 64, 0.1)
    latents["log_scale"] = latents["log_scale"] + math.log(closer)
    horses, zebras, _ = animals.render(latents, textures, 64)
    return torch.from_numpy(horses).float(), torch.from_numpy(zebras).float()


def run(arm: Arm, seed: int, folder: Path) -> dict[str, Tensor]:
    """One training; test horses, their translations and true zebras; the zebras of the training."""
    horses, _ = painted(range(TRAIN), 2 * seed, 1.0)
    _, zebras = painted(range(TRAIN), 2 * seed + 1, arm.closer)
    plain, _ = painted(range(TRAIN), 2 * seed + 1, arm.closer)
    found = cyclegan.train_cyclegan(
        horses, zebras, arm.config, seed, folder / "cyclegan.checkpoint"
    )
    x, y = painted(range(TEST), 10_000, 1.0)
    with torch.no_grad():
        made = in_parts(found.networks.forward, x, size=20)
    area = changed_region(plain, zebras).double().mean()
    return {"horses": x, "zebras": y, "made": made, "area of the zebras": area}


def measure(arm: Arm, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Areas in shares of the picture or of the ground, and what the ground has become."""
    x, y, made = found["horses"], found["zebras"], found["made"]
    coat = changed_region(x, y)
    changed = (made - x).abs().amax(1) > CHANGED
    ground = ~coat
    on_ground = (changed & ground).double().sum((1, 2)) / ground.double().sum((1, 2))
    on_coat = (changed & coat).double().sum((1, 2)) / coat.double().sum((1, 2))
    numbers = {
        "area of the horses": coat.double().mean(),
        "area of the zebras": found["area of the zebras"],
        "changed of the ground": on_ground.mean(),
        "changed of the coat": on_coat.mean(),
        "changed of the picture": changed.double().mean(),
        "contrast added to the ground": (contrast_in(made, ground) - contrast_in(x, ground)).mean(),
        "error on the ground": error_in(made, y, ground).mean(),
        "error on the coat": error_in(made, y, coat).mean(),
    }
    return [Measure(name, float(value)) for name, value in numbers.items()]


def excerpt(arm: Arm, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of the first seed, the first six translations, as bytes."""
    if seed:
        return {}
    return {"made": (127.5 * (found["made"][:6].clamp(-1, 1) + 1)).round().to(torch.uint8)}


STUDY = Study(
    "reweighting/meadow",
    arms={"as far": Arm(), "closer": Arm(CLOSER)},
    seeds=range(3),
    run=run,
    measure=measure,
    excerpt=excerpt,
    trains=True,
)
