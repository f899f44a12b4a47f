"""Log-likelihood of MNIST under a shipped energy and under exact baselines (cfebm.tab10).

Images are the 28x28 pixels of MNIST, 256 levels, uniformly dequantised: a density on [-1, 1]^784.
The energy sees them inside its rim of two black pixels. The temperature is chosen on one part of
the test images, whose other part is scored: the energy was trained on all training images.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Generator, Tensor
from torch.nn.functional import pad

from domain_translation import pretrained
from domain_translation.data import arrays
from domain_translation.energies import baseline_densities, likelihood
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import frozen
from domain_translation.notebook.cards import fingerprint
from domain_translation.notebook.evidence import Estimate
from domain_translation.sampling.scores import Energy
from domain_translation.studies import stored_runs
from domain_translation.studies.study import Measure, Study, curves, measures, scalars, tensors

NAME = "energies/mnist"
LEVELS, RIM = 256, 2
VALIDATION = 2000  # of the test images; the others are scored


def inner_levels(x: Tensor) -> Tensor:
    """Images (n, 1, 32, 32) in [-1, 1] as the levels 0 .. 255 of their 28x28 (n, 1, 28, 28)."""
    return ((x[..., RIM:-RIM, RIM:-RIM] + 1) * 127.5).round().long()


def rimmed(energy: Energy) -> Energy:
    """The energy of images of 28x28, which are given a black rim of two pixels."""

    def inside(x: Tensor) -> Tensor:
        return energy(pad(x, [RIM] * 4, value=-1.0))

    return inside


def described(gains: Tensor) -> dict[str, float]:
    """Mean and standard error of log-likelihoods (n,), in nats."""
    return {"mean": float(gains.mean()), "error": float(gains.std()) / math.sqrt(len(gains))}


def baselines(levels: Tensor, validation: Tensor, test: Tensor, seed: int = 0) -> dict[str, Any]:
    """Exact log-likelihoods: independent pixel histograms, and a Gaussian.

    Args:
        levels: training images (n, *event), 0 .. 255.
        validation, test: dequantised images, to choose on and to score.
        seed: of the training images' dequantisation.
    """
    train = baseline_densities.dequantised(levels, LEVELS, Generator().manual_seed(seed))
    found = {
        "independent pixel histograms": baseline_densities.histograms(levels, LEVELS, validation),
        "Gaussian, full covariance": baseline_densities.gaussian(train, validation),
    }
    return {
        name: {"setting": one.setting, **described(one.gain(test))} for name, one in found.items()
    }


def energy_bounds(
    energy: Energy,
    validation: Tensor,
    test: Tensor,
    *,
    coldest: float,
    hottest: float,
    steps: int,
    chains: int,
    seed: int = 0,
) -> dict[str, Any]:
    """The profile over temperatures on validation images and both bounds on test images.

    Args:
        energy: ``(B, *event) -> (B,)``.
        validation, test: dequantised images; the reverse chains' second half settles from
            validation images.
        coldest, hottest: of the profile.
        steps: densities of the bridges, and steps of settling.
        chains: even; of each run.
        seed: of the runs.
    """
    found = likelihood.profile(
        energy, validation, coldest=coldest, hottest=hottest, steps=steps, chains=chains, seed=seed
    )
    images = validation[: chains // 2]
    both = likelihood.bracket(
        energy, found.best, images, hottest=hottest, steps=steps, settle=steps, seed=seed + 1
    )
    dim = images[0].numel()
    scaled = likelihood.mean_energy(energy, test) / found.best
    shown = slice(None, None, max(1, steps // 60))

    def under(log_z: float) -> float:
        return float(baseline_densities.log_likelihood(scaled, log_z, dim).mean())

    return {
        "profile": {
            "temperature": found.temperatures[shown].tolist(),
            "gain": found.gain[shown].tolist(),
            "chain energy": found.chain_energy[shown].tolist(),
            "effective chains": found.ess[shown].tolist(),
            "image energy": found.image_energy,
        },
        "best temperature": found.best,
        "gain at temperature 1": found.at(1.0),
        "upper": under(both.below.value),
        "upper, average": under(both.below.average),
        "lower": {k: under(b.value) for k, b in both.above.items()},
        "lower, average": {k: under(b.average) for k, b in both.above.items()},
        "effective chains": {"forward": both.below.ess}
        | {f"from {k}": b.ess for k, b in both.above.items()},
        "error of the mean": described(scaled)["error"],
        "mean energies": {k: float(v.mean()) for k, v in both.energies.items()}
        | {"test images": float(scaled.mean()) * found.best},
        "acceptance": both.acceptance,
        "steps": steps,
        "chains": chains,
    }


@dataclass(frozen=True)
class Bridge:
    """How finely the energy is annealed.

    Attributes:
        steps: densities of the bridge.
        chains: of each run, even.
    """

    steps: int = 3000
    chains: int = 4


def run(bridge: Bridge, seed: int, folder: Path) -> dict[str, Tensor]:
    """All of the above for MNIST; errors as in `weights.load` and `fetch.fetch`."""
    network = pretrained.load(NAME)
    assert isinstance(network, EnergyNetwork)
    train, test = (inner_levels(arrays.load("mnist", part).x) for part in arrays.SPLITS)
    points = baseline_densities.dequantised(test, LEVELS, Generator().manual_seed(seed))
    validation, scored = points[:VALIDATION], points[VALIDATION:]
    energy = energy_bounds(
        rimmed(frozen(network)),
        validation,
        scored,
        coldest=0.01,
        hottest=2.0,
        steps=bridge.steps,
        chains=bridge.chains,
        seed=seed,
    )
    return tensors({"baselines": baselines(train, validation, scored, seed), "energy": energy})


def measure(bridge: Bridge, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    """Log-likelihoods with the error of their test images, and what else is a single number."""
    numbers = scalars(found)
    exact = {
        k.split(", ", 1)[1]: numbers.pop(k) for k in list(numbers) if k.startswith("baselines")
    }
    means = [name.removesuffix(", mean") for name in exact if name.endswith(", mean")]
    rows = [Measure(n, exact[f"{n}, mean"], (), exact[f"{n}, error"]) for n in means]
    return rows + measures(numbers, [fingerprint(pretrained.load(NAME))])


STUDY = Study(
    "energies/likelihood",
    {"annealed": Bridge()},
    range(1),
    run,
    measure,
    trains=False,
    excerpt=curves,
    data=("mnist",),
    earlier="results/full/energies/likelihood.json",
)


def stored() -> Mapping[str, Any]:
    """What the earlier run measured; raises FileNotFoundError when it is not installed."""
    return stored_runs.read("energies/likelihood")


def estimate(name: str) -> Estimate:
    """The stored mean log-likelihood of a density without a network, over the test images, in nats.

    Raises KeyError for a name that is none of `baselines`.
    """
    found = stored()
    of, n = found["baselines"][name], found["images"]["scored"]
    return Estimate(of["mean"], of["error"], n, 0, df=n - 1, card="energies/likelihood-full")
