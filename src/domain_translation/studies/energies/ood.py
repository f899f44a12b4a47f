"""Out-of-distribution detection at 32x32: CF-EBM's Table 4 in the full profile (cfebm.tab4).

The test images of CIFAR-10 and MNIST and six sets of other images are scored by the shipped
energies, and by detectors that need no energy. SVHN and CIFAR-100 are not among them: MNIST-M
stands in for the digits, and there is no set of near classes for CIFAR-10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from scipy import stats
from torch import Generator, Tensor

from domain_translation import pretrained
from domain_translation.data import arrays
from domain_translation.energies import detection
from domain_translation.energies.baseline_detectors import energy_free, total_variation
from domain_translation.notebook import evidence
from domain_translation.notebook.cards import fingerprint
from domain_translation.notebook.evidence import Estimate
from domain_translation.runtime import in_parts
from domain_translation.sampling.scores import Energy
from domain_translation.studies import stored_runs
from domain_translation.studies.study import Measure, Study, curves, measures, scalars, tensors
from domain_translation.synthetic.digits import glyphs

IMAGES = 1000  # of each set
FITTED = 5000  # training images that the detectors without an energy are fitted to
GREYS = 41  # grey levels from -1 to 1
WIDTHS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 32.0)  # of the blur, pixels
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class World:
    """What is told from what, by which energy.

    Attributes:
        inside: the in-distribution set, of the registry.
        energy: shipped, trained on it.
        others: sets of other images, beside noise, constants and mixtures.
        images: of each set.
    """

    inside: str
    energy: str
    others: tuple[str, ...]
    images: int = IMAGES


WORLDS: Mapping[str, World] = {
    "cifar10": World("cifar10_jpeg", "energies/cifar", ("mnistm",)),
    "mnist": World("mnist", "energies/mnist", ("fashion", "glyphs")),
}


def some(x: Tensor, n: int, seed: int) -> Tensor:
    """n of the images (m, ...) at random, all in random order where there are fewer."""
    return x[torch.randperm(len(x), generator=Generator().manual_seed(seed))[:n]]


def images(name: str, split: str, n: int, seed: int = 0) -> Tensor:
    """n images (n, C, 32, 32) of a set, at random; typeset digits are drawn."""
    if name == "glyphs":
        return glyphs.sample(n, seed, size=32).x
    return some(arrays.load(name, split).x, n, seed)


def other_sets(
    inside: Tensor, train: Tensor, named: Sequence[str], seed: int = 0
) -> dict[str, Tensor]:
    """What is to be told from `inside`; the last set, training images, ought not to be told."""
    n = len(inside)
    return {
        **{name: images(name, "test", n, seed) for name in named},
        "uniform": detection.uniform_noise(n, inside, seed),
        "constant": detection.constants(n, inside, seed),
        "interpolated": detection.interpolations(n, inside, seed),
        "blurred": detection.blurred(inside, 1.0),
        "train": train[:n],
    }


def compared(
    energy: Energy, inside: Tensor, train: Tensor, named: Sequence[str], seed: int = 0
) -> dict[str, Any]:
    """Everything that is measured of one in-distribution set.

    Args:
        energy: (B, C, 32, 32) -> (B,).
        inside: test images (n, C, 32, 32).
        train: training images in random order, at least n.
        named: sets of the registry, or "glyphs".
        seed: of what is drawn.
    """
    others = other_sets(inside, train, named, seed)
    detectors = {**detection.energy_detectors(energy, train[:FITTED]), **energy_free(train)}
    found = detection.table(detectors, inside, others)
    return {
        "images": len(inside),
        "fitted to": len(train),
        "auroc": {
            d: {k: [round(v, 4) for v in area] for k, area in row.items()}
            for d, row in found.items()
        },
        **smoothness(energy, inside, others),
    }


def smoothness(energy: Energy, inside: Tensor, others: Mapping[str, Tensor]) -> dict[str, Any]:
    """Energies by set, of grey images, along a blur, and their rank correlation with variation."""

    def energies(x: Tensor) -> Tensor:
        return in_parts(energy, x)

    levels = torch.linspace(-1, 1, GREYS)
    own = energies(inside)
    blur = [float(energies(detection.blurred(inside[:200], w)).mean()) for w in WIDTHS]
    ranks = stats.spearmanr(own.numpy(), total_variation(inside).numpy())
    sets = {"test": own, **{name: energies(x) for name, x in others.items()}}
    return {
        "energies": {
            name: torch.quantile(e, torch.tensor(QUANTILES)).tolist() for name, e in sets.items()
        },
        "greys": {
            "level": levels.tolist(),
            "energy": energies(detection.greys(levels, inside)).tolist(),
        },
        "blur": {"width": list(WIDTHS), "energy": blur},
        "spearman": {"rho": float(ranks.statistic), "p": float(ranks.pvalue)},
    }


def run(world: World, seed: int, folder: Path) -> dict[str, Tensor]:
    """One in-distribution set; errors as in `arrays.load` and `weights.load`."""
    inside = images(world.inside, "test", world.images, seed)
    train = images(world.inside, "train", FITTED, seed)
    return tensors(compared(pretrained.load(world.energy), inside, train, world.others, seed))


def measure(world: World, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Areas under the ROC curve, and what else is a single number."""
    areas = {name: float(value[0]) for name, value in found.items() if name.startswith("auroc")}
    return measures(areas | scalars(found), [fingerprint(pretrained.load(world.energy))])


STUDY = Study(
    "energies/ood",
    WORLDS,
    range(1),
    run,
    measure,
    trains=False,
    excerpt=curves,
    data=("cifar10_jpeg", "mnist", "mnistm", "fashion"),
    earlier="results/full/energies/ood.json",
)


def stored() -> Mapping[str, Any]:
    """What the earlier run measured; raises FileNotFoundError when it is not installed."""
    return stored_runs.read("energies/ood")


def area(world: str, detector: str, others: str) -> Estimate:
    """The stored area under the ROC curve, with its error; one training is behind it.

    Args:
        world: in-distribution set, of `WORLDS`.
        detector: e.g. "energy".
        others: set of other images.

    Raises KeyError for what was not measured.
    """
    found = evidence.stated(
        *stored()[world]["auroc"][detector][others], n=stored()[world]["images"], seeds=1
    )
    return replace(found, card="energies/ood-full")
