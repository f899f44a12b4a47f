"""Samples of an energy before the judge: recognition, distances, memorisation (CF-EBM section 4.1).

The protocol's number of samples of the shipped energies stands beside real images. Each energy was
trained once, on a set of its own, so the five of them are what seeds are elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from domain_translation import pretrained
from domain_translation.data.digits import Split
from domain_translation.data.labelled_sets import real_images
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import ShortRun, sample, short_run, uniform
from domain_translation.evaluation.distances.features import judge_features
from domain_translation.evaluation.distances.neighbours import memorisation, nearest
from domain_translation.evaluation.distances.protocol import PROTOCOLS, Protocol, as_images
from domain_translation.evaluation.distances.protocol import measure as distances
from domain_translation.evaluation.distances.trivial_generators import gaussian_samples
from domain_translation.evaluation.judges.sample_judges import SampleJudge, probabilities
from domain_translation.evaluation.pictures.noisiness import noise_level
from domain_translation.notebook.cards import Card, Row, fingerprint
from domain_translation.sampling import langevin
from domain_translation.sampling.scores import energy_score
from domain_translation.studies import stored_runs
from domain_translation.studies.study import Measure, Study, measures, tensors

CONFIDENT = 0.9  # probability above which the judge is sure
COMPONENTS = 20  # Gaussians of the mixture
SETS = ("digits", "glyphs", "mnist", "fashion", "cifar")
ETAS = (0.0, 1.0, 4.0, 16.0, 64.0)  # eta_0 at test time in units of training's
LENGTHS = (0.5, 1.0, 2.0, 4.0)  # lengths of a chain in units of training's
_SWEPT = 256  # samples at each setting of a sweep
_FITTED = 10_000  # training images that the trivial generators see
_WALKED = 100  # chains that are followed step by step
_LEVEL = 0.025  # level of each of the two tests of memorisation
STORED = "energies/generation-full"  # the card of the earlier runs


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
    network, judge = pretrained.load(f"energies/{name}"), pretrained.load(f"energies/judge_{name}")
    assert isinstance(network, EnergyNetwork)
    assert isinstance(judge, SampleJudge)
    run = ShortRun(**pretrained.card(f"energies/{name}")["run"])
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
    space = judge_features(case.judge)
    found = {"real, held out": recognised(case.judge, case.test.x)}
    for name, x in shown.items():
        distance = distances(x, case.test.x, space, case.protocol)
        found[name] = recognised(case.judge, x) | {
            "frechet": distance.frechet,
            "kernel": distance.kernel.mean,
            "kernel std": distance.kernel.std,
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
            "frechet": distances(x, case.test.x, judge_features(case.judge), protocol).frechet,
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


def numbers(found: Mapping[str, Tensor]) -> dict[str, float]:
    """What claims are judged by, of what `run` gives of one set."""

    def of(*path: str) -> float:
        return float(found[", ".join(path)])

    def remembers(kind: str) -> bool:
        return min(of("memorisation", kind, p) for p in ("p_value", "p_copies")) < _LEVEL

    def further(a: tuple[str, str], b: tuple[str, str]) -> float:
        return math.log(of(*a, "frechet") / of(*b, "frechet"))

    samples, energy = ("arms", "samples"), found["walk, energy"]
    named = {
        "samples the judge is sure of": of(*samples, "confident"),
        "certainty of the judge, real minus samples": of("arms", "real, held out", "confident")
        - of(*samples, "confident"),
        "classes that occur among the samples": float((found["arms, samples, classes"] > 0).sum()),
        "distance, log of samples / one Gaussian": further(samples, ("arms", "one Gaussian")),
        "memorisation is found": remembers("pixels") or remembers("features"),
        "memorisation is found in noisy copies": remembers("copies, noise 0.1"),
        "fall of the mean energy along the chain": float(energy[0] - energy[-1]),
        "share of the steps that lower the mean energy": float(
            (energy[1:] < energy[:-1]).double().mean()
        ),
        "share of noise in the squared way": of("walk", "noise"),
        "same class as by gradient descent": of("walk", "same class"),
    }
    for key in ("outside", "contrast", "energy"):
        gain = of("length", "4", key) - of("length", "1", key)
        named[f"{key}, gain by 4 times the length"] = gain
    named["distance, log of its factor by 4 times the length"] = further(
        ("length", "4"), ("length", "1")
    )
    for times in ("4", "16", "64"):
        by = f"by {times} times the variance"
        for key in ("noise level", "confident"):
            named[f"{key}, gain {by}"] = of("eta", times, key) - of("eta", "1", key)
        named[f"distance, log of its factor {by}"] = further(("eta", times), ("eta", "1"))
    return named


def run(sets: Sequence[str], number: int, folder: Path) -> dict[str, Tensor]:
    """All of the above for one of the sets; minutes on two cores."""
    case = load_case(sets[number])
    samples = draw(case, case.protocol.n)
    return tensors(
        {
            "train images": len(case.train.x),
            "test images": len(case.test.x),
            "real contrast": float(case.test.x.std()),
            "judge accuracy": accuracy(case),
            "arms": compared(case, arms(case, samples)),
            "memorisation": remembered(case, samples),
            "nearest rows": nearest(samples[:8], case.train.x, 5).row,
            "eta": swept(case, eta_runs(case.run)),
            "length": swept(case, length_runs(case.run)),
            "walk": walked(case),
        }
    )


def measure(sets: Sequence[str], number: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """The numbers of one set, about its energy."""
    return measures(numbers(found), [fingerprint(pretrained.load(f"energies/{sets[number]}"))])


def excerpt(sets: Sequence[str], number: int, found: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """All of it: it is numbers and short curves."""
    return found


STUDY = Study(
    "energies/generation",
    {"shipped": SETS},
    range(len(SETS)),
    run,
    measure,
    trains=False,
    excerpt=excerpt,
    data=("mnist", "fashion_unbalanced", "cifar10_jpeg"),
    earlier="results/full/generation/card.json",
)


def stored() -> Mapping[str, Any]:
    """What the earlier runs found, by set; raises FileNotFoundError where there are none."""
    return stored_runs.read("generation/card")


def card() -> Card:
    """The stored numbers of the five energies, numbered as in `SETS`; each was trained once."""
    found = stored()
    rows = [
        Row("", number, name, float(value), (found[of]["weights_sha256"][:12],))
        for number, of in enumerate(SETS)
        for name, value in numbers(tensors(found[of])).items()
    ]
    origin = {of: {k: found[of][k] for k in ("date", "seconds", "machine")} for of in SETS}
    return Card(STORED, "full", tuple(rows), origin=origin)
