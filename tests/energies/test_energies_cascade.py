"""Fixed coarse models: one network per scale, chains start from coarser ones (energies.cascade)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from domain_translation.energies import cascade as cf_ebm_cascade
from domain_translation.energies.cascade import from_coarse, sample_cascade, train_cascade
from domain_translation.energies.config import CFEBMConfig
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.sampling import ShortRun, short_run, uniform
from domain_translation.energies.training import train
from domain_translation.sampling.langevin import Chain
from domain_translation.sampling.scores import Energy

CONFIG = CFEBMConfig(
    sizes=(8, 16),
    images=(24, 32),
    steps=(3, 4),
    learning_rates=(1e-3, 1e-3),
    batch=8,
    c=1,
    spectral=False,
    variance=4e-4,
)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(12, 1, 16, 16, generator=Generator().manual_seed(0)) * 2 - 1


def test_the_coarse_network_is_that_of_the_first_stage_and_stays_fixed(images: Tensor) -> None:
    coarse, fine = train_cascade(images, CONFIG, seed=1).networks
    first = replace(CONFIG, sizes=(8,), images=(24,), steps=(3,), learning_rates=(1e-3,))
    alone = train(torch.nn.functional.avg_pool2d(images, 2), first, seed=1).network
    x = torch.rand(5, 1, 8, 8) * 2 - 1
    assert torch.equal(coarse(x), alone(x))
    assert (coarse.size, fine.size) == (8, 16)
    # The fine one grew from a copy: its old layers began at the coarse ones and moved on.
    assert not torch.equal(fine.head.weight, coarse.head.weight)
    assert torch.allclose(fine.head.weight, coarse.head.weight, atol=0.1)
    assert not any(p.requires_grad for n in (coarse, fine) for p in n.parameters())


def test_starts_are_upsampled_coarse_samples_with_the_declared_noise() -> None:
    network = EnergyNetwork(8, 1, 1)
    start = from_coarse([network], CONFIG)
    x = start(64, 0.7, Generator().manual_seed(3))
    assert torch.equal(x, start(64, 0.2, Generator().manual_seed(3)))  # help does not fade
    g = Generator().manual_seed(3)
    coarse = short_run(network, uniform(64, 1, 8, g), CONFIG.run(0), generator=g).x
    rest = x - coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert rest.std().item() == pytest.approx(CONFIG.variance**0.5, rel=0.05)
    assert rest.mean().abs().item() < 0.005


def test_training_and_sampling_repeat_bit_for_bit(images: Tensor, tmp_path: Path) -> None:
    once = train_cascade(images, CONFIG, seed=2, checkpoint=tmp_path)
    again = train_cascade(images, CONFIG, seed=2, checkpoint=tmp_path)  # from the checkpoint
    x = sample_cascade(once.networks, 6, CONFIG, seed=5)
    assert torch.equal(x, sample_cascade(again.networks, 6, CONFIG, seed=5))
    assert x.shape == (6, 1, 16, 16)
    assert not torch.equal(x, sample_cascade(once.networks, 6, CONFIG, seed=6))


def test_three_scales_pass_through_every_chain(
    images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, sizes=(8, 16, 32), images=(8,) * 3, steps=(1, 2, 3),
                     learning_rates=(1e-3,) * 3)  # fmt: skip
    fine = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    cascade = train_cascade(fine, config)
    assert [n.size for n in cascade.networks] == [8, 16, 32]
    lengths: list[int] = []

    def watched(energy: Energy, x: Tensor, run: ShortRun, **options: Any) -> Chain:
        lengths.append(run.steps)
        return short_run(energy, x, run, **options)

    monkeypatch.setattr(cf_ebm_cascade, "short_run", watched)
    assert sample_cascade(cascade.networks, 2, config).shape == (2, 1, 32, 32)
    assert lengths == [1, 2, 3]


def test_one_scale_is_plain_training(images: Tensor) -> None:
    config = replace(CONFIG, sizes=(16,), images=(16,), steps=(3,), learning_rates=(1e-3,))
    cascade = train_cascade(images, config)
    x = uniform(4, 1, 16, Generator().manual_seed(0))
    assert torch.equal(cascade.networks[0](x), train(images, config).network(x))
    assert sample_cascade(cascade.networks, 3, config).shape == (3, 1, 16, 16)


def test_wrong_arguments_are_named(images: Tensor) -> None:
    network = EnergyNetwork(8, 1, 1)
    with pytest.raises(ValueError, match="one network per size"):
        sample_cascade([network], 3, CONFIG)
    with pytest.raises(ValueError, match="at least one image"):
        sample_cascade([network], 0, CONFIG)
    with pytest.raises(ValueError, match="last stage takes images"):
        train_cascade(images[..., :8, :8], CONFIG)
