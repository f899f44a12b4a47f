"""The trainings of a translator between two folders: CycleGAN, or JD-BW with batch weights.

The networks, steps and settings are those of `translators.cyclegan` and `reweighting`; here they
meet in what `training.fit` needs, so that previews can be drawn while it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from domain_translation.cooling.errors import RequestError
from domain_translation.cooling.pictures.noiseless import Noiseless
from domain_translation.data.augment import crop_and_flip
from domain_translation.reweighting import images as jdbw
from domain_translation.reweighting import joint
from domain_translation.reweighting.config import QUICK_WARES, ImageConfig
from domain_translation.reweighting.record import Record
from domain_translation.training import Batches, Player, Step, constant, linear_decay
from domain_translation.training.loop import Schedule, Stateful
from domain_translation.training.model_files import Storable
from domain_translation.translators import games
from domain_translation.translators.cyclegan import FULL, QUICK, CycleGANConfig
from domain_translation.translators.cyclegan.images import build, cyclegan_step
from domain_translation.translators.cyclegan.pool import ImagePool

SMALLEST, LARGEST = 64, 256  # sides of the pictures
Config = CycleGANConfig | ImageConfig
# Pictures in colour on a processor in minutes. The stride of the second convolution makes a step
# four times cheaper than the wares' 1x1; batch and width are smaller because sides are larger.
WEIGHTED = replace(QUICK_WARES, kernel=4, steps=3000, batch=8, critic_steps=2, width=16)


class Game(NamedTuple):
    """What `fit` needs of a training between two domains, and its translators.

    Attributes:
        translators: A to B and B to A, batches of pictures to the like.
        stored: the networks of both, as model files hold them.
    """

    step: Step
    players: Mapping[str, Player]
    batches: Batches
    state: Mapping[str, Stateful]
    schedule: Schedule
    translators: tuple[nn.Module, nn.Module]
    stored: tuple[Storable, Storable]


def configure(size: int, batch_weights: bool, **given: float | None) -> Config:
    """The settings of a training; those in `given` that are None are the preset's.

    Args:
        size: side of the pictures, 64 to 256; a multiple of 4, with batch weights a power of 2.
        batch_weights: JD-BW instead of CycleGAN.
        given: steps, batch, width, learning_rate, mirrored.

    Raises:
        RequestError: a setting out of range.
    """
    wanted = {name: value for name, value in given.items() if value is not None}
    fits = size % 4 == 0 if not batch_weights else size & (size - 1) == 0
    if not SMALLEST <= size <= LARGEST or not fits:
        sizes = "64, 128 or 256" if batch_weights else "a multiple of 4 from 64 to 256"
        raise RequestError(f"size is {size}; give {sizes}")
    for name, least, most in (
        ("steps", 1, 10**9),
        ("batch", 1 + batch_weights, 1024),
        ("width", 1, 1024),
    ):
        if not least <= wanted.get(name, least) <= most:
            why = " (with weights, one picture would count as all)" if least == 2 else ""
            raise RequestError(f"{name} is {wanted[name]}; give {least} to {most}{why}")
    rate = wanted.pop("learning_rate", None)
    if rate is not None and not 0 < rate < 1:
        raise RequestError(f"learning_rate is {rate:g}; give a number between 0 and 1")
    if not batch_weights:
        preset = QUICK if size < FULL.size else FULL
        rates = {} if rate is None else {"learning_rate": rate}
        return replace(preset, size=size, **wanted, **rates)  # type: ignore[arg-type]
    wanted.pop("mirrored", None)  # of the data: the settings of JD-BW do not know it
    names = ("lr_generator", "lr_critic", "lr_weights")
    rates = {} if rate is None else dict.fromkeys(names, rate)
    return replace(WEIGHTED, size=size, **wanted, **rates)  # type: ignore[arg-type]


def game(a: Tensor, b: Tensor, config: Config, seed: int, mirrored: bool) -> Game:
    """Untrained networks for pictures of two domains (n, 3, S, S), and how they are trained."""
    make = _jdbw if isinstance(config, ImageConfig) else _cyclegan
    return make(a, b, config, seed, mirrored)  # type: ignore[arg-type]


def _cyclegan(a: Tensor, b: Tensor, config: CycleGANConfig, seed: int, mirrored: bool) -> Game:
    networks = build(config, seed)
    for network in networks:
        network.to(a.device)
    record = Record(config.steps, 0.0, 0.0, device=a.device)
    pools = [ImagePool(config.pool, (3, config.size, config.size), a.device) for _ in "ab"]
    team = games.players(networks, config.learning_rate, 0.0, config.momentum)
    return Game(
        cyclegan_step(networks, config, record, pools, team),
        team,
        games.minibatches(
            a, b, config.batch, lambda x, g: crop_and_flip(x, config.size, g, mirrored)
        ),
        {"record": record, "source pool": pools[0], "target pool": pools[1]},
        linear_decay(config.steps) if config.decay else constant,
        (networks.forward, networks.backward),
        (networks.forward, networks.backward),  # type: ignore[arg-type]
    )


def _jdbw(a: Tensor, b: Tensor, config: ImageConfig, seed: int, mirrored: bool) -> Game:
    networks = jdbw.networks(config, (3, 3), seed=seed)
    for network in networks:
        network.to(a.device)
    if mirrored:  # Algorithm 1 draws rows: a mirror image is one more
        a, b = (torch.cat([x, x.flip(-1)]) for x in (a, b))
    record = Record(config.steps, config.clip_first, config.clip_last, device=a.device)
    team = joint.players(networks, config)
    forward, backward = networks.forward, networks.backward
    return Game(
        joint.algorithm1(a, b, networks, config, record, team),
        team,
        joint.minibatches(len(a), len(b), config),
        {"record": record},
        constant,
        (Noiseless(forward), Noiseless(backward)),  # type: ignore[arg-type]
        (forward, backward),  # type: ignore[arg-type]
    )
