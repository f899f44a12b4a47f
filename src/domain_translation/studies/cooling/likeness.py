"""Zebra and orange likeness under ImageNet classifiers: L-Cool's Table 2 (lcool.tab2).

The procedural animals and fruit are shown to the two ImageNet classifiers of the registry, which
were trained on photographs by others. `likeness_public` shows them to two that anybody can get,
`likeness_paper` is the source's own experiment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from domain_translation import cooling
from domain_translation.cooling import PAPER, Cooling
from domain_translation.cooling import Study as Cooled
from domain_translation.data import fetch
from domain_translation.evaluation import Judge
from domain_translation.evaluation.judges import imagenet
from domain_translation.evaluation.statistics.significance import compare
from domain_translation.notebook.cards import fingerprint
from domain_translation.pretrained import directions
from domain_translation.studies.study import Measure, Study, measures

ARMS = ("plain", "after_cooling", "after_blur", "inputs")
TARGETS = {"horse2zebra": imagenet.ZEBRA, "apple2orange": imagenet.ORANGE}


def likeness(judges: Mapping[str, Judge], x: Tensor, index: int) -> Tensor:
    """Probability that each judge gives to class `index`: (judges, B)."""
    return torch.stack([imagenet.class_likeness(judge, x, index) for judge in judges.values()])


def judged(found: Cooled, judges: Mapping[str, Judge], index: int) -> dict[str, Tensor]:
    """What cooled pictures look like to the judges: an arm each (judges, n), and the norms (n,)."""
    arms = {arm: likeness(judges, getattr(found, arm), index) for arm in ARMS}
    return {"norms": found.norms} | {arm: p.double() for arm, p in arms.items()}


def table(found: Mapping[str, Tensor]) -> dict[str, float]:
    """L-Cool's Table 2 with the blur control, by name.

    For each fringe share the mean likeness over the judges of the plain translation, the gain over
    it, and the p-value of Wilcoxon's test; then each arm's mean likeness.

    Args:
        found: by `judged`.
    """
    mean = {arm: found[arm].mean(0).numpy() for arm in ARMS}
    numbers = {}
    for share in cooling.SHARES:
        fringe = cooling.fringe_mask(found["norms"], share=share).numpy()
        numbers[f"likeness, plain, fringe of {share:.0%}"] = float(mean["plain"][fringe].mean())
        for name, arm in (("cooled", "after_cooling"), ("blurred", "after_blur")):
            result = compare(mean["plain"][fringe], mean[arm][fringe])
            where = f"{name}, fringe of {share:.0%}"
            numbers[f"gain, {where}"] = result.gain
            numbers[f"p-value, {where}"] = result.p_value
    return numbers | {f"likeness, {arm}": float(mean[arm].mean()) for arm in ARMS}


@dataclass(frozen=True)
class Scenes:
    """A direction of the procedural tasks, and how it is cooled.

    Attributes:
        name: in `TARGETS`.
        setting: of the cooling.
        scenes: to translate, drawn anew by each seed.
    """

    name: str
    setting: Cooling = PAPER
    scenes: int = 60


def run(of: Scenes, seed: int, folder: Path) -> dict[str, Tensor]:
    """Procedural pictures before ImageNet classifiers; errors as in `fetch.fetch`."""
    classifiers = fetch.fetch("mobilenet")[0].parent
    fetch.fetch("squeezenet")
    return before(imagenet.full_judges(classifiers), of, seed)


def before(judges: Mapping[str, Judge], of: Scenes, seed: int) -> dict[str, Tensor]:
    """Scenes drawn by `seed`, translated, cooled and judged."""
    index = TARGETS[of.name]
    d = directions.load(of.name, seed=seed, validation=1, test=of.scenes)
    found = cooling.study(d.translator, d.score, d.test.source, of.setting, seed)
    return judged(found, judges, index) | {"truth": likeness(judges, d.test.target, index)}


def measure(of: Scenes, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """The table of one seed's scenes; its training of translator and denoiser is behind it."""
    d = directions.load(of.name, seed=seed, validation=1, test=1)
    numbers = table(found) | {"likeness, truth": float(found["truth"].mean())}
    return measures(numbers, [fingerprint(d.translator), fingerprint(d.denoiser)])


STUDY = Study(
    "cooling/likeness",
    {name: Scenes(name) for name in TARGETS},
    range(5),
    run,
    measure,
    trains=False,
    data=("mobilenet", "squeezenet"),
)
