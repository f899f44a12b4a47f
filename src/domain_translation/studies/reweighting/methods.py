"""The translators that are compared on domains out of balance, each trained by one call.

On every pair of domains all methods get the same images and about the same processor time; a MUNIT
or CycleGAN takes two or three times the generator steps of a JD-BW, which has five discriminator
steps to each of its own (jdbw.train.32).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from domain_translation.evaluation.statistics.class_preservation import Translate, grid
from domain_translation.reweighting import images, joint
from domain_translation.reweighting.config import ImageConfig
from domain_translation.reweighting.domains.sr_digits import Pair
from domain_translation.reweighting.generators import StochasticGenerator
from domain_translation.reweighting.record import Record
from domain_translation.reweighting.weight_nets import Centred, composite
from domain_translation.reweighting.weighting import Composite
from domain_translation.training.trained import Trained
from domain_translation.translators import cyclegan
from domain_translation.translators.cyclegan import WeightedConfig as CycleGANConfig
from domain_translation.translators.munit import training as munit
from domain_translation.translators.munit import translation
from domain_translation.translators.munit.config import MUNITConfig, WeightedConfig


class Outcome(NamedTuple):
    """A trained translator, both ways, and the record of its weights."""

    forward: Translate
    backward: Translate
    totals: Tensor  # (steps, 2, K); no steps without a record
    shares: Tensor  # (steps, 2)
    parameters: int  # of all that was trained


# Training images, configuration, seed, and the file that a stopped training goes on from.
Train = Callable[[Pair, Any, int, Path | None], Outcome]


def jd_bw(
    weighting: str, pair: Pair, config: ImageConfig, seed: int, checkpoint: Path | None = None
) -> Outcome:
    """JD-BW with one of `images.WEIGHTINGS`; "none" leaves the joint discriminator alone."""
    channels = (pair.x.x.shape[1], pair.y.x.shape[1])
    networks = images.networks(config, channels, weighting, seed)
    classes = (pair.x.y, pair.y.y)
    found = joint.train(
        pair.x.x, pair.y.x, networks, config, seed, classes=classes, checkpoint=checkpoint
    )
    forward, backward, *_ = found.networks
    assert isinstance(forward, StochasticGenerator)
    assert isinstance(backward, StochasticGenerator)
    ways = translate_by(forward), translate_by(backward)
    return Outcome(*ways, found.record.totals, found.record.shares, size(*networks))


def translate_by(generator: StochasticGenerator) -> Translate:
    """Images (n, C, S, S) and a seed to translations with fresh noise for each image."""
    return lambda x, seed: images.translate(generator, x, generator.noise, seed)


def munit_alone(
    pair: Pair, config: MUNITConfig, seed: int, checkpoint: Path | None = None
) -> Outcome:
    """MUNIT without weights; its record is empty."""
    found = munit.train(pair.x.x, pair.y.x, config, seed, checkpoint=checkpoint)
    classes = 1 + int(torch.cat([pair.x.y, pair.y.y]).max())
    return _of_munit(found, torch.zeros(0, 2, classes), torch.zeros(0, 2))


def munit_with_weights(
    pair: Pair, config: WeightedConfig, seed: int, checkpoint: Path | None = None
) -> Outcome:
    """MUNIT with batch weights on its adversarial losses, whose logits are centred."""
    nets = composite(config, seed, (pair.x.x.shape[1], pair.y.x.shape[1]))
    found = munit.train(
        pair.x.x,
        pair.y.x,
        config,
        seed,
        weighting=Composite(Centred(nets.weight_x), Centred(nets.weight_y)),
        classes=(pair.x.y, pair.y.y),
        checkpoint=checkpoint,
    )
    return _of_munit(found, found.record.totals, found.record.shares)


def _of_munit(found: Trained[munit.Networks, Record], totals: Tensor, shares: Tensor) -> Outcome:
    a, b, *_ = found.networks
    return Outcome(
        lambda x, seed: translation.translate(a, b, x, seed),
        lambda y, seed: translation.translate(b, a, y, seed),
        totals,
        shares,
        size(*found.networks),
    )


def cycle(
    weighted: bool,
    pair: Pair,
    config: CycleGANConfig,
    seed: int,
    checkpoint: Path | None = None,
) -> Outcome:
    """CycleGAN with batch weights or without; its translations know no noise."""
    channels = (pair.x.x.shape[1], pair.y.x.shape[1])
    found = cyclegan.train_cyclegan(
        pair.x.x,
        pair.y.x,
        config,
        seed,
        checkpoint,
        weighting=composite(config, seed, channels) if weighted else None,
        classes=(pair.x.y, pair.y.y),
    )
    forward, backward, *_ = found.networks
    return Outcome(
        lambda x, seed: _plain(forward, x),
        lambda y, seed: _plain(backward, y),
        found.record.totals,
        found.record.shares,
        size(*found.networks),
    )


@torch.no_grad()
def _plain(generator: nn.Module, x: Tensor) -> Tensor:
    out: Tensor = generator(x)
    return out


def size(*networks: nn.Module) -> int:
    """Number of parameters."""
    return sum(p.numel() for network in networks for p in network.parameters())


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


TRAIN: Mapping[str, Train] = {
    "JD-BW": partial(jd_bw, "composite"),
    "joint discriminator": partial(jd_bw, "none"),
    "one argument": partial(jd_bw, "one argument"),
    "two arguments": partial(jd_bw, "two arguments"),
    "no skip": partial(jd_bw, "composite"),  # but for its configuration
    "MUNIT": munit_alone,
    "MUNIT + weights": munit_with_weights,
    "CycleGAN": partial(cycle, False),
    "CycleGAN + weights": partial(cycle, True),
    "CycleGAN, no identity": partial(cycle, False),  # but for its configuration
}
