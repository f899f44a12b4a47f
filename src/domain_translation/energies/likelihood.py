"""The likelihood of images under exp(-E/T) on a box, for every temperature T (cfebm.tab10).

A bridge from the uniform density to exp(-E/T_cold) passes through all warmer densities of the
same energy, so one annealed run estimates log Z at each of them. The mean log-likelihood

    -<E>_images / T - log Z(T)

is concave in 1/T and largest where the density's mean energy equals that of the images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from domain_translation.energies.baseline_densities import log_likelihood
from domain_translation.runtime import double, in_parts
from domain_translation.sampling import ais, langevin
from domain_translation.sampling.bridges import crossing
from domain_translation.sampling.scores import Energy


@dataclass(frozen=True, eq=False)
class Profile:
    """Mean log-likelihood of images along the temperatures of one annealed run.

    Attributes:
        temperatures: (K,) float64, falling to the coldest.
        gain: (K,) nats above the uniform density, mean over the images. Biased upwards, since
            log Z is estimated from below.
        image_energy: mean energy of the images.
        chain_energy: (K,) mean energy of the chains at (just before) each temperature.
        ess: (K,) effective number of chains behind each log Z.
    """

    temperatures: Tensor
    gain: Tensor
    image_energy: float
    chain_energy: Tensor
    ess: Tensor

    @property
    def best(self) -> float:
        """The temperature of the largest gain."""
        return float(self.temperatures[int(self.gain.argmax())])

    def at(self, temperature: float) -> float:
        """The gain at a temperature: between two of the run, or a bound on it below the coldest.

        The gain is concave in 1/T. Below the coldest temperature the tangent there, whose slope
        is the chains' mean energy minus the images', lies above it.

        Raises ValueError for a temperature above the hottest of the run.
        """
        if not 0 < temperature <= float(self.temperatures[0]):
            raise ValueError(
                f"temperature was {temperature}; the run went from {self.temperatures[0]:g} down"
            )
        inverse = 1 / self.temperatures
        wanted = 1 / temperature
        if wanted > inverse[-1]:
            slope = float(self.chain_energy[-1]) - self.image_energy
            return float(self.gain[-1]) + slope * (wanted - float(inverse[-1]))
        return float(np.interp(wanted, inverse.numpy(), self.gain.numpy()))


class Bracket(NamedTuple):
    """The normaliser of exp(-E/T) on the box from both sides.

    Attributes:
        temperature: T.
        below: lower bound on log Z, from chains that start at the uniform density.
        above: upper bounds on log Z from chains that walk back, by where they settled from:
            "arrivals" of the forward chains, and "images". Each holds if these chains forgot.
        energies: "arrived", "settled from arrivals" and "settled from images", (B,) each.
        x: the settled states by group, (B, *event).
        acceptance: mean share of accepted proposals, forward.
    """

    temperature: float
    below: ais.Bound
    above: dict[str, ais.Bound]
    energies: dict[str, Tensor]
    x: dict[str, Tensor]
    acceptance: float


def mean_energy(energy: Energy, images: Tensor) -> Tensor:
    """Energies of many images, (n,) float64."""
    return double(in_parts(energy, images))


def divided(energy: Energy, temperature: float) -> Energy:
    """E / T; ValueError for a temperature that is not positive."""
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature was {temperature}; it must be finite and greater than 0")

    def cooled(x: Tensor) -> Tensor:
        return energy(x) / temperature

    return cooled


def _step_sizes(
    energy: Energy, base: ais.Uniform, betas: Tensor, seed: int, device: torch.device
) -> Tensor:
    """By a pilot smaller than `ais.adapt` has by default: energies of networks are costly."""
    pilot = {"chains": 16, "knots": 10, "warmup": 30}
    return ais.adapt(energy, base, betas, **pilot, seed=seed, device=device)


def profile(
    energy: Energy,
    images: Tensor,
    *,
    coldest: float,
    hottest: float,
    steps: int,
    chains: int,
    seed: int = 0,
) -> Profile:
    """Log-likelihood of images at temperatures from `hottest` to `coldest`, one annealed run.

    Args:
        energy: ``(B, *event) -> (B,)`` on [-1, 1]^event.
        images: dequantised (n, *event).
        coldest, hottest: ends of the geometric bridge, 0 < coldest < hottest.
        steps: K, densities of the bridge.
        chains: of the run.
        seed: of the run.

    Raises:
        ValueError: temperatures outside these ranges, or what `ais.forward` refuses.
    """
    if not 0 < coldest < hottest:
        raise ValueError(f"coldest is {coldest} and hottest {hottest}; give 0 < coldest < hottest")
    base = ais.Uniform(tuple(images.shape[1:]))
    betas = ais.geometric(steps, coldest / hottest)
    target = divided(energy, coldest)
    device = images.device
    sizes = _step_sizes(target, base, betas, seed, device)
    run = ais.forward(target, base, betas, sizes, chains=chains, seed=seed, device=device)
    rows = ais.tempered(run.path, betas, base.log_volume)
    log_z = rows.logsumexp(1) - math.log(chains)
    inverse = betas[1:] / coldest
    level = float(mean_energy(energy, images).mean())
    gain = log_likelihood(inverse * level, 0.0, math.prod(base.event)) - log_z
    return Profile(
        temperatures=1 / inverse,
        gain=gain,
        image_energy=level,
        chain_energy=(base.log_volume - run.gaps).mean(1) * coldest,
        ess=1 / rows.softmax(1).square().sum(1),
    )


def bracket(
    energy: Energy,
    temperature: float,
    images: Tensor,
    *,
    hottest: float,
    steps: int,
    settle: int,
    seed: int = 0,
) -> Bracket:
    """Both bounds on log Z of exp(-E/T) on [-1, 1]^event.

    No exact samples of such a density exist. Chains at T run for `settle` steps, one half from
    where forward chains arrived, the other from images, and walk back from there. An upper bound
    holds to the degree that its chains have forgotten where they came from; that the halves
    agree is necessary for it, not sufficient.

    Args:
        energy: ``(B, *event) -> (B,)``.
        temperature: T > 0.
        images: (n, *event) in the box, at least 2; 2 n chains walk each way.
        hottest: where the bridge's geometric part begins, above `temperature`.
        steps: K, densities of the bridge.
        settle: Metropolis-adjusted Langevin steps at T before the way back, at least 1.
        seed: of all chains.

    Raises:
        ValueError: what `ais.forward`, `ais.reverse` and `langevin.sample` refuse.
    """
    n = len(images)
    target, base = divided(energy, temperature), ais.Uniform(tuple(images.shape[1:]))
    betas = ais.geometric(steps, temperature / hottest)
    device = images.device
    sizes = _step_sizes(target, base, betas, seed, device)
    there = ais.forward(target, base, betas, sizes, chains=2 * n, seed=seed, device=device)
    kernel = crossing(target, base, 1.0, float(sizes[-1]))
    mixed = torch.cat([there.x[:n], images])
    settled = base.fold(langevin.sample(kernel, mixed, settle, seed=seed).x)[0]
    back = ais.reverse(target, base, betas, sizes, settled, seed=seed).log_weights
    halves = {"arrivals": slice(0, n), "images": slice(n, 2 * n)}
    levels = mean_energy(energy, settled)
    return Bracket(
        temperature=temperature,
        below=ais.bound(there, seed=seed),
        above={
            k: ais.log_normaliser_bound(back[part], reverse=True, seed=seed)
            for k, part in halves.items()
        },
        energies={"arrived": mean_energy(energy, there.x)}
        | {f"settled from {k}": levels[part] for k, part in halves.items()},
        x={k: settled[part] for k, part in halves.items()},
        acceptance=float(there.acceptance.mean()),
    )
