"""Every trainer on another device: the bits of the CPU, and no wait or upload inside a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from elsewhere import Run, To, assert_stays_there
from torch import Generator, Tensor, nn

from domain_translation import denoising
from domain_translation.denoising.conditional import ConditionalDenoiser, train_conditional
from domain_translation.energies import cascade, toy
from domain_translation.energies import training as energies
from domain_translation.energies import translation as energy_translation
from domain_translation.energies.config import CFEBMConfig
from domain_translation.evaluation.judges import image_judges, sample_judges
from domain_translation.reweighting import images, joint, one_sided
from domain_translation.reweighting import toy as clusters
from domain_translation.reweighting.config import QUICK_DIGITS
from domain_translation.reweighting.record import Record
from domain_translation.reweighting.weight_nets import composite
from domain_translation.translators import cyclegan, munit
from domain_translation.translators.munit import config as munit_config
from domain_translation.translators.pix2pix.training import QUICK as PIX2PIX
from domain_translation.translators.pix2pix.training import train_pix2pix
from domain_translation.translators.regression import train_on_pairs

G = Generator().manual_seed(5)


def pictures(n: int, channels: int = 1, size: int = 16) -> Tensor:
    return torch.rand(n, channels, size, size, generator=G) * 2 - 1


X, Y, PHOTOS, MAPS = pictures(12), pictures(10), pictures(6, 3, 20), pictures(6, 3, 20)
POINTS, OTHERS = torch.randn(40, 2, generator=G), torch.randn(30, 2, generator=G)
CLASSES = torch.arange(12) % 3, torch.arange(10) % 3
OF_POINTS = torch.arange(40) % 3
SCENES = pictures(4, 3, 16), pictures(4, 3, 16)

JD_BW = replace(QUICK_DIGITS, batch=4, critic_steps=2, width=4, critic_width=4, weight_width=4)
CLUSTERS = clusters.ToyConfig(batch=8, critic_steps=2, width=8)
MUNIT = replace(munit_config.QUICK, batch=4, width=4, hidden=8, critic_width=4)
MUNIT_WEIGHTED = replace(
    munit_config.QUICK_WEIGHTED, batch=4, width=4, hidden=8, critic_width=4, weight_width=4
)
CYCLEGAN = replace(cyclegan.QUICK, width=2, blocks=1, critic_layers=1, size=16, pool=2)
WEIGHTED = replace(cyclegan.WEIGHTED, width=2, blocks=1, batch=4, weight_width=2)
ENERGY = CFEBMConfig(
    sizes=(8, 16),
    c=2,
    images=(8, 8),
    steps=(2, 2),
    batch=4,
    learning_rates=(1e-3, 1e-3),
    spectral=True,
)


def networks(found: Any) -> list[Tensor]:
    """Parameters and records of what a training returned."""
    if isinstance(found, nn.Module):
        return list(found.state_dict().values())
    if isinstance(found, (tuple, list)):
        return [t for part in found for t in networks(part)]
    if isinstance(found, Record):
        return [found.totals, found.shares]
    return [found] if isinstance(found, Tensor) else [found.values]  # of a guard's trace


def trained(train: Callable[[int, To], Any]) -> Callable[[int, To], Any]:
    return lambda steps, to: networks(train(steps, to))


def jd_bw(weighting: str) -> Callable[[int, To], Any]:
    def train(steps: int, to: To) -> Any:
        built = images.networks(JD_BW, weighting=weighting, seed=0)
        classes = to(CLASSES[0]), to(CLASSES[1])
        return joint.train(to(X), to(Y), built, replace(JD_BW, steps=steps), classes=classes)

    return trained(train)


def one_sided_run(steps: int, to: To) -> Any:
    config = replace(CLUSTERS, steps=steps)
    built = one_sided.networks(config, 0)
    return one_sided.train(to(POINTS), to(OTHERS), built, config, classes=to(OF_POINTS))


def cyclegan_weighted(steps: int, to: To) -> Any:
    config, classes = replace(WEIGHTED, steps=steps), (to(CLASSES[0]), to(CLASSES[1]))
    weighting = composite(config, 0)
    return cyclegan.train_cyclegan(to(X), to(Y), config, weighting=weighting, classes=classes)


def munit_weighted(steps: int, to: To) -> Any:
    config, classes = replace(MUNIT_WEIGHTED, steps=steps), (to(CLASSES[0]), to(CLASSES[1]))
    weighting = composite(config, 0)
    return munit.train(to(X), to(Y), config, weighting=weighting, classes=classes)


def energy(train: Callable[[Tensor, CFEBMConfig], Any]) -> Callable[[int, To], Any]:
    def run(updates: int, to: To) -> Any:
        return train(to(X), replace(ENERGY, images=(8, updates * ENERGY.batch)))

    return trained(run)


def negatives(kind: str, to: To) -> toy.Negatives:
    walk = toy.Walk(2, 0.1)
    if kind == "persistent":
        return toy.persistent(walk, to(OTHERS[:8, None]))
    return toy.contrastive(walk) if kind == "contrastive" else toy.short_run(walk, 2.0)


def toy_energy(kind: str) -> Callable[[int, To], Any]:
    def run(updates: int, to: To) -> Any:
        config = replace(toy.TOY, updates=updates, batch=8)
        return toy.train_energy(toy.MLPEnergy, to(POINTS[:, None]), negatives(kind, to), config)

    return trained(run)


SHORT = denoising.DenoiserConfig(batch=4)
RUNS = {
    "JD-BW": jd_bw("composite"),
    "joint discriminator": jd_bw("none"),
    "JD-BW, one-sided": (trained(one_sided_run)),
    "CycleGAN, its pool full": (
        trained(
            lambda n, to: cyclegan.train_cyclegan(to(PHOTOS), to(MAPS), replace(CYCLEGAN, steps=n))
        )
    ),
    "CycleGAN, weighted": (trained(cyclegan_weighted)),
    "CycleGAN, toy": (
        trained(
            lambda n, to: cyclegan.train_toy_cyclegan(
                to(POINTS), to(OTHERS), replace(cyclegan.TOY, steps=n, batch=8)
            )
        )
    ),
    "MUNIT": (trained(lambda n, to: munit.train(to(X), to(Y), replace(MUNIT, steps=n)))),
    "MUNIT, weighted": (trained(munit_weighted)),
    "pix2pix": trained(
        lambda n, to: train_pix2pix(
            to(PHOTOS), to(MAPS), replace(PIX2PIX, width=2, depth=4, size=16, steps=n)
        )
    ),
    "denoiser": (
        trained(
            lambda n, to: denoising.train_denoiser(
                lambda: denoising.UNetDenoiser(1, 2), to(X), 0.3, replace(SHORT, steps=n)
            )
        )
    ),
    "denoiser of many levels": (
        trained(
            lambda n, to: train_conditional(
                lambda: ConditionalDenoiser(torch.ones(2)),
                to(POINTS),
                [1.0, 0.1],
                replace(SHORT, steps=n),
            )
        )
    ),
    "regression": (
        trained(
            lambda n, to: train_on_pairs(
                lambda: nn.Linear(2, 2), to(POINTS[:30]), to(OTHERS), steps=n, batch=4
            )
        )
    ),
    "judges of two domains": (
        trained(
            lambda n, to: image_judges.train_image_judges(
                to(SCENES[0]),
                to(SCENES[1]),
                image_judges.JudgeConfig(steps=n, batch=2),
            )
        )
    ),
    "judge of classes": (
        trained(
            lambda n, to: sample_judges.train_sample_judge(
                to(X), to(CLASSES[0]), replace(sample_judges.DIGITS, steps=n, batch=4)
            )
        )
    ),
    "CF-EBM": (energy(energies.train)),
    "CF-EBM, cascade": (energy(cascade.train_cascade)),
    "CF-EBM, translator": (
        energy(lambda x, config: energy_translation.train_translator(x, x.flip(0), config))
    ),
    "contrastive": (toy_energy("contrastive")),
    "persistent": (toy_energy("persistent")),
    "short run": (toy_energy("short run")),
}


# Class masses are summed in double precision.
DOUBLE = {
    "JD-BW",
    "joint discriminator",
    "JD-BW, one-sided",
    "CycleGAN, weighted",
    "MUNIT, weighted",
}


@pytest.mark.parametrize("name", RUNS)
def test_a_trainer_has_the_bits_of_the_cpu_and_no_wait_inside_a_step(name: str) -> None:
    waits = 1 if name == "pix2pix" else 0  # dropout takes no generator: its seed has to be read
    assert_stays_there(Run(RUNS[name], (4, 7), waits, 0, name in DOUBLE))
