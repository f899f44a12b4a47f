"""CycleGAN for images: published counts, losses by hand, the pool, determinism, resuming."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from still import Still, losses_of
from torch import Generator, Tensor, nn
from toyrun import Stop, killed_fit

from domain_translation.data.augment import crop_and_flip
from domain_translation.reweighting.record import Record
from domain_translation.reweighting.weight_nets import composite
from domain_translation.training import Batch, Player, Step
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.trained import Trained
from domain_translation.translators.cyclegan import (
    FULL,
    PAPER,
    QUICK,
    WEIGHTED,
    CycleGAN,
    CycleGANConfig,
    PatchDiscriminator,
    ResnetGenerator,
    train_cyclegan,
)
from domain_translation.translators.cyclegan import images as cyclegan_images
from domain_translation.translators.cyclegan.pool import ImagePool

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
    networks = train_cyclegan(x, y, small).networks
    for network in networks[:2]:
        out = network(x)
        assert out.shape == x.shape
        assert out.abs().max() <= 1
    assert all(p.isfinite().all() for n in networks for p in n.parameters())


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_receptive_field_of_the_critic(layers: int, field: int) -> None:
    critic = PatchDiscriminator(3, 4, layers)
    # Without normalisation, whose statistics see the whole image, only the patch counts.
    for module in critic.model:
        if isinstance(module, nn.InstanceNorm2d):
            module.forward = lambda x: x  # type: ignore[method-assign, assignment]
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


# Of the step below: G, F, critic of the sources, critic of the targets
G, F, A, B = 2.0, 0.25, 1.5, 0.5
TEAM = ("generators", "critics")


def scales() -> CycleGAN:
    return CycleGAN(*(Scale(by) for by in (G, F, A, B)))


def step_of(
    networks: CycleGAN, config: CycleGANConfig, pools: list[ImagePool], players: dict[str, Player]
) -> Step:
    """A step without weights on pictures of 20x20."""
    record = Record(3, 0, 0)
    return cyclegan_images.cyclegan_step(networks, config, record, pools, players)


def minibatch(n: int) -> Batch:
    """Pictures of both domains and the rows they come from."""
    return pictures(n), pictures(n, seed=1), torch.arange(n), torch.arange(n)


def empty_pools(size: int) -> list[ImagePool]:
    return [ImagePool(size, (3, 20, 20)) for _ in range(2)]


def critics_loss(x: Tensor, y: Tensor, past_x: Tensor, past_y: Tensor) -> Tensor:
    real = (B * y - 1).square().mean() + (A * x - 1).square().mean()
    return (real + (B * past_y).square().mean() + (A * past_x).square().mean()) / 2


def test_the_losses_are_those_of_cyclegan() -> None:
    config = CycleGANConfig(lambda_cycle=3.0, lambda_identity=0.4)
    batch = minibatch(3)
    x, y = batch[:2]
    found = losses_of(lambda team: step_of(scales(), config, empty_pools(3), team), TEAM, batch)
    fool = (B * G * x - 1).square().mean() + (A * F * y - 1).square().mean()
    cycle = (1 - F * G) * (x.abs().mean() + y.abs().mean())
    same = (1 - F) * x.abs().mean() + (G - 1) * y.abs().mean()
    torch.testing.assert_close(found[0], fool + 3 * (cycle + 0.4 * same))
    torch.testing.assert_close(found[1], critics_loss(x, y, F * y, G * x))


def test_critics_judge_translations_of_the_past() -> None:
    """With full pools of one image, that image or the fresh one, by the toss of a coin."""
    batch = minibatch(1)
    x, y = batch[:2]
    old = pictures(1, seed=2), pictures(1, seed=3)
    pools = empty_pools(1)
    for pool, image in zip(pools, old, strict=True):
        assert torch.equal(pool.exchange(image, gen()), image)

    def loss(seed: int) -> Tensor:
        full = empty_pools(1)
        for pool, other in zip(full, pools, strict=True):
            pool.load_state_dict(other.state_dict())
        _, critics = losses_of(lambda t: step_of(scales(), SHORT, full, t), TEAM, batch, seed)
        return critics.detach()

    seen = torch.stack([loss(seed) for seed in range(30)])
    choices = [critics_loss(x, y, a, b) for a in (F * y, old[0]) for b in (G * x, old[1])]
    away = (seen[:, None] - torch.stack(choices)).abs()
    assert away.min(1).values.max() < 1e-5
    assert set(away.argmin(1).tolist()) == {0, 1, 2, 3}


class Leap(Still):
    """A player that moves a translator far away."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.translator = model

    def descend(self, loss: Tensor) -> Tensor:
        for parameter in self.translator.parameters():
            parameter.data.fill_(50.0)
        return super().descend(loss)


