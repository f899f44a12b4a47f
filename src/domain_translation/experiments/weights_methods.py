"""The translators that are compared on domains out of balance, each trained by one call.

A method trains on a pair of domains with a configuration and a seed. On digits every method gets
the same images and about the same processor time; a MUNIT or CycleGAN takes three times the
generator steps of a JD-BW, which has five discriminator steps to each of its own (jdbw.train.32).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from domain_translation.batch_weight.weighting import Equal
from domain_translation.cyclegan import weighted as cyclegan
from domain_translation.data.sr_digits import Pair
from domain_translation.evaluation.class_preservation import Translate, grid
from domain_translation.experiments.kept import kept
from domain_translation.jd_bw import images, training
from domain_translation.jd_bw.config import FULL_DIGITS, QUICK_DIGITS, ImageConfig
from domain_translation.jd_bw.generators import StochasticGenerator
from domain_translation.munit import config as munit_config
from domain_translation.munit import training as munit
from domain_translation.munit import translation
from domain_translation.munit import weighted_training as munit_weighted
from domain_translation.munit.config import MUNITConfig, WeightedConfig

CLASSES = 10
EVERY = 10  # generator steps between recorded class masses


class Outcome(NamedTuple):
    """A trained translator, both ways, and the record of its weights."""

    forward: Translate
    backward: Translate
    totals: Tensor  # (steps, 2, K); no steps without a record
    shares: Tensor  # (steps, 2)
    parameters: int  # of all that was trained


Train = Callable[[Pair, Any, int], Outcome]


class Method(NamedTuple):
    """How a translator is trained, and its configuration."""

    train: Train
    config: Any


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


def cycle(
    weigh: Callable[[cyclegan.WeightedConfig, int], nn.Module],
    pair: Pair,
    config: cyclegan.WeightedConfig,
    seed: int,
) -> Outcome:
    """CycleGAN with the weights that `weigh` builds; its translations know no noise."""
    weighting = weigh(config, seed)
    found = cyclegan.train_weighted(
        pair.x.x, pair.y.x, weighting, config, seed, classes=(pair.x.y, pair.y.y)
    )
    forward, backward, *_ = found.networks
    return Outcome(
        lambda x, seed: _plain(forward, x),
        lambda y, seed: _plain(backward, y),
        found.totals,
        found.shares,
        size(*found.networks, weighting),
    )


def equal(config: cyclegan.WeightedConfig, seed: int) -> Equal:
    """No weights, for a CycleGAN as it is."""
    return Equal()


@torch.no_grad()
def _plain(generator: nn.Module, x: Tensor) -> Tensor:
    out: Tensor = generator(x)
    return out


def translations(found: Outcome, test: Pair, sources: int, noises: int) -> dict[str, Tensor]:
    """All that is judged: test images there, back again, and the first with fixed noises."""
    gx, fy = found.forward(test.x.x, 0), found.backward(test.y.x, 0)
    return {
        "gx": gx,
        "fy": fy,
        "fgx": found.backward(gx, 1),
        "gfy": found.forward(fy, 1),
        "grid x": grid(found.forward, test.x.x[:sources], noises),
        "grid y": grid(found.backward, test.y.x[:sources], noises),
    }


def finished(
    path: Path,
    identity: Mapping[str, Any],
    train: Callable[[], Outcome],
    test: Pair,
    sources: int,
    noises: int,
) -> dict[str, Tensor]:
    """One training and all that is judged of it, from `path` if it is there.

    Args:
        path: of the kept run; its folder must exist.
        identity: what the run depends on, in types that JSON knows.
        train: the training; it is not called for a run that is kept.
        test: images that no training sees.
        sources, noises: of the grids of translations with fixed noises.

    Raises:
        CheckpointError: the disk refuses; also whatever `train` raises.
    """

    def compute() -> dict[str, Tensor]:
        begun = time.process_time()
        found = train()
        spent = time.process_time() - begun
        return translations(found, test, sources, noises) | {
            "totals": found.totals[::EVERY].float(),
            "shares": found.shares[::EVERY].float(),
            "seconds": torch.tensor(spent),
            "parameters": torch.tensor(found.parameters),
        }

    return kept(path, json.loads(json.dumps(identity)), compute)


def file_name(*parts: object) -> str:
    """Name of the file of a run."""
    return "-".join(map(str, parts)).replace(" ", "-").replace("+", "and") + ".safetensors"


METHODS: Mapping[str, Method] = {
    "JD-BW": Method(partial(joint, "composite"), QUICK_DIGITS),
    "joint discriminator": Method(partial(joint, "none"), QUICK_DIGITS),
    "MUNIT": Method(munit_alone, munit_config.QUICK),
    "MUNIT + weights": Method(munit_with_weights, munit_config.QUICK_WEIGHTED),
    "CycleGAN": Method(partial(cycle, equal), cyclegan.QUICK),
    "CycleGAN + weights": Method(partial(cycle, cyclegan.composite), cyclegan.QUICK),
    "CycleGAN, no identity": Method(
        partial(cycle, equal), replace(cyclegan.QUICK, lambda_identity=0.0)
    ),
    "one argument": Method(partial(joint, "one argument"), QUICK_DIGITS),
    "two arguments": Method(partial(joint, "two arguments"), QUICK_DIGITS),
    "no skip": Method(partial(joint, "composite"), replace(QUICK_DIGITS, skip=False)),
}

# The paper's arms (4.2) at the size of the paper.
FULL: Mapping[str, Method] = {
    "JD-BW": Method(partial(joint, "composite"), FULL_DIGITS),
    "MUNIT + weights": Method(munit_with_weights, munit_config.FULL_WEIGHTED),
    "joint discriminator": Method(partial(joint, "none"), FULL_DIGITS),
    "MUNIT": Method(munit_alone, munit_config.FULL),
}


def settings(name: str) -> dict[str, Any]:
    """The configuration that a method is trained with on digits."""
    return asdict(METHODS[name].config)
