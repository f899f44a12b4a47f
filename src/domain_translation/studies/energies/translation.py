"""Cats into dogs by an energy of dogs: one column of CF-EBM's Table 5 in the full profile.

The test cats of the registry's cat2dog128 are translated at 64 pixels by the shipped energy. Five
judges are trained on real cats and dogs first; the kernel distance is taken on the last hidden
layer of one of them, and is no KID. Nobody knows the true dog of a cat, so that content can only be
measured as the distance from the input. A quarter of an hour on one core for three trainings.

Said before two of them were made: a chain as long as training's makes dogs of cats if their
likeness of a dog has come half of the way from that of cats to that of dogs, by judges that tell
real ones apart by 0.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn

from domain_translation import pretrained
from domain_translation.data import folders
from domain_translation.energies.sampling import ShortRun
from domain_translation.energies.translation import translate
from domain_translation.evaluation.distances.features import Features
from domain_translation.evaluation.distances.kernel_distance import kernel_distance
from domain_translation.evaluation.judges.image_judges import (
    QUICK,
    JudgeConfig,
    target_likeness,
    train_image_judges,
)
from domain_translation.notebook.cards import fingerprint
from domain_translation.runtime import in_parts
from domain_translation.studies.study import Measure, Study, measures, scalars, tensors

SET, SIZE = "cat2dog128", 64
ENERGY = "energies/dogs"
LENGTHS = (0.5, 1.0, 2.0, 4.0)  # of the chain, in units of training's


def judge_layer(judges: nn.ModuleDict) -> Features:
    """64 numbers per image (B, 3, S, S): the plain judge without its last layer."""
    judge = judges["plain"]
    assert isinstance(judge, nn.Sequential)
    return lambda x: in_parts(judge[:-1], x)


def nearness(
    y: Tensor, x: Tensor, target: Tensor, judges: nn.ModuleDict, seed: int
) -> dict[str, float]:
    """How near translations y of images x (n, 3, S, S) are to real targets (m, 3, S, S)."""
    features = judge_layer(judges)
    size = min(len(y), len(target)) // 2
    distance = kernel_distance(features(y), features(target), size=size, seed=seed)
    return {
        "kernel distance": distance.mean,
        "its standard deviation": distance.std,
        "likeness": float(target_likeness(judges, y).mean()),
        "root mean square change": float((y - x).square().mean().sqrt()),
    }


def compared(
    network: nn.Module, run: ShortRun, x: Tensor, target: Tensor, judges: nn.ModuleDict, seed: int
) -> dict[str, dict[str, float]]:
    """Translations of test images x by chains of several lengths, beside doing nothing.

    Args:
        network: the energy of the target domain.
        run: the chain of its training.
        x: source test images (n, 3, S, S).
        target: real target test images (m, 3, S, S).
        judges: of the two domains, see `train_image_judges`.
        seed: of the chains.
    """
    found = {"doing nothing": nearness(x, x, target, judges, seed)}
    for length in LENGTHS:
        chain = replace(run, steps=max(1, round(length * run.steps)))
        y = translate(network, x, chain, seed=seed).x.clamp(-1, 1)
        found[f"{chain.steps} steps"] = nearness(y, x, target, judges, seed)
    # What the numbers of a perfect translator would look like: other real targets.
    half = len(target) // 2
    real, rest = target[:half], target[half:]
    found["real targets"] = nearness(real, real, rest, judges, seed)
    return found


def run(judge: JudgeConfig, seed: int, folder: Path) -> dict[str, Tensor]:
    """Judges, and translations before them; errors as in `folders.unpaired`, `weights.load`."""
    train, test = (folders.unpaired(SET, SIZE, split) for split in ("train", "test"))
    judges = train_image_judges(train.source, train.target, judge, seed)
    chain, network = ShortRun(**pretrained.card(ENERGY)["run"]), pretrained.load(ENERGY, seed)
    return tensors(compared(network, chain, test.source, test.target, judges, seed))


def measure(judge: JudgeConfig, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """All numbers, and how far the way to dogs is; the energy of the seed is behind them."""
    numbers = scalars(found)
    chains = [name.removesuffix(", likeness") for name in numbers if name.endswith("likeness")]
    cats, dogs = (numbers[f"{of}, likeness"] for of in ("doing nothing", "real targets"))
    numbers["judges: dogs minus cats"] = dogs - cats
    for of in chains:
        numbers[f"{of}, share of the way to dogs"] = (numbers[f"{of}, likeness"] - cats) / (
            dogs - cats
        )
    return measures(numbers, [fingerprint(pretrained.load(ENERGY, seed))])


STUDY = Study(
    "energies/translation",
    {"64 pixels": QUICK},
    range(3),
    run,
    measure,
    trains=False,
    data=(SET,),
)