def test_critics_judge_the_translations_made_before_the_generators_moved() -> None:
    networks = scales()
    players: dict[str, Player] = {"generators": Leap(networks.forward), "critics": Still()}
    batch = minibatch(2)
    found = step_of(networks, SHORT, empty_pools(3), players)(batch, gen())["critics"]
    assert networks.forward.by == 50
    x, y = batch[:2]
    torch.testing.assert_close(found, critics_loss(x, y, F * y, G * x))


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


def test_no_pool_hands_everything_through_and_draws_nothing() -> None:
    fresh, generator = pictures(3), gen()
    assert torch.equal(ImagePool(0, (3, 20, 20)).exchange(fresh, generator), fresh)
    assert torch.equal(generator.get_state(), gen().get_state())


@pytest.mark.parametrize("filled", [2, 3])
def test_a_pool_from_a_checkpoint_goes_on_like_the_one_that_was_stored(filled: int) -> None:
    first, second = ImagePool(3, (1,)), ImagePool(3, (1,))
    first.exchange(torch.arange(1.0, 1 + filled)[:, None], gen())
    second.load_state_dict(first.state_dict())
    fresh = torch.arange(10.0, 30.0)[:, None]
    assert torch.equal(first.exchange(fresh, gen(1)), second.exchange(fresh, gen(1)))
    assert torch.equal(first.images, second.images)


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


@pytest.mark.parametrize("weighted", [False, True])
def test_training_repeats_to_the_bit_and_resumes(
    weighted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool is full at the stop; the bound on the weight nets grows all the time."""
    x, y = pictures(), pictures(seed=1)
    nets = dataclasses.replace(WEIGHTED, width=2, batch=4, steps=4, weight_width=2)

    def run(path: Path | None) -> Trained[CycleGAN, Record]:
        config = nets if weighted else SHORT
        weighting = composite(nets, 3, (3, 3)) if weighted else None
        classes = torch.arange(6) % 2, torch.arange(6) % 3
        return train_cyclegan(x, y, config, 3, path, weighting=weighting, classes=classes)

    whole = run(None)
    assert torch.equal(whole.losses, run(None).losses)
    with monkeypatch.context() as patch:
        patch.setattr(cyclegan_images, "fit", killed_fit(2))
        with pytest.raises(Stop):
            run(tmp_path / "run.safetensors")
    resumed = run(tmp_path / "run.safetensors")
    for a, b in zip(whole.networks, resumed.networks, strict=True):
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            assert torch.equal(p, q)
    assert torch.equal(whole.losses, resumed.losses)
    assert torch.equal(whole.record.totals, resumed.record.totals)
    assert torch.equal(whole.record.shares, resumed.record.shares)


def test_a_checkpoint_without_weight_nets_is_refused_by_a_run_with_them(tmp_path: Path) -> None:
    x, y, path = pictures(), pictures(seed=1), tmp_path / "run.safetensors"
    config = dataclasses.replace(WEIGHTED, width=2, batch=4, steps=1, weight_width=2)
    train_cyclegan(x, y, config, checkpoint=path)
    with pytest.raises(CheckpointError, match="players differ"):
        train_cyclegan(x, y, config, checkpoint=path, weighting=composite(config, 0, (3, 3)))


@pytest.mark.parametrize("field", dataclasses.fields(CycleGANConfig), ids=lambda f: f.name)
def test_every_setting_changes_the_result(field: dataclasses.Field[float]) -> None:
    x, y = pictures(), pictures(seed=1)
    short = dataclasses.replace(SHORT, steps=8)
    value = getattr(short, field.name)
    chosen: dict[str, Any] = {
        "size": 12,
        "steps": 6,
        "precision": "bfloat16",
        "mirrored": False,
        "decay": False,
    }
    other = chosen[field.name] if field.name in chosen else value * (2 if value >= 1 else 1.5)
    a = train_cyclegan(x, y, short).networks.forward(x)
    changed = dataclasses.replace(short, **{field.name: other})
    b = train_cyclegan(x, y, changed).networks.forward(x)
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


def test_an_unknown_precision_is_refused() -> None:
    config = dataclasses.replace(SHORT, precision="float16")
    with pytest.raises(ValueError, match="choose 'auto', 'float32' or 'bfloat16'"):
        train_cyclegan(pictures(), pictures(), config)
