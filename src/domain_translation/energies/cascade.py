"""CF-EBM with fixed coarse models: Table 9 (e) and the high resolutions of A.8 (cfebm.tab9).

One network per scale. Each is grown from a copy of the coarser one; the original is frozen and
goes on producing the starting points of the finer chains:

    x~(1) = chain_1(u),   x~(s) = chain_s(upsample(x~(s-1)) + sqrt(eta_0) nu),   nu ~ N(0, I)

The noise is that of one Langevin step: without it a chain would always start on images made of
2x2 blocks. The paper does not say whether there is any, nor that the fine network starts from a
copy (A.8 has it "fixed"); both are choices. `PAPER_256` and `PAPER_512` are meant for this.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import interpolate

from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.guard import Trace
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import frozen, short_run, uniform
from domain_translation.energies.training import Start, checked, from_noise, train_stages


class Cascade(NamedTuple):
    """Trained networks, coarse to fine, all frozen and all needed; and what training saw."""

    networks: tuple[EnergyNetwork, ...]
    stages: tuple[Trace, ...]


def train_cascade(
    data: Tensor, config: CFEBMConfig, seed: int = 0, checkpoint: Path | str | None = None
) -> Cascade:
    """Train one network per size of `config` on starts from the frozen coarser ones.

    A new block still fades in (b over the first half of a stage), but the help of the coarse
    model does not fade out: it is there in sampling too. Arguments and errors as in
    `training.train`.
    """
    images = checked(data, config)
    coarse: list[EnergyNetwork] = []

    def starts(network: EnergyNetwork, stage: int) -> Start:
        if stage == 0:
            return from_noise(images.shape[1], config.sizes[0])
        coarse.append(frozen(network))
        return from_coarse(tuple(coarse), config)

    trained = train_stages(images, starts, config, seed, checkpoint)
    return Cascade((*coarse, trained.network), trained.stages)


def from_coarse(networks: Sequence[EnergyNetwork], config: CFEBMConfig) -> Start:
    """Starts for the next finer chain: the coarse chains one after another, whatever b is."""
    still = [frozen(network, config.precision) for network in networks]

    def start(n: int, b: float, generator: Generator) -> Tensor:
        x = uniform(n, still[0].channels, still[0].size, generator)
        for stage, network in enumerate(still):
            x = short_run(network, x, config.run(stage), generator=generator, check=False).x
            x = interpolate(x, scale_factor=2, mode="nearest")
            noise = torch.empty_like(x).normal_(generator=generator)
            x = x + config.variance**0.5 * noise
        return x

    return start


def sample_cascade(
    networks: Sequence[EnergyNetwork], n: int, config: CFEBMConfig, seed: int = 0
) -> Tensor:
    """n images (n, C, S, S) by the chains of all networks, coarse to fine.

    Args:
        networks: of `train_cascade`, one per size of `config`.
        n: number of images.
        config: of their training; a chain's length at a scale is `config.steps` there.
        seed: of starts and noise.

    Raises:
        ValueError: n below 1, or networks that are not those of the sizes of `config`.
        DivergenceError: a chain left the finite numbers.
    """
    if n < 1:
        raise ValueError(f"n is {n}; ask for at least one image")
    sizes = tuple(network.size for network in networks)
    if sizes != config.sizes:
        raise ValueError(
            f"networks are of sizes {sizes} and the configuration has {config.sizes}; give one "
            "network per size, coarse to fine"
        )
    last = networks[-1]
    generator = Generator(last.head.bias.device).manual_seed(seed)
    if len(networks) == 1:
        start = from_noise(last.channels, last.size)
    else:
        start = from_coarse(networks[:-1], config)
    x = start(n, 1.0, generator)
    return short_run(frozen(last, config.precision), x, config.run(), generator=generator).x
