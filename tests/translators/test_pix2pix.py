"""pix2pix: published count, conditioning, pairs kept together."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from still import losses_of
from torch import Generator, Tensor

from domain_translation.translators.cyclegan import PatchDiscriminator
from domain_translation.translators.pix2pix import (
    PAPER,
    QUICK,
    Pix2PixConfig,
    UnetGenerator,
    train_pix2pix,
    training,
)

SHORT = Pix2PixConfig(width=4, depth=4, critic_layers=1, size=16, batch=2, steps=4)


def pictures(n: int = 6, size: int = 20, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, size, size, generator=Generator().manual_seed(seed)) * 2 - 1


def test_parameter_count_of_the_published_generator() -> None:
    assert sum(p.numel() for p in UnetGenerator().parameters()) == 54_413_955


@pytest.mark.parametrize("preset", [PAPER, QUICK], ids=["paper", "quick"])
def test_every_preset_takes_one_step(preset: Pix2PixConfig) -> None:
    small = dataclasses.replace(preset, steps=1, width=8)
    x = pictures(1, small.size)
    y = train_pix2pix(x, -x, small)(x)
    assert y.shape == x.shape
    assert y.abs().max() <= 1


def test_it_learns_a_pairing_that_unpaired_training_could_not_know() -> None:
    # Each source is a flat grey, its partner the mirrored grey: only pairs tell.
    levels = torch.linspace(-0.8, 0.8, 9).reshape(9, 1, 1, 1)
    x = levels.expand(9, 3, 16, 16).contiguous()
    config = dataclasses.replace(SHORT, steps=150, learning_rate=3e-3)
    error = (train_pix2pix(x, -x, config)(x) + x).abs().mean().item()
    assert error < 0.2  # without pairs the mirrored and the plain grey are as good: 0.44 apart


def networks() -> tuple[UnetGenerator, PatchDiscriminator]:
    """A translator and a critic; normalisation and dropout would differ from call to call."""
    torch.manual_seed(0)
    return UnetGenerator(3, 3, 4, 4).eval(), PatchDiscriminator(6, 4, 1).eval()


def test_the_losses_are_those_of_pix2pix() -> None:
    """The critic takes pairs for true and fakes for false; the translator fools it, and hits."""
    x, y = pictures(2, 16), pictures(2, 16, 1)
    translator, critic = networks()
    own, rival = losses_of(
        lambda players: training.pix2pix_step(translator, critic, SHORT, players),
        ("translator", "critic"),
        (x, y, torch.tensor(0)),
    )
    fake = translator(x)
    on_real, on_fake = critic(torch.cat([x, y], 1)), critic(torch.cat([x, fake], 1))
    hit = (fake - y).abs().mean()
    torch.testing.assert_close(own, (on_fake - 1).square().mean() + SHORT.lambda_l1 * hit)
    judged = (on_real - 1).square().mean() / 2 + on_fake.square().mean() / 2
    torch.testing.assert_close(rival, judged)
    back = torch.autograd.grad(rival, [*translator.parameters()], allow_unused=True)
    assert not any(g is not None for g in back)


def test_dropout_follows_the_seed_of_the_step_alone() -> None:
    """Dropout is there from six levels on."""
    translator, critic = UnetGenerator(3, 3, 2, 6), networks()[1]
    x, y = pictures(2, 64), pictures(2, 64, 1)

    def loss(seed: int) -> Tensor:
        return losses_of(
            lambda players: training.pix2pix_step(translator, critic, SHORT, players),
            ("translator", "critic"),
            (x, y, torch.tensor(seed)),
        )[0].detach()

    before = torch.get_rng_state()
    first = loss(1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    assert torch.equal(loss(1), first)
    assert not torch.equal(loss(2), first)


def test_pairs_are_cropped_and_mirrored_together() -> None:
    x = pictures(5, 20)
    y = torch.cat([-x, x[:, :1]], 1)  # four channels against three
    draw = training.aligned(x, y, SHORT)
    generator, seeds = Generator().manual_seed(0), set()
    for _ in range(10):
        u, v, seed = draw(generator)
        assert u.shape == (2, 3, 16, 16)
        assert torch.equal(v, torch.cat([-u, u[:, :1]], 1))
        seeds.add(int(seed))
    assert len(seeds) == 10


def test_training_repeats_to_the_bit() -> None:
    x, y = pictures(), pictures(seed=1)
    a, b = (train_pix2pix(x, y, SHORT, seed=2)(x[..., :16, :16]) for _ in range(2))
    assert torch.equal(a, b)


@pytest.mark.parametrize("field", dataclasses.fields(Pix2PixConfig), ids=lambda f: f.name)
def test_every_setting_changes_the_result(field: dataclasses.Field[float]) -> None:
    x, y = pictures(6, 40), pictures(6, 40, 1)
    short = dataclasses.replace(SHORT, size=32, depth=5, steps=6)
    value = getattr(short, field.name)
    other = {"size": 40, "depth": 4, "steps": 4}.get(
        field.name, value * 2 if value >= 1 else value * 1.5
    )
    if field.name == "size":
        other = 32 + 0 * other
        short = dataclasses.replace(short, size=16, depth=4)
    z = x[..., :32, :32]
    a = train_pix2pix(x, y, short)(z)
    b = train_pix2pix(x, y, dataclasses.replace(short, **{field.name: other}))(z)
    assert not torch.equal(a, b)


def test_sources_without_partners_are_refused() -> None:
    with pytest.raises(ValueError, match="are no pairs"):
        train_pix2pix(pictures(3), pictures(4), SHORT)
