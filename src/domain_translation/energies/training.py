"""CF-EBM training, Algorithm 1 (cfebm.alg1), with the fading factor as it must be meant.

Stage by stage, from the coarsest resolution to the finest, an update lowers the energy of data
and raises that of samples (eq. 2, cfebm.eq2):

    loss = mean E(x) - mean E(x~),   x~ from a short chain that starts where `start` says

While a new block fades in, b = min(1, 2m / N) after m of a stage's N images, chains start from
samples of the coarse model, mixed with noise: sqrt(1 - b^2) upsample(x~_coarse) + b u (cfebm.eqU3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d, interpolate

from domain_translation import runtime
from domain_translation.energies.average import Average
from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.guard import Trace
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import ShortRun, frozen, short_run, uniform
from domain_translation.runtime import seeded
from domain_translation.sampling.scores import energy_score
from domain_translation.training import (
    Batch,
    Losses,
    Player,
    Schedule,
    Step,
    constant,
    fit,
    unpaired,
)
from domain_translation.training.trained import freeze, identity

# (chains, fading factor b, generator) -> where the chains start, (chains, C, S, S)
Start = Callable[[int, float, Generator], Tensor]


class TrainedEnergy(NamedTuple):
    """A trained energy, frozen, and what was seen on the way."""

    network: EnergyNetwork
    average: EnergyNetwork  # moving average of the weights over the last stage
    stages: tuple[Trace, ...]


@dataclass(frozen=True)
class Stage:
    """What one stage of `train_stages` works with."""

    number: int
    data: Tensor
    start: Start


def fading(seen: int, images: int) -> float:
    """b = min(1, 2m / N) after m of N images: the erratum to Algorithm 1's max(1, 2N / n)."""
    return min(1.0, 2.0 * seen / images)


