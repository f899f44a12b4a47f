"""Samples of an energy before the judge: recognition, distances, memorisation (CF-EBM section 4.1).

    python -m domain_translation.experiments.generation mnist fashion cifar --out FOLDER

draws the protocol's number of samples from the shipped energies at 32x32 and compares them with
real images, which DOMAIN_TRANSLATION_DATA must hold. Sets named one at a time are added to the card
that is there; the book's card is in data/results/full/generation. The chapter does
the same for the small sets while it is built, by the same functions.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from domain_translation import recipes, runtime, weights
from domain_translation.cf_ebm.network import EnergyNetwork
from domain_translation.cf_ebm.sampling import ShortRun, sample
from domain_translation.checkpoints import digest
from domain_translation.data.digits import Split
from domain_translation.evaluation.features import judge_features
from domain_translation.evaluation.neighbours import memorisation, nearest
from domain_translation.evaluation.noisiness import noise_level
from domain_translation.evaluation.protocol import PROTOCOLS, Protocol, as_images, measure
from domain_translation.evaluation.sample_judges import SampleJudge, probabilities
from domain_translation.evaluation.sample_sets import real_images
from domain_translation.evaluation.trivial import gaussian_samples
from domain_translation.files import write_atomically

CONFIDENT = 0.9  # probability above which the judge is sure
COMPONENTS = 20  # Gaussians of the mixture
FULL = ("mnist", "fashion", "cifar")
ETAS = (0.0, 1.0, 4.0, 16.0, 64.0)  # eta_0 at test time in units of training's
LENGTHS = (0.5, 1.0, 2.0, 4.0)  # lengths of a chain in units of training's
_SWEPT = 256  # samples at each setting of a sweep
_FITTED = 10_000  # training images that the trivial generators see


class Case(NamedTuple):
    """An energy, the chain of its training, its judge, and real images."""

    network: EnergyNetwork
    run: ShortRun
    judge: SampleJudge
    protocol: Protocol
    train: Split
    test: Split


def load_case(name: str) -> Case:
    """The shipped energy of a set and what it is judged by; errors as in its parts."""
    network, judge = weights.load(f"energies/{name}"), weights.load(f"energies/judge_{name}")
    assert isinstance(network, EnergyNetwork)
    assert isinstance(judge, SampleJudge)
    run = ShortRun(**weights.card(f"energies/{name}")["run"])
    real = [real_images(name, part) for part in ("train", "test")]
    return Case(network, run, judge, PROTOCOLS[name], *real)


def draw(case: Case, n: int, run: ShortRun | None = None, precision: str = "float32") -> Tensor:
    """n samples as image files would hold them, by the protocol's seed."""
    chain = run or case.run
    return as_images(sample(case.network, n, chain, seed=case.protocol.seed, precision=precision))


def arms(case: Case, samples: Tensor) -> dict[str, Tensor]:
    """The samples, the real training images they stand beside, and two trivial generators."""
    n, seed = len(samples), case.protocol.seed
    rows = torch.randperm(len(case.train.x), generator=Generator().manual_seed(seed))
    some = case.train.x[rows[:_FITTED]]
    return {
        "real, training": some[:n],
        "samples": samples,
        "one Gaussian": gaussian_samples(some, n, seed=seed),
        "20 Gaussians": gaussian_samples(some, n, components=COMPONENTS, seed=seed),
    }


def recognised(judge: SampleJudge, x: Tensor) -> dict[str, Any]:
    """Share of images (n, C, S, S) the judge is sure of, and how many it takes for each class."""
    p = probabilities(judge, x)
    sure = p.amax(1) > CONFIDENT
    classes = p.shape[1]
    return {
        "confident": float(sure.double().mean()),
        "classes": torch.bincount(p.argmax(1), minlength=classes).tolist(),
        "confident classes": torch.bincount(p.argmax(1)[sure], minlength=classes).tolist(),
        "noise level": float(noise_level(x).median()),
    }


def accuracy(case: Case) -> float:
    """Share of the held-out real images of which the judge names the class."""
    named = probabilities(case.judge, case.test.x).argmax(1)
    return float((named == case.test.y).double().mean())


