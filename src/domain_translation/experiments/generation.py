"""Samples of an energy before the judge: recognition, distances, memorisation (CF-EBM section 4.1).

    python -m domain_translation.experiments.generation SET ... --out FOLDER

draws the protocol's number of samples from the shipped energies and compares them with real images,
which DOMAIN_TRANSLATION_DATA must hold for mnist, fashion and cifar. Sets named one at a time are
added to the results that are there; the book's are in data/results/full/generation.

Each energy was trained once, on a set of its own. So a statement about energies like these is
judged over the five of them: in `card`, they are what seeds are elsewhere.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from domain_translation import langevin, recipes, runtime, weights
from domain_translation.cf_ebm.network import EnergyNetwork
from domain_translation.cf_ebm.sampling import ShortRun, sample, short_run, uniform
from domain_translation.checkpoints import digest
from domain_translation.data.digits import Split
from domain_translation.evaluation.features import judge_features
from domain_translation.evaluation.neighbours import memorisation, nearest
from domain_translation.evaluation.noisiness import noise_level
from domain_translation.evaluation.protocol import PROTOCOLS, Protocol, as_images, measure
from domain_translation.evaluation.sample_judges import SampleJudge, probabilities
from domain_translation.evaluation.sample_sets import real_images
from domain_translation.evaluation.trivial import gaussian_samples
from domain_translation.experiments import stored_runs
from domain_translation.files import write_atomically
from domain_translation.notebook.cards import Card, Row
from domain_translation.scores import energy_score

CONFIDENT = 0.9  # probability above which the judge is sure
COMPONENTS = 20  # Gaussians of the mixture
SETS = ("digits", "glyphs", "mnist", "fashion", "cifar")
ETAS = (0.0, 1.0, 4.0, 16.0, 64.0)  # eta_0 at test time in units of training's
LENGTHS = (0.5, 1.0, 2.0, 4.0)  # lengths of a chain in units of training's
_SWEPT = 256  # samples at each setting of a sweep
_FITTED = 10_000  # training images that the trivial generators see
_WALKED = 100  # chains that are followed step by step
_FOUND = 0.025  # level of each of the two tests of memorisation
STUDY = "energies/generation-full"


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


def walked(case: Case, n: int = _WALKED) -> dict[str, Any]:
    """n chains of training's length step by step, beside gradient descent from the same starts.

    "energy": mean energy before the chain and after every step; "noise": what the noise of all
    steps adds up to, as a share of the squared way from start to end; "same class": how often the
    judge names the same class for the end of the chain and the end of the descent.
    """
    network, run = case.network.requires_grad_(False), case.run
    score, generator = energy_score(network), Generator().manual_seed(case.protocol.seed)
    start = uniform(n, case.protocol.channels, case.protocol.size, generator)
    chain = short_run(network, start, run, generator=generator, thin=1)
    descent = langevin.sample(langevin.ula(score, run.step_size, 0.0), start, run.steps).x
    assert chain.trajectory is not None
    path = torch.cat([start[None], chain.trajectory])
    drift = torch.stack([run.step_size * score(x) for x in path[:-1]]).sum(0)
    way = chain.x - start
    with torch.no_grad():
        energy = [float(network(x).mean()) for x in path]
    named = [probabilities(case.judge, as_images(x)).argmax(1) for x in (chain.x, descent)]
    return {
        "energy": energy,
        "noise": float((way - drift).square().sum() / way.square().sum()),
        "same class": float((named[0] == named[1]).double().mean()),
    }


def stored() -> Mapping[str, Any]:
    """What `main` found for every set, as the book stores it."""
    return stored_runs.read("generation/card")


def card() -> Card:
    """The stored numbers of the five energies, numbered as in `SETS`; each was trained once."""
    found = stored()
    rows = [
        Row("", number, name, float(value), (found[of]["weights_sha256"][:12],))
        for number, of in enumerate(SETS)
        for name, value in _numbers(found[of]).items()
    ]
    origin = {of: {k: found[of][k] for k in ("date", "seconds", "machine")} for of in SETS}
    return Card(STUDY, "full", tuple(rows), origin=origin)


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    """What claims are judged by, of one set."""
    arms, seen, walk = found["arms"], found["memorisation"], found["walk"]
    etas, lengths = found["eta"], found["length"]
    down = [b < a for a, b in zip(walk["energy"], walk["energy"][1:], strict=False)]

    def remembers(kind: str) -> bool:
        return bool(min(seen[kind]["p_value"], seen[kind]["p_copies"]) < _FOUND)

    def further(a: Mapping[str, float], b: Mapping[str, float]) -> float:
        return math.log(a["frechet"] / b["frechet"])

    numbers = {
        "samples the judge is sure of": arms["samples"]["confident"],
        "certainty of the judge, real minus samples": arms["real, held out"]["confident"]
        - arms["samples"]["confident"],
        "classes that occur among the samples": sum(n > 0 for n in arms["samples"]["classes"]),
        "distance, log of samples / one Gaussian": further(arms["samples"], arms["one Gaussian"]),
        "memorisation is found": remembers("pixels") or remembers("features"),
        "memorisation is found in noisy copies": remembers("copies, noise 0.1"),
        "fall of the mean energy along the chain": walk["energy"][0] - walk["energy"][-1],
        "share of the steps that lower the mean energy": sum(down) / len(down),
        "share of noise in the squared way": walk["noise"],
        "same class as by gradient descent": walk["same class"],
    }
    for key in ("outside", "contrast", "energy"):
        numbers[f"{key}, gain by 4 times the length"] = lengths["4"][key] - lengths["1"][key]
    numbers["distance, log of its factor by 4 times the length"] = further(
        lengths["4"], lengths["1"]
    )
    for times in ("4", "16", "64"):
        by = f"by {times} times the variance"
        for key in ("noise level", "confident"):
            numbers[f"{key}, gain {by}"] = etas[times][key] - etas["1"][key]
        numbers[f"distance, log of its factor {by}"] = further(etas[times], etas["1"])
    return numbers


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
        "walk": walked(case),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(
        prog="python -m domain_translation.experiments.generation",
        description="Samples of the shipped energies before their judges.",
    )
    parser.add_argument("sets", nargs="+", choices=SETS, help="sets to draw from")
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
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        write_atomically(path, (json.dumps(known | {name: made}, indent=1) + "\n").encode())
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
