"""Short-run sampling from an energy (CF-EBM Algorithm 2, cfebm.alg2) by the one Langevin loop.

    x_{t+1} = x_t - alpha grad E(x_t) + sqrt(eta_t) nu,   eta_t = eta_0 - eta_0 / (N - t + 1)

(CF-EBM eq. 3 with the constants of A.2: cfebm.eq3, cfebm.train.noise.) In this book's terms the
temperature is T_t = eta_t / (2 alpha) <= 0.01 for the paper's alpha = 1 and eta_0 = 0.02.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor, nn

from domain_translation import runtime
from domain_translation.energies.network import EnergyNetwork
from domain_translation.sampling import langevin, schedules
from domain_translation.sampling.langevin import Chain
from domain_translation.sampling.scores import Energy, energy_score
from domain_translation.training.trained import freeze

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class ShortRun:
    """A short chain: its length, its step, and the noise it begins with."""

    steps: int  # N, the paper's T^(s)
    step_size: float = 1.0  # alpha, the coefficient of grad E (A.2)
    variance: float = 0.02  # eta_0 of the hyperbola in A.2; "2e^-2" read as 0.02

    def temperatures(self) -> Tensor:
        """T_t = eta_t / (2 alpha) at the steps t = 1 .. N, float64 (steps,)."""
        temperature = schedules.from_cfebm_appendix(
            self.step_size, self.steps, self.variance
        ).temperature
        assert isinstance(temperature, Tensor)
        return temperature


def uniform(n: int, channels: int, size: int, generator: Generator) -> Tensor:
    """n images of U(-1, 1) noise, (n, channels, size, size), on the generator's device."""
    start = torch.empty(n, channels, size, size, device=generator.device)
    return start.uniform_(-1, 1, generator=generator)


def short_run(
    energy: Energy,
    x: Tensor,
    run: ShortRun,
    *,
    seed: int = 0,
    generator: Generator | None = None,
    thin: int | None = None,
    check: bool = True,
) -> Chain:
    """Chains of `run` from `x` (B, C, S, S); arguments and errors as in `langevin.sample`.

    A training whose guard looks at the energies now and then runs them with `check=False`: on a
    device nothing waits for such a chain, and nothing is copied there.
    """
    kernel = langevin.ula(energy_score(energy), run.step_size, run.temperatures())
    return langevin.sample(
        kernel, x, run.steps, seed=seed, generator=generator, thin=thin, check=check
    )


def sample(
    network: nn.Module,
    n: int,
    run: ShortRun,
    *,
    seed: int = 0,
    steps: int | None = None,
    precision: str = "float32",
) -> Tensor:
    """Algorithm 2: n images (n, C, S, S) by short runs from uniform noise.

    Values are those of the chain, mostly but not strictly within [-1, 1].

    Args:
        network: a trained `EnergyNetwork`.
        n: number of images.
        run: the chain of its training.
        seed: of start and noise.
        steps: another length than in training. A longer chain is allowed, and warned of: it goes
            on to lower energies than the network was trained to be sampled at, and its pictures
            oversaturate (cfebm.claim.oversat).
        precision: of the network's arithmetic, "float32" or "bfloat16".

    Raises:
        ValueError: n below 1, or an argument that `frozen` or `langevin.sample` refuses.
        DivergenceError: a chain left the finite numbers.
    """
    if n < 1:
        raise ValueError(f"n is {n}; ask for at least one image")
    if not isinstance(network, EnergyNetwork):
        raise ValueError(f"network is a {type(network).__name__}; sample takes an EnergyNetwork")
    if steps is not None and steps > run.steps:
        warnings.warn(
            f"{steps} steps are more than the {run.steps} of training: pictures oversaturate",
            stacklevel=2,
        )
    device = network.head.bias.device
    generator = Generator(device).manual_seed(seed)
    start = uniform(n, network.channels, network.size, generator)
    run = run if steps is None else replace(run, steps=steps)
    return short_run(frozen(network, precision), start, run, generator=generator).x


def frozen(network: EnergyNetwork, precision: str = "float32") -> EnergyNetwork:
    """A copy to sample from: no gradients for weights, norms baked in, weights in `precision`.

    The copy costs one pass over the weights; it saves what fifty steps would spend on graphs of
    weights, power iterations and casts. States and energies stay float32.

    Raises:
        ValueError: an unknown precision.
    """
    dtype = DTYPES[runtime.precision(precision, network.head.bias.device)]
    training = network.training
    network.eval()  # spectral normalisation would otherwise go on with its power iteration
    with torch.device("meta"):
        still = EnergyNetwork(**{**network.arguments(), "spectral": False})
    still.fading, still.fade = copy.deepcopy(network.fading), network.fade
    weights = {
        f"{path}.{name}": getattr(module, name).detach().clone()
        for path, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
        for name in ("weight", "bias")
    }
    still.load_state_dict(weights, assign=True)
    network.train(training)
    return freeze(still.to(dtype).to(memory_format=torch.channels_last))
