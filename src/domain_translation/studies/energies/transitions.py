"""How a new scale may come in: gently or at once, for the energy and for its chains (CF-EBM 3.2).

Each function makes or changes the `starts` that `training.train_stages` asks for. Smooth sampling
is eq. (cfebm.eqU3); without it chains start at noise from the first update of a stage on. Smooth
learning is eq. (cfebm.eqU1); `abrupt_learning` drops the detour at once.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from torch import Generator, Tensor, nn

from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import frozen, short_run
from domain_translation.energies.training import Start, from_noise, smooth_start
from domain_translation.runtime import seeded

# (network before it grows, stage) -> start of the stage's chains
Starts = Callable[[EnergyNetwork, int], Start]

MARK_SEED = 10_000  # of the samples taken at a mark: the same noise at every mark


WAYS = ("smooth", "abrupt learning", "abrupt sampling", "abrupt both", "random Fade")


class Mark(NamedTuple):
    """What a training could do after some of its updates."""

    update: int  # of all stages together
    fade: float  # b
    seconds: float  # of processor time so far, without those for marks
    samples: Tensor  # by chains as training ran them then, (n, C, S, S)


def starts_of(way: str, config: CFEBMConfig, channels: int, seed: int = 0) -> Starts:
    """The starts of one of `WAYS`; `seed` is that of a random Fade.

    Raises:
        ValueError: another way.
    """
    smooth, noise = smooth_sampling(config, channels), abrupt_sampling(config, channels)
    ways = (
        smooth,
        abrupt_learning(smooth),
        noise,
        abrupt_learning(noise),
        random_fade(smooth, seed),
    )
    if way not in WAYS:
        raise ValueError(f"way is {way!r}; choose from {', '.join(WAYS)}")
    return dict(zip(WAYS, ways, strict=True))[way]


def borrow(source: Path, folder: Path, size: int = 8) -> None:
    """Copy a trained coarse stage from one checkpoint folder to another that has none.

    The coarse stage of one seed is the same whatever follows, so it is trained once.
    """
    stage = source / f"{size}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    if stage.exists() and not (folder / stage.name).exists():
        shutil.copyfile(stage, folder / stage.name)


def smooth_sampling(config: CFEBMConfig, channels: int) -> Starts:
    """Help from the coarse model that fades out, as in Algorithm 1."""

    def starts(network: EnergyNetwork, stage: int) -> Start:
        if stage == 0:
            return from_noise(channels, config.sizes[0])
        return smooth_start(network, config.run(stage - 1), config.precision)

    return starts


def abrupt_sampling(config: CFEBMConfig, channels: int) -> Starts:
    """Noise alone at every stage."""
    return lambda network, stage: from_noise(channels, config.sizes[stage])


def abrupt_learning(starts: Starts) -> Starts:
    """The same starts, but the new Primal takes over at once: b = 1 in the energy."""

    def abrupt(network: EnergyNetwork, stage: int) -> Start:
        inner = starts(network, stage)

        def start(n: int, b: float, generator: Generator) -> Tensor:
            network.fade = 1.0  # the chain and the loss come after the start
            return inner(n, b, generator)

        return start

    return abrupt


def random_fade(starts: Starts, seed: int) -> Starts:
    """The same starts, but Fade is drawn at random instead of matched to the coarse energy."""

    def with_random(network: EnergyNetwork, stage: int) -> Start:
        inner = starts(network, stage)
        drawn = False

        def start(n: int, b: float, generator: Generator) -> Tensor:
            nonlocal drawn
            if not drawn and network.fading is not None:
                draw_fade(network, seed)
                drawn = True
            return inner(n, b, generator)

        return start

    return with_random


def draw_fade(network: EnergyNetwork, seed: int) -> None:
    """Replace the weights of Fade by random ones of the usual size (He et al. 2015).

    Raises:
        ValueError: the network is not fading.
    """
    if network.fading is None:
        raise ValueError("the network has no Fade; call expand() first")
    with seeded(seed):
        weight = nn.init.kaiming_normal_(network.fading.convolution.weight.detach().clone())
    network.fading.convolution.weight.data.copy_(weight)
    assert network.fading.convolution.bias is not None
    network.fading.convolution.bias.data.zero_()


def watched(starts: Starts, config: CFEBMConfig, n: int, every: int, marks: list[Mark]) -> Starts:
    """The same starts, and a mark before every so many updates of the last stage.

    Args:
        starts: of the training.
        config: of the training.
        n: samples of a mark.
        every: updates between marks.
        marks: list that they are added to.
    """
    last = len(config.sizes) - 1
    begun = time.process_time()
    spent = 0.0
    before = sum(config.updates(stage) for stage in range(last))

    def watching(network: EnergyNetwork, stage: int) -> Start:
        inner = starts(network, stage)
        if stage < last:
            return inner
        update = 0

        def start(count: int, b: float, generator: Generator) -> Tensor:
            nonlocal spent, update
            begin = inner(count, b, generator)
            if update % every == 0:
                now = time.process_time()
                own = Generator(generator.device).manual_seed(MARK_SEED)
                x = short_run(
                    frozen(network, config.precision),
                    inner(n, b, own),
                    config.run(),
                    generator=own,
                ).x
                marks.append(Mark(before + update, network.fade, now - begun - spent, x))
                spent += time.process_time() - now
            update += 1
            return begin

        return start

    return watching
