"""One-sided unpaired translation by an energy of the target domain (CF-EBM section 3.3).

    y_{t+1} = y_t - alpha grad E_Y(y_t) + sqrt(eta_t) nu,   y_0 = x, an image of the source domain

(CF-EBM eq. 4, cfebm.eq4, with the constants of A.2.) The energy is trained by Algorithm 1 with
chains that start at source images instead of noise, and the trained chain is the translator: no
second direction, no cycle, no critic. The network is the only thing trained.

The paper does not say where chains start while a new block fades in. Here they start at source
images of the stage's size at every update of every stage; no sample of a coarser model is used.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import ShortRun, frozen, short_run
from domain_translation.energies.training import (
    Start,
    TrainedEnergy,
    at_size,
    checked,
    train_stages,
)
from domain_translation.sampling.inputs import floats
from domain_translation.sampling.langevin import Chain
from domain_translation.training.checkpoints import digest


def from_images(images: Tensor, size: int) -> Start:
    """Chains start at images (n, C, S, S), drawn with replacement and averaged down to `size`."""
    small = at_size(images, size)

    def start(n: int, b: float, generator: Generator) -> Tensor:
        rows = torch.randint(len(small), (n,), generator=generator, device=small.device)
        return small[rows]

    return start


def train_translator(
    source: Tensor,
    target: Tensor,
    config: CFEBMConfig,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> TrainedEnergy:
    """Train an energy of the target domain whose short chains translate source images.

    Args:
        source: images (n, C, S, S) in [-1, 1]; no pairs, n and m may differ.
        target: images (m, C, S, S) in [-1, 1] on the same device.
        config: schedules; S is the last of `config.sizes`. PAPER_TRANSLATION is A.9.2
            (cfebm.train.translation).
        seed, checkpoint: as in `training.train`; source images of another run have another
            folder below `checkpoint`.

    Raises:
        ValueError: images that are none, or domains of different channels.
        DivergedError, CheckpointError, TrainingError: see `training.train`.
    """
    source = checked(source, config)
    target = floats(checked(target, config), "target", like=source)
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"source images have {source.shape[1]} channels and target images {target.shape[1]}; "
            "the chain walks from one to the other, bring both to the same number"
        )

    def starts(network: EnergyNetwork, stage: int) -> Start:
        return from_images(source, config.sizes[stage])

    folder = None if checkpoint is None else Path(checkpoint) / digest(source)[:12]
    return train_stages(target, starts, config, seed, folder)


def translate(
    network: nn.Module,
    x: Tensor,
    run: ShortRun,
    *,
    seed: int = 0,
    thin: int | None = None,
    precision: str = "float32",
) -> Chain:
    """Translate source images by the chain of eq. 4 (cfebm.eq4).

    Args:
        network: an `EnergyNetwork` from `train_translator`.
        x: source images (B, C, S, S) in [-1, 1].
        run: the chain of its training. A longer one is allowed and goes on to lower energies,
            away from the source image.
        seed: of the noise.
        thin: keep every thin-th state, the evolution of cfebm.fig3.
        precision: of the network's arithmetic, "float32" or "bfloat16".

    Returns:
        a chain whose `x` are the translations (B, C, S, S), mostly within [-1, 1].

    Raises:
        ValueError: a network that is no energy, images of other size, channels or range.
        DivergenceError: a chain left the finite numbers.
    """
    x = floats(x, "x", "(B, C, S, S)").float()
    energy = frozen(translator(network, x), precision)
    return short_run(energy, x, run, seed=seed, thin=thin)


def translator(network: nn.Module, x: Tensor) -> EnergyNetwork:
    """`network`, if it is an energy that can translate the images `x`.

    Raises:
        ValueError: it cannot; one sentence says why.
    """
    if not isinstance(network, EnergyNetwork):
        raise ValueError(f"network is a {type(network).__name__}; give an EnergyNetwork")
    x = floats(x, "x", "(B, C, S, S)")
    if x.ndim != 4 or len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; give images (B, C, S, S)")
    if x.shape[1] != network.channels:
        raise ValueError(
            f"images have {x.shape[1]} channels and this translator takes {network.channels}; "
            "convert them"
        )
    if x.shape[-2:] != (network.size, network.size):
        raise ValueError(
            f"images are {x.shape[-2]}x{x.shape[-1]} pixels and this translator takes "
            f"{network.size}x{network.size}; resize them"
        )
    low, high = x.min().item(), x.max().item()
    if not -1 <= low <= high <= 1:  # also NaN
        raise ValueError(
            f"pixels lie in [{low:.3g}, {high:.3g}]; a translator takes finite images in [-1, 1]"
        )
    return network
