"""Out-of-distribution detection at 32x32: CF-EBM's Table 4 in the full profile (cfebm.tab4).

    python -m domain_translation.experiments.energies_ood --out data/results/full/energies

scores the test images of CIFAR-10 and MNIST and six sets of other images by the shipped energies
and by detectors that need no energy, and writes the card `ood.json`. DOMAIN_TRANSLATION_DATA
names the folder of the registry's files. SVHN and CIFAR-100 are not among them: MNIST-M stands in
for the digits, and there is no set of near classes for CIFAR-10.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from scipy import stats
from torch import Generator, Tensor

from domain_translation import recipes, runtime, weights
from domain_translation.cf_ebm import detection
from domain_translation.cf_ebm.energy_free import energy_free, total_variation
from domain_translation.data import arrays
from domain_translation.data.procedural import glyphs
from domain_translation.experiments import stored_runs
from domain_translation.files import write_atomically
from domain_translation.notebook import evidence
from domain_translation.notebook.evidence import Estimate
from domain_translation.scores import Energy

IMAGES = 1000  # of each set
FITTED = 5000  # training images that the detectors without an energy are fitted to
SEED = 0
GREYS = 41  # grey levels from -1 to 1
WIDTHS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 32.0)  # of the blur, pixels
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

# In-distribution set -> (its energy, sets of other images beside noise, constants and mixtures).
WORLDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cifar10": ("energies/cifar", ("mnistm",)),
    "mnist": ("energies/mnist", ("fashion", "glyphs")),
}


def some(x: Tensor, n: int, seed: int) -> Tensor:
    """n of the images (m, ...) at random, all in random order where there are fewer."""
    return x[torch.randperm(len(x), generator=Generator().manual_seed(seed))[:n]]


def images(name: str, split: str, n: int) -> Tensor:
    """n images (n, C, 32, 32) of a set, at random; typeset digits are drawn."""
    if name == "glyphs":
        return glyphs.sample(n, SEED, size=32).x
    return some(arrays.load(name, split).x, n, SEED)


def other_sets(inside: Tensor, train: Tensor, named: Sequence[str]) -> dict[str, Tensor]:
    """What is to be told from `inside`; the last set, training images, ought not to be told."""
    n = len(inside)
    return {
        **{name: images(name, "test", n) for name in named},
        "uniform": detection.uniform_noise(n, inside, SEED),
        "constant": detection.constants(n, inside, SEED),
        "interpolated": detection.interpolations(n, inside, SEED),
        "blurred": detection.blurred(inside, 1.0),
        "train": train[:n],
    }


def study(energy: Energy, inside: Tensor, train: Tensor, named: Sequence[str]) -> dict[str, Any]:
    """Everything the card says of one in-distribution set.

    Args:
        energy: (B, C, 32, 32) -> (B,).
        inside: test images (n, C, 32, 32).
        train: training images in random order, at least n.
        named: sets of the registry, or "glyphs".
    """
    others = other_sets(inside, train, named)
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
        return detection.in_parts(energy, x)

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


def stored() -> Mapping[str, Any]:
    """What the committed run of this module measured.

    Raises FileNotFoundError when it is not installed.
    """
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


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.energies_ood",
        description="Out-of-distribution detection by the shipped energies at 32x32.",
    )
    parser.add_argument("--out", type=Path, default=Path("data/results/full/energies"))
    parser.add_argument("--images", type=int, default=IMAGES, help="of each set")
    parser.add_argument("--only", choices=tuple(WORLDS), help="one in-distribution set")
    options = parser.parse_args(arguments)
    found: dict[str, Any] = {}
    for name, (energy, named) in WORLDS.items():
        if options.only not in (None, name):
            continue
        began = time.perf_counter()
        inside, train = images(name, "test", options.images), images(name, "train", FITTED)
        network: Energy = weights.load(energy)
        found[name] = {"weights": energy, **study(network, inside, train, named)}
        found[name]["seconds"] = round(time.perf_counter() - began)
    path = options.out / "ood.json"
    # One set made anew leaves what is known of the other.
    card = json.loads(path.read_text()) if options.only and path.exists() else {}
    card |= found | {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": recipes.machine(),
        "versions": runtime.versions(),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (json.dumps(card, indent=1) + "\n").encode())
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
