"""The translators that are compared on the scenes out of balance, each trained by one call.

They are those of `weights_methods` but for domains of any two numbers of channels and settings
that come with the scene.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation.class_preservation import Translate
from domain_translation.experiments.weights_methods import Outcome
from domain_translation.experiments.weights_scene_settings import Settings
from domain_translation.jd_bw import images, training
from domain_translation.jd_bw.config import ImageConfig
from domain_translation.jd_bw.generators import StochasticGenerator
from domain_translation.munit import training as munit
from domain_translation.munit import translation
from domain_translation.munit import weighted_training as munit_weighted
from domain_translation.munit.config import MUNITConfig, WeightedConfig


def joint(weighting: str, pair: Pair, config: ImageConfig, seed: int) -> Outcome:
    """JD-BW with one of `images.WEIGHTINGS`; "none" leaves the joint discriminator alone."""
    channels = (pair.x.x.shape[1], pair.y.x.shape[1])
    networks = images.networks(config, channels, weighting, seed)
    found = training.train(pair.x.x, pair.y.x, networks, config, seed, classes=(pair.x.y, pair.y.y))
    forward, backward, *_ = found.networks
    assert isinstance(forward, StochasticGenerator)
    assert isinstance(backward, StochasticGenerator)
    ways = translate_by(forward), translate_by(backward)
    return Outcome(*ways, found.totals, found.shares, size(*networks))


def translate_by(generator: StochasticGenerator) -> Translate:
    """Images (n, C, S, S) and a seed to translations with fresh noise for each image."""
    return lambda x, seed: images.translate(generator, x, generator.noise, seed)


def munit_alone(pair: Pair, config: MUNITConfig, seed: int) -> Outcome:
    """MUNIT without weights; its record is empty."""
    found = munit.train(pair.x.x, pair.y.x, config, seed)
    classes = 1 + int(torch.cat([pair.x.y, pair.y.y]).max())
    return _of_munit(found.networks, torch.zeros(0, 2, classes), torch.zeros(0, 2), 0)


def munit_with_weights(pair: Pair, config: WeightedConfig, seed: int) -> Outcome:
    """MUNIT with batch weights on its adversarial losses."""
    found = munit_weighted.train_weighted(
        pair.x.x, pair.y.x, config, seed, classes=(pair.x.y, pair.y.y)
    )
    return _of_munit(found.networks, found.totals, found.shares, size(found.weighting))


def _of_munit(networks: munit.Networks, totals: Tensor, shares: Tensor, more: int) -> Outcome:
    a, b, *_ = networks
    return Outcome(
        lambda x, seed: translation.translate(a, b, x, seed),
        lambda y, seed: translation.translate(b, a, y, seed),
        totals,
        shares,
        size(*networks) + more,
    )


def size(*networks: nn.Module) -> int:
    """Number of parameters."""
    return sum(p.numel() for network in networks for p in network.parameters())


class Method(NamedTuple):
    """How a translator is trained, and which of a scene's settings it is trained with."""

    train: Callable[[Pair, Any, int], Outcome]
    config: Callable[[Settings], Any]


METHODS: Mapping[str, Method] = {
    "JD-BW": Method(partial(joint, "composite"), attrgetter("joint")),
    "joint discriminator": Method(partial(joint, "none"), attrgetter("joint")),
    "MUNIT": Method(munit_alone, attrgetter("munit")),
    "MUNIT + weights": Method(munit_with_weights, attrgetter("weighted")),
}


def train(name: str, pair: Pair, settings: Settings, seed: int) -> Outcome:
    """One of `METHODS`, trained on a pair of domains.

    Raises:
        KeyError: another name.
        ValueError, TrainingError: as the training.
    """
    method = METHODS[name]
    return method.train(pair, method.config(settings), seed)


def configuration(name: str, settings: Settings) -> dict[str, Any]:
    """What a method is trained with, for a card."""
    return asdict(METHODS[name].config(settings))
