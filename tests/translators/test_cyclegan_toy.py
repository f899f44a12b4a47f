"""The toy CycleGAN: its losses by hand, its determinism, and the toy study of L-Cool Fig. 3."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from still import Still, losses_of
from torch import Generator, Tensor, nn

from domain_translation import cooling, denoising
from domain_translation.sampling import scores
from domain_translation.sampling.densities import Strip
from domain_translation.translators.cyclegan import CycleGAN, ToyConfig
from domain_translation.translators.cyclegan.toy import toy_step, train_toy_cyclegan

SHORT = ToyConfig(steps=4, batch=16, width=8, critic_width=6)


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def domains(seed: int = 0, n: int = 1000) -> tuple[Tensor, Tensor]:
    generator = gen(seed)
    return Strip.source().sample(n, generator), Strip.target().sample(n, generator)


class Affine(nn.Module):
    """x -> scale * x, with one parameter to train."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x


class FirstCoordinate(Affine):
    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x[:, :1]


def test_the_losses_are_those_of_cyclegan() -> None:
    x, y = domains(n=7)
    g, f, a, b = 2.0, 0.25, 1.5, 0.5  # G, F, source critic, target critic
    config = ToyConfig(lambda_cycle=3.0)
    nets = CycleGAN(Affine(g), Affine(f), FirstCoordinate(a), FirstCoordinate(b))
    team = ("generators", "critics")
    generators, critics = losses_of(lambda players: toy_step(nets, config, players), team, (x, y))
    u, v = x[:, 0], y[:, 0]
    fool = (b * g * u - 1).square().mean() + (a * f * v - 1).square().mean()
    cycle = (1 - f * g) * (x.abs().mean() + y.abs().mean())
    torch.testing.assert_close(generators, fool + 3 * cycle)
    real = (b * v - 1).square().mean() + (a * u - 1).square().mean()
    fake = (b * g * u).square().mean() + (a * f * v).square().mean()
    torch.testing.assert_close(critics, (real + fake) / 2)


class Leap(Still):
    """A player that moves a translator far away."""

    def __init__(self, model: Affine) -> None:
        super().__init__()
        self.translator = model

    def descend(self, loss: Tensor) -> Tensor:
        self.translator.scale.data.fill_(50.0)
        return super().descend(loss)


def test_critics_judge_what_the_generators_make_after_their_step() -> None:
    x, y = domains(n=7)
    forward = Affine(2.0)
    nets = CycleGAN(forward, Affine(0.25), FirstCoordinate(1.5), FirstCoordinate(0.5))
    step = toy_step(nets, SHORT, {"generators": Leap(forward), "critics": Still()})
    u, v = x[:, 0], y[:, 0]
    real = (0.5 * v - 1).square().mean() + (1.5 * u - 1).square().mean()
    fake = (0.5 * 50 * u).square().mean() + (1.5 * 0.25 * v).square().mean()
    torch.testing.assert_close(step((x, y), gen())["critics"], (real + fake) / 2)


def test_training_repeats_to_the_bit() -> None:
    x, y = domains()
    (g1, f1), (g2, f2), (g3, _) = (train_toy_cyclegan(x, y, SHORT, seed) for seed in (3, 3, 4))
    assert torch.equal(g1(x), g2(x))
    assert torch.equal(f1(y), f2(y))
    assert not torch.equal(g1(x), g3(x))


@pytest.mark.parametrize("field", dataclasses.fields(ToyConfig), ids=lambda f: f.name)
def test_every_setting_changes_the_result(field: dataclasses.Field[float]) -> None:
    x, y = domains()
    value: Any = getattr(SHORT, field.name) * 3 // 2 or 0.9
    other = dataclasses.replace(SHORT, **{field.name: value})
    a, _ = train_toy_cyclegan(x, y, SHORT)
    b, _ = train_toy_cyclegan(x, y, other)
    assert not torch.equal(a(x), b(x))


def test_a_checkpoint_resumes(tmp_path: Path) -> None:
    x, y = domains()
    path = tmp_path / "gan.safetensors"
    a, _ = train_toy_cyclegan(x, y, SHORT, checkpoint=path)
    b, _ = train_toy_cyclegan(x, y, SHORT, checkpoint=path)
    assert torch.equal(a(x), b(x))


def test_images_keep_their_shape() -> None:
    x = torch.rand(20, 1, 4, 4, generator=gen())
    forward, backward = train_toy_cyclegan(x, 1 - x, SHORT)
    assert backward(forward(x)).shape == x.shape


def test_bad_domains_are_refused() -> None:
    x, y = domains()
    with pytest.raises(ValueError, match="need one shape"):
        train_toy_cyclegan(x, torch.rand(5, 3), SHORT)
    with pytest.raises(ValueError, match="empty"):
        train_toy_cyclegan(x, y[:0], SHORT)


def test_the_toy_study_comes_out_as_in_the_source() -> None:
    """L-Cool Fig. 3: off-manifold points translate badly; cooled first, they translate well."""
    x, y = domains()
    forward, backward = train_toy_cyclegan(x, y)
    denoiser = denoising.train_denoiser(lambda: denoising.MLPDenoiser(2), x, cooling.TOY.sigma)
    target = Strip.target()
    fresh, _ = domains(seed=9)
    assert target.distance(forward(fresh)).mean() < 0.005
    assert (backward(forward(fresh)) - fresh).norm(dim=1).mean() < 0.01
    along = torch.corrcoef(torch.stack([fresh[:, 0], forward(fresh)[:, 0]]))[0, 1]
    assert along > 0.95  # not mirrored
    points = torch.tensor(cooling.TOY_POINTS)
    plain = target.distance(forward(points))
    cooled = cooling.cool_then_translate(
        forward,
        scores.dae_score(denoiser, cooling.TOY.sigma),
        points,
        **cooling.TOY.chain(),
    )
    assert plain.min() > 0.05
    assert target.distance(cooled.translated).max() < 0.02