def compared(case: Case, shown: Mapping[str, Tensor]) -> dict[str, Any]:
    """Each arm before the judge, and its distances from the held-out real images."""
    found = {"real, held out": recognised(case.judge, case.test.x)}
    for name, x in shown.items():
        distance = measure(x, case.test.x, case.protocol)
        found[name] = recognised(case.judge, x) | {
            "frechet": distance.frechet,
            "kernel": distance.kernel.mean,
            "kernel std": distance.kernel.std,
            "samples sha256": distance.samples_sha256,
        }
    return found


def remembered(case: Case, samples: Tensor) -> dict[str, Any]:
    """The memorisation test on pixels and on features; and on noisy copies, to know its power."""
    space = judge_features(case.judge)
    held_out = case.test.x[: len(samples)]
    found = {
        "pixels": memorisation(samples, held_out, case.train.x)._asdict(),
        "features": memorisation(samples, held_out, case.train.x, space)._asdict(),
    }
    for noise in (0.05, 0.1, 0.2, 0.4):
        copies = noisy_copies(case.train.x, len(samples), noise, case.protocol.seed)
        found[f"copies, noise {noise}"] = memorisation(copies, held_out, case.train.x)._asdict()
    return found


def noisy_copies(train: Tensor, n: int, noise: float, seed: int = 0) -> Tensor:
    """n training images with Gaussian noise of standard deviation `noise`: a model that cheats."""
    generator = Generator().manual_seed(seed)
    rows = torch.randperm(len(train), generator=generator)[:n]
    x = train[rows]
    return as_images(x + noise * torch.randn(x.shape, generator=generator))


def swept(case: Case, runs: Mapping[str, ShortRun], n: int = _SWEPT) -> dict[str, Any]:
    """The judge's view of n samples by other chains than training's (cfebm.claim.eta0, oversat).

    "outside": share of values that left [-1, 1]; "contrast": standard deviation of all values;
    "energy": mean energy; "frechet": on the judge's features, smaller n than the protocol's.
    """
    protocol = replace(case.protocol, n=n, subset=min(n, case.protocol.subset))
    found = {}
    for name, run in runs.items():
        raw = sample(case.network, n, run, seed=protocol.seed)
        with torch.no_grad():
            energy = torch.cat([case.network(part) for part in torch.split(raw, 256)])
        x = as_images(raw)
        found[name] = recognised(case.judge, x) | {
            "outside": float((raw.abs() > 1).double().mean()),
            "contrast": float(raw.std()),
            "energy": float(energy.mean()),
            "frechet": measure(x, case.test.x, protocol).frechet,
        }
    return found


def eta_runs(run: ShortRun) -> dict[str, ShortRun]:
    """The chain of training with other noise variances, by their multiple of training's."""
    return {f"{factor:g}": replace(run, variance=factor * run.variance) for factor in ETAS}


def length_runs(run: ShortRun) -> dict[str, ShortRun]:
    """Shorter and longer chains of the same step and noise, by their multiple of training's."""
    return {f"{factor:g}": replace(run, steps=round(factor * run.steps)) for factor in LENGTHS}


def full(name: str) -> dict[str, Any]:
    """All of the above for one set; minutes on two cores."""
    case = load_case(name)
    samples = draw(case, case.protocol.n)
    close = nearest(samples[:8], case.train.x, 5)
    return {
        "protocol": asdict(case.protocol),
        "run": asdict(case.run),
        "weights_sha256": digest(case.network.state_dict()),
        "train images": len(case.train.x),
        "test images": len(case.test.x),
        "real contrast": float(case.test.x.std()),
        "judge accuracy": accuracy(case),
        "arms": compared(case, arms(case, samples)),
        "memorisation": remembered(case, samples),
        "nearest rows": close.row.tolist(),
        "eta": swept(case, eta_runs(case.run)),
        "length": swept(case, length_runs(case.run)),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.generation",
        description="Samples of the 32x32 energies before their judges.",
    )
    parser.add_argument("sets", nargs="+", choices=FULL, help="sets to draw from")
    parser.add_argument("--out", type=Path, required=True, help="folder of card.json")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "card.json"
    for name in options.sets:
        began = time.perf_counter()
        made = full(name) | {
            "date": datetime.now(UTC).date().isoformat(),
            "seconds": round(time.perf_counter() - began),
            "machine": recipes.machine(),
            "versions": runtime.versions(),
        }
        card = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        write_atomically(path, (json.dumps(card | {name: made}, indent=1) + "\n").encode())
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
