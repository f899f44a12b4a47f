"""The command train-translator at its defaults, on two folders of 300 drawn animals.

Five judges learn to tell the folders apart. Then they see horses that nobody has seen: as they are,
with the colours of the other folder, and translated; and real zebras, which is the best there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from domain_translation.cooling.pictures import load_translator
from domain_translation.cooling.pictures.codec import to_image
from domain_translation.cooling.pictures.translator_training import train_translator_on_folders
from domain_translation.evaluation.judges.image_judges import (
    QUICK,
    JudgeConfig,
    target_likeness,
    train_image_judges,
)
from domain_translation.evaluation.pictures.colours import recoloured
from domain_translation.runtime import in_parts
from domain_translation.studies.study import Measure, Study
from domain_translation.synthetic.animals import animals

WAYS = ("as it is", "colours", "translated", "true")
SHOWN = 6  # pictures of each way that are kept


@dataclass(frozen=True)
class Setting:
    """What is trained, and on how much it is judged.

    Attributes:
        batch_weights: of the command.
        pictures: in each folder.
        held_out: horses that are translated.
        steps: of the command; None is its default.
        judge: how the judges are trained.
    """

    batch_weights: bool = False
    pictures: int = 300
    held_out: int = 200
    steps: int | None = None
    judge: JudgeConfig = QUICK


def run(setting: Setting, seed: int, place: Path) -> dict[str, Tensor]:
    """Train translator and judges, and let these judge.

    Returns:
        by way, likeness (judges, pictures) to a zebra, and the first pictures in 256 levels.
    """
    horses, zebras = (animals.sample(setting.pictures, 2 * seed + k) for k in (1, 2))
    a, b = horses.source, zebras.target
    file = place / "translator.safetensors"
    with TemporaryDirectory() as folder:
        for name, side in (("a", a), ("b", b)):
            for i, picture in enumerate(side):
                path = Path(folder) / name / f"{i:03}.png"
                path.parent.mkdir(exist_ok=True)
                to_image(picture).save(path)
        train_translator_on_folders(
            Path(folder) / "a", Path(folder) / "b", file,
            batch_weights=setting.batch_weights, steps=setting.steps, seed=seed,
        )  # fmt: skip
    judges = train_image_judges(a, b, setting.judge, seed, place / "judges.safetensors")
    unseen = animals.sample(setting.held_out, 1000 + seed)
    made = {
        "as it is": unseen.source,
        "colours": recoloured(unseen.source, a, b),
        "translated": in_parts(load_translator(file), unseen.source, size=25),
        "true": unseen.target,
    }
    likeness = {way: target_likeness(judges, x) for way, x in made.items()}
    shown = {f"pictures, {way}": as_bytes(x[:SHOWN]) for way, x in made.items()}
    return likeness | shown


def as_bytes(x: Tensor) -> Tensor:
    """Pictures in [-1, 1] as uint8."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def measure(setting: Setting, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """The share of the pictures that the judges together call zebras, by way."""
    rows = []
    for way in WAYS:
        called = (found[way].mean(0) > 0.5).float()
        error = float((called.mean() * (1 - called.mean()) / len(called)) ** 0.5)
        trained = None if way == "translated" else ()
        rows.append(Measure(f"called zebra, {way}", float(called.mean()), trained, error))
    return rows


def excerpt(setting: Setting, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The first pictures of every way."""
    return {name: rows for name, rows in found.items() if name.startswith("pictures, ")}


STUDY = Study(
    "reweighting/own_folders",
    {"CycleGAN": Setting(), "JD-BW": Setting(batch_weights=True)},
    range(3),
    run,
    measure,
    trains=True,
    excerpt=excerpt,
)
