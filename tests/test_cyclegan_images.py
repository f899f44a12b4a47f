"""CycleGAN for images: published counts, losses by hand, the pool, determinism, resuming."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn

from domain_translation.cyclegan import (
    FULL,
    PAPER,
    QUICK,
    CycleGANConfig,
    PatchDiscriminator,
    ResnetGenerator,
    train_cyclegan,
)
from domain_translation.cyclegan import images as cyclegan_images
from domain_translation.cyclegan.pool import ImagePool
from domain_translation.data.augment import crop_and_flip

SHORT = CycleGANConfig(
    width=4, blocks=1, critic_layers=1, size=16, batch=2, steps=4, pool=3, learning_rate=1e-3
)


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def pictures(n: int = 6, size: int = 20, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, size, size, generator=gen(seed)) * 2 - 1


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_parameter_counts_of_the_published_networks() -> None:  # lcool.arch.cyclegan
    generator, critic = ResnetGenerator(), PatchDiscriminator()
    assert count(generator) == 11_378_179
    assert count(critic) == 2_764_737
    assert 2 * count(generator) + 2 * count(critic) == 28_285_832
    assert count(ResnetGenerator(blocks=6)) == 7_837_699
    assert count(ResnetGenerator(1, 1)) == 11_365_633


def test_keys_of_the_published_checkpoints() -> None:
    keys = ResnetGenerator().state_dict().keys()
    numbered = {int(k.split(".")[1]) for k in keys}
    assert numbered == {1, 4, 7, *range(10, 19), 19, 22, 26}
    assert "model.10.conv_block.1.weight" in keys
    assert "model.18.conv_block.5.bias" in keys
    critic = PatchDiscriminator().state_dict().keys()
    assert {int(k.split(".")[1]) for k in critic} == {0, 2, 5, 8, 11}


@pytest.mark.parametrize("preset", [PAPER, FULL, QUICK], ids=["paper", "full", "quick"])
def test_every_preset_builds_and_takes_one_step(preset: CycleGANConfig) -> None:
    small = dataclasses.replace(preset, size=64, steps=1)
    x, y = pictures(2, 64), pictures(2, 64, 1)
    trained = train_cyclegan(x, y, small)
    for network in trained[:2]:
        out = network(x)
        assert out.shape == x.shape
        assert out.abs().max() <= 1
    assert all(p.isfinite().all() for n in trained for p in n.parameters())


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_receptive_field_of_the_critic(layers: int, field: int) -> None:
    critic = PatchDiscriminator(3, 4, layers)
    # Without normalisation, whose statistics see the whole image, only the patch counts.
    for module in critic.model:
        if isinstance(module, nn.InstanceNorm2d):
            module.forward = lambda x: x  # type: ignore[method-assign]
    x = pictures(1, 128).requires_grad_()
    scores = critic(x)
    middle = scores.shape[-1] // 2
    (grad,) = torch.autograd.grad(scores[0, 0, middle, middle], x)
    rows = grad.abs().sum((0, 1, 3)).nonzero().flatten()
    assert int(rows[-1] - rows[0]) + 1 == field


class Scale(nn.Module):
    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return self.by * x


def test_the_losses_are_those_of_cyclegan() -> None:
    x, y = pictures(3), pictures(3, seed=1)
    g, f, a, b = 2.0, 0.25, 1.5, 0.5  # G, F, source critic, target critic
    config = CycleGANConfig(lambda_cycle=3.0, lambda_identity=0.4, pool=3)
    networks = cyclegan_images.CycleGAN(Scale(g), Scale(f), Scale(a), Scale(b))
    event = (3, 20, 20)
    generators, critics = cyclegan_images.players(networks, config, (event, event))
    fool = (b * g * x - 1).square().mean() + (a * f * y - 1).square().mean()
    cycle = (1 - f * g) * (x.abs().mean() + y.abs().mean())
    same = (1 - f) * x.abs().mean() + (g - 1) * y.abs().mean()
    expected = fool + 3 * (cycle + 0.4 * same)
    assert generators.loss((x, y), gen()).item() == pytest.approx(expected.item(), rel=1e-5)
    real = (b * y - 1).square().mean() + (a * x - 1).square().mean()
    fake = (b * g * x).square().mean() + (a * f * y).square().mean()
    assert critics.loss((x, y), gen()).item() == pytest.approx(((real + fake) / 2).item(), rel=1e-5)


def test_critics_judge_the_translations_made_before_the_generators_moved() -> None:
    x, y = pictures(2), pictures(2, seed=1)
    networks = cyclegan_images.CycleGAN(Scale(1.0), Scale(1.0), Scale(1.0), Scale(1.0))
    event = (3, 20, 20)
    generators, critics = cyclegan_images.players(networks, SHORT, (event, event))
    generators.loss((x, y), gen())
    expected = critics.loss((x, y), gen()).item()
    networks.forward.by.data.fill_(5.0)  # type: ignore[operator, union-attr]
    assert critics.loss((x, y), gen()).item() == expected


def test_the_pool_hands_through_until_full_then_swaps_half() -> None:
    pool, generator = ImagePool(50, (1,)), gen()
    first = torch.arange(50.0).reshape(50, 1)
    assert torch.equal(pool.exchange(first, generator), first)
    fresh = torch.arange(50.0, 1050.0).reshape(1000, 1)
    out = pool.exchange(fresh, generator)
    handed = (out == fresh).flatten().double().mean().item()
    assert handed == pytest.approx(0.5, abs=0.05)
    assert (out <= fresh).all()  # never an image from the future
    held = torch.cat([out, pool.images]).flatten().sort().values
    assert torch.equal(held, torch.arange(1050.0))  # nothing is lost or doubled


def test_crops_and_mirror_images_are_parts_of_the_picture() -> None:
    image = torch.arange(36.0).reshape(1, 1, 6, 6)
    seen = set()
    generator = gen()
    for _ in range(300):
        crop = crop_and_flip(image, 5, generator)[0, 0]
        windows = [image[0, 0, t : t + 5, u : u + 5] for t in (0, 1) for u in (0, 1)]
        match = [
            (k, m)
            for k, w in enumerate(windows)
            for m, v in enumerate((w, w.flip(-1)))
            if torch.equal(crop, v)
        ]
        assert len(match) == 1
        seen.add(match[0])
    assert len(seen) == 8  # four places, mirrored and not


def test_training_repeats_to_the_bit_and_resumes(tmp_path: Path) -> None:
    x, y = pictures(), pictures(seed=1)
    whole = train_cyclegan(x, y, SHORT, seed=3)
    path = tmp_path / "run.safetensors"

    class Stop(Exception):
        pass

    real_store, calls = cyclegan_images.fit, []

    def stopping(players, batches, steps, **options):  # type: ignore[no-untyped-def]
        def draw(generator: Generator) -> tuple[Tensor, ...]:
            calls.append(1)
            if len(calls) == 3:
                raise Stop
            return batches(generator)

        return real_store(players, draw, steps, every_minutes=0, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cyclegan_images, "fit", stopping)
        with pytest.raises(Stop):
            train_cyclegan(x, y, SHORT, seed=3, checkpoint=path)
    resumed = train_cyclegan(x, y, SHORT, seed=3, checkpoint=path)
    for a, b in zip(whole, resumed, strict=True):
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            assert torch.equal(p, q)


@pytest.mark.parametrize("field", dataclasses.fields(CycleGANConfig), ids=lambda f: f.name)
def test_every_setting_changes_the_result(field: dataclasses.Field[float]) -> None:
    x, y = pictures(), pictures(seed=1)
    short = dataclasses.replace(SHORT, steps=8)
    value = getattr(short, field.name)
    chosen = {"size": 12, "steps": 6, "precision": "bfloat16"}
    other = chosen[field.name] if field.name in chosen else value * (2 if value >= 1 else 1.5)
    a = train_cyclegan(x, y, short).forward(x)
    b = train_cyclegan(x, y, dataclasses.replace(short, **{field.name: other})).forward(x)
    assert not torch.equal(a, b)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (pictures(2, 12), "at least 16 pixels"),
        (pictures(2)[:0], "n at least 1"),
        (pictures(2) * 2, r"scale them to \[-1, 1\]"),
        (torch.full((2, 3, 20, 20), torch.nan), r"scale them to \[-1, 1\]"),
    ],
)
def test_bad_images_are_refused(images: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train_cyclegan(images, pictures(), SHORT)
    with pytest.raises(ValueError, match=message):
        train_cyclegan(pictures(), images, SHORT)
