"""The translators that are compared on digits out of balance, each trained by one call.

Every method gets the same images and about the same processor time; a MUNIT or CycleGAN takes
three times the generator steps of a JD-BW, which has five discriminator steps to each of its own
(jdbw.train.32).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from domain_translation.batch_weight.weighting import Equal
from domain_translation.cyclegan import weighted as cyclegan
from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation.class_preservation import Translate
from domain_translation.jd_bw import images, training
from domain_translation.jd_bw.config import QUICK_DIGITS, ImageConfig
from domain_translation.munit import config as munit_config
from domain_translation.munit import training as munit
from domain_translation.munit import translation as munit_translation
from domain_translation.munit import weighted_training as munit_weighted

CLASSES = 10


class Outcome(NamedTuple):
    """A trained translator, both ways, and the record of its weights."""

    forward: Translate
    backward: Translate
    totals: Tensor  # (steps, 2, 10); no steps without a record
    shares: Tensor  # (steps, 2)
    parameters: int  # of all that was trained


Method = Callable[[Pair, int], Outcome]


def _size(*networks: nn.Module) -> int:
    return sum(p.numel() for network in networks for p in network.parameters())


def joint(weighting: str, config: ImageConfig = QUICK_DIGITS) -> Method:
    """JD-BW with one of its weightings, or with none."""

    def method(pair: Pair, seed: int) -> Outcome:
        networks = images.networks(config, (1, 1), weighting, seed)
        found = training.train(
            pair.x.x, pair.y.x, networks, config, seed, classes=(pair.x.y, pair.y.y)
        )
        forward, backward, *_ = found.networks
        return Outcome(
            lambda x, s: images.translate(forward, x, config.noise, s),
            lambda y, s: images.translate(backward, y, config.noise, s),
            found.totals,
            found.shares,
            _size(*networks),
        )

    return method


def munit_alone(pair: Pair, seed: int) -> Outcome:
    """MUNIT without weights."""
    found = munit.train(pair.x.x, pair.y.x, munit_config.QUICK, seed)
    return _of_munit(found.networks, torch.zeros(0, 2, CLASSES), torch.zeros(0, 2), 0)


def munit_with_weights(pair: Pair, seed: int) -> Outcome:
    """MUNIT with batch weights on its adversarial losses."""
    found = munit_weighted.train_weighted(
        pair.x.x, pair.y.x, munit_config.QUICK_WEIGHTED, seed, classes=(pair.x.y, pair.y.y)
    )
    return _of_munit(found.networks, found.totals, found.shares, _size(found.weighting))


def _of_munit(networks: munit.Networks, totals: Tensor, shares: Tensor, more: int) -> Outcome:
    a, b, *_ = networks
    return Outcome(
        lambda x, s: munit_translation.translate(a, b, x, s),
        lambda y, s: munit_translation.translate(b, a, y, s),
        totals,
        shares,
        _size(*networks) + more,
    )


def cycle(weighted: bool, identity: float = cyclegan.QUICK.lambda_identity) -> Method:
    """CycleGAN, with or without batch weights; its translations know no noise."""

    def method(pair: Pair, seed: int) -> Outcome:
        config = replace(cyclegan.QUICK, lambda_identity=identity)
        weighting = cyclegan.composite(config, seed) if weighted else Equal()
        found = cyclegan.train_weighted(
            pair.x.x, pair.y.x, weighting, config, seed, classes=(pair.x.y, pair.y.y)
        )
        forward, backward, *_ = found.networks
        return Outcome(
            lambda x, s: _plain(forward, x),
            lambda y, s: _plain(backward, y),
            found.totals,
            found.shares,
            _size(*found.networks, weighting),
        )

    return method


@torch.no_grad()
def _plain(generator: nn.Module, x: Tensor) -> Tensor:
    out: Tensor = generator(x)
    return out


METHODS: Mapping[str, Method] = {
    "JD-BW": joint("composite"),
    "joint discriminator": joint("none"),
    "MUNIT": munit_alone,
    "MUNIT + weights": munit_with_weights,
    "CycleGAN": cycle(weighted=False),
    "CycleGAN + weights": cycle(weighted=True),
    "CycleGAN, no identity": cycle(weighted=False, identity=0.0),
    "one argument": joint("one argument"),
    "two arguments": joint("two arguments"),
    "no skip": joint("composite", replace(QUICK_DIGITS, skip=False)),
}


def settings(name: str) -> dict[str, Any]:
    """The configuration that a method is trained with."""
    config: Any = QUICK_DIGITS
    if name == "no skip":
        config = replace(QUICK_DIGITS, skip=False)
    elif name.startswith("MUNIT"):
        config = munit_config.QUICK_WEIGHTED if "weights" in name else munit_config.QUICK
    elif name.startswith("CycleGAN"):
        config = cyclegan.QUICK
        if "no identity" in name:
            config = replace(config, lambda_identity=0.0)
    return asdict(config)