def at_size(images: Tensor, size: int) -> Tensor:
    """Images (n, C, S, S) averaged down to (n, C, size, size); S is a multiple of `size`."""
    return images if images.shape[-1] == size else avg_pool2d(images, images.shape[-1] // size)


def from_noise(channels: int, size: int) -> Start:
    """Chains start at U(-1, 1)."""

    def start(n: int, b: float, generator: Generator) -> Tensor:
        return uniform(n, channels, size, generator)

    return start


def smooth_start(coarse: EnergyNetwork, run: ShortRun, precision: str = "float32") -> Start:
    """Explicit smooth sampling (section 3.2 ii b): help from the coarse model that fades with b.

    The coarse chain has T (1 - b) steps, rounded; at b = 1 the start is noise alone.
    """
    still = frozen(coarse, precision)

    def start(n: int, b: float, generator: Generator) -> Tensor:
        noise = uniform(n, still.channels, 2 * still.size, generator)
        steps = round(run.steps * (1 - b))
        if steps == 0:
            return noise
        x = uniform(n, still.channels, still.size, generator)
        shortened = ShortRun(steps, run.step_size, run.variance)
        x = short_run(still, x, shortened, generator=generator, check=False).x
        return math.sqrt(1 - b**2) * interpolate(x, scale_factor=2, mode="nearest") + b * noise

    return start


def train(
    data: Tensor, config: CFEBMConfig, seed: int = 0, checkpoint: Path | str | None = None
) -> TrainedEnergy:
    """Train an energy of `data` by Algorithm 1.

    The same arguments give the same weights, bit for bit on a CPU, resumed or not.

    Args:
        data: images (n, C, S, S) in [-1, 1] on the device to train on; S is the last of
            `config.sizes`.
        config: schedules; see `config`.
        seed: of the initial weights, the minibatches and the chains.
        checkpoint: folder of one file per stage, to resume from and to write to.

    Raises:
        ValueError: data that are no such images.
        DivergedError: training ran away; the message says how, and what to do.
        CheckpointError, TrainingError: see `training.fit`.
    """
    images = checked(data, config)

    def starts(network: EnergyNetwork, stage: int) -> Start:
        if stage == 0:
            return from_noise(images.shape[1], config.sizes[0])
        return smooth_start(network, config.run(stage - 1), config.precision)

    return train_stages(images, starts, config, seed, checkpoint)


def train_stages(
    data: Tensor,
    starts: Callable[[EnergyNetwork, int], Start],
    config: CFEBMConfig,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> TrainedEnergy:
    """Algorithm 1 with chains that start where `starts` says.

    Args:
        data, config, seed, checkpoint: as in `train`.
        starts: (network before it grows, stage) -> start of the stage's chains; called once per
            stage.
    """
    config = replace(config, precision=runtime.precision(config.precision, data.device))
    with seeded(seed):
        network = EnergyNetwork(
            config.sizes[0],
            config.c,
            data.shape[1],
            config.activation,
            config.residual_kernel,
            config.spectral,
        ).to(data.device)
    traces = []
    for number, size in enumerate(config.sizes):
        start = starts(network, number)
        if number:
            network.expand(seed + number)
        stage = Stage(number, at_size(data, size), start)
        average, trace = _train_stage(network, stage, config, seed, checkpoint)
        network.settle()
        traces.append(trace)
    return TrainedEnergy(freeze(network), average.filled(network), tuple(traces))


def _train_stage(
    network: EnergyNetwork,
    stage: Stage,
    config: CFEBMConfig,
    seed: int,
    checkpoint: Path | str | None,
) -> tuple[Average, Trace]:
    """One stage; `network` is trained in place."""
    size, updates = stage.data.shape[-1], config.updates(stage.number)
    average, trace = Average(network, config.average), Trace(updates, stage.data.device)
    energy = Player(network, config.learning_rates[stage.number], (config.momentum, 0.999))
    folder = Path(checkpoint) if checkpoint is not None else None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    last = stage.number + 1 == len(config.sizes)
    fit(
        algorithm1(network, stage, config, average, trace, energy),
        {"energy": energy},
        unpaired(config.batch, stage.data),
        updates,
        state={"average": average, "trace": trace},
        watch=trace.check,
        seed=seed + stage.number,
        schedule=_slowing(updates, config.final) if last else constant,
        checkpoint=folder and folder / f"{size}.safetensors",
        card=identity(config, stage.data, stage=size),
        label=f"energy at {size} pixels",
    )
    average.update(network)
    return average, trace


def algorithm1(
    network: EnergyNetwork,
    stage: Stage,
    config: CFEBMConfig,
    average: Average,
    trace: Trace,
    energy: Player,
) -> Step:
    """One update of CF-EBM's Algorithm 1 (cfebm.alg1) at the resolution of a stage."""
    run = config.run(stage.number)

    def step(batch: Batch, generator: Generator) -> Losses:
        (x,) = batch
        average.update(network)

        # The new block fades in while the help of the coarse model fades out.
        seen = len(trace) * config.batch
        network.fade = fading(seen, config.images[stage.number]) if stage.number else 1.0
        begin = stage.start(len(x), network.fade, generator)

        # Samples by eq. 3 with the present energy; no gradient flows through the chain, and `trace`
        # sees those that ran away.
        still = frozen(network, config.precision)
        samples = short_run(still, begin, run, generator=generator, check=False).x

        # Lower the energy of data, raise that of samples (eq. 2), keep both from running away.
        if config.data_noise:
            x = x + torch.empty_like(x).normal_(0.0, config.data_noise, generator=generator)
        low, high = network(torch.cat([x, samples])).chunk(2)
        size = low.square().mean() + high.square().mean()
        loss = energy.descend(low.mean() - high.mean() + config.penalty * size)
        trace.add(low.detach(), high.detach(), samples, energy_score(still)(samples), network.fade)
        return {"energy": loss}

    return step


def _slowing(updates: int, final: float) -> Schedule:
    """Learning-rate factor 1 for the first half, then linearly down to `final`."""
    return lambda step: 1 - (1 - final) * max(0.0, 2 * step / updates - 1)


def checked(data: Tensor, config: CFEBMConfig) -> Tensor:
    """`data` if they are images that `config` can be trained on; ValueError with one sentence."""
    if not isinstance(data, Tensor):
        raise ValueError(
            f"data is a {type(data).__name__}; an energy is trained on images alone, without "
            "labels: pass the tensor of images (n, C, S, S)"
        )
    size = config.sizes[-1]
    if data.ndim != 4 or data.shape[-2:] != (size, size) or len(data) == 0:
        raise ValueError(
            f"data have shape {tuple(data.shape)}; the last stage takes images "
            f"(n, C, {size}, {size})"
        )
    if not data.is_floating_point() or not bool(data.isfinite().all()):
        raise ValueError(f"data are {data.dtype} or hold NaN; give finite floating-point images")
    low, high = data.min().item(), data.max().item()
    if low < -1 or high > 1:
        raise ValueError(
            f"pixels lie in [{low:.3g}, {high:.3g}]; chains start in [-1, 1], bring them there"
        )
    return data.float()  # what the networks and chains compute in
