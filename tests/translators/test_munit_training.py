"""Training MUNIT, with and without batch weights: losses by hand, sharing, resuming, refusals."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from still import losses_of
from torch import Generator, Tensor, nn
from toyrun import Stop, killed_fit

from domain_translation.reweighting.record import Record
from domain_translation.reweighting.weight_nets import composite
from domain_translation.reweighting.weighting import BatchWeights, Equal, halfway
from domain_translation.training import TrainingError
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.trained import Trained
from domain_translation.translators.munit import (
    QUICK,
    QUICK_WEIGHTED,
    MUNITConfig,
    Networks,
    WeightedConfig,
    restyle,
    train,
    training,
    translate,
)
from domain_translation.translators.munit.losses import cross, draw_styles, split, squares, values

SHORT = WeightedConfig(
    size=16,
    width=4,
    blocks=1,
    style=3,
    hidden=8,
    critic_width=4,
    critic_layers=3,
    scales=2,
    batch=4,
    steps=4,
    learning_rate=1e-3,
    halve_every=2,
    weight_width=4,
    lr_weights=1e-4,
    clip_first=0.05,
    clip_last=0.1,
)
# As a plain setting, for the training without weights
PLAIN = MUNITConfig(**{f.name: getattr(SHORT, f.name) for f in dataclasses.fields(MUNITConfig)})


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def pictures(n: int = 10, channels: int = 1, seed: int = 0, size: int = 16) -> Tensor:
    return torch.rand(n, channels, size, size, generator=gen(seed)) * 2 - 1


def weighted(
    x: Tensor, y: Tensor, config: WeightedConfig, seed: int = 0, **options: Any
) -> Trained[Networks, Record]:
    """A training with weight nets."""
    nets = composite(config, seed, (x.shape[1], y.shape[1]))
    return train(x, y, config, seed, weighting=nets, **options)


# ---- losses


class Scales(nn.Module):
    """An auto-encoder of three numbers: content a x, style s x, decoded d content."""

    def __init__(self, a: float, s: float, d: float) -> None:
        super().__init__()
        self.a, self.s, self.d = (nn.Parameter(torch.tensor(v)) for v in (a, s, d))

    def content(self, x: Tensor) -> Tensor:
        return self.a * x

    def style(self, x: Tensor) -> Tensor:
        return self.s * x.flatten(1)[:, :3]

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        return self.d * content


def test_what_is_found_again_is_compared_as_in_the_paper() -> None:
    x, y = pictures(4), pictures(4, seed=1)
    at, to = Scales(2.0, 0.5, 0.25), Scales(0.5, 3.0, 1.5)
    config = dataclasses.replace(PLAIN, lambda_image=7, lambda_content=5, lambda_style=3)
    made = cross(x, y, at, to, config, gen(5))  # type: ignore[arg-type]
    torch.testing.assert_close(made.gx, 1.5 * 2 * x)
    torch.testing.assert_close(made.fy, 0.25 * 0.5 * y)
    generator = gen(5)
    style_y, style_x = draw_styles(4, 3, generator), draw_styles(4, 3, generator)
    image = (1 - 0.5) * x.abs().mean() + (1 - 0.75) * y.abs().mean()
    content = (2 - 0.5 * 3) * x.abs().mean() + (0.5 - 2 * 0.125) * y.abs().mean()
    style = (3 * 3 * x.flatten(1)[:, :3] - style_y).abs().mean()
    style = style + (0.5 * 0.125 * y.flatten(1)[:, :3] - style_x).abs().mean()
    torch.testing.assert_close(made.again, 7 * image + 5 * content + 3 * style)


class Shifts(nn.Module):
    """An auto-encoder whose content is the image, and whose decoder adds the style's mean."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def content(self, x: Tensor) -> Tensor:
        return x

    def style(self, x: Tensor) -> Tensor:
        return x.flatten(1)[:, : self.length]

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        return content + style.mean(1)[:, None, None, None]


def test_an_image_goes_there_and_back_in_its_own_style() -> None:
    x, y = pictures(4), pictures(4, seed=1)
    shifts = Shifts(PLAIN.style)
    without, with_cycle = (
        cross(x, y, shifts, shifts, dataclasses.replace(PLAIN, lambda_cycle=by), gen(5))  # type: ignore[arg-type]
        for by in (0.0, 10.0)
    )
    assert torch.equal(without.gx, with_cycle.gx)
    assert torch.equal(without.fy, with_cycle.fy)
    moved = [  # by the style drawn and, on the way back, by its own
        (made - own + shifts.style(own).mean(1)[:, None, None, None]).abs().mean()
        for made, own in ((with_cycle.gx, x), (with_cycle.fy, y))
    ]
    torch.testing.assert_close(with_cycle.again - without.again, 10 * sum(moved, torch.tensor(0.0)))


def test_scores_become_one_loss_and_one_value_per_image() -> None:
    scores = [
        torch.tensor([[1.0, 3.0], [0.0, 2.0]])[:, None],
        torch.tensor([[5.0], [1.0]])[:, None],
    ]
    assert squares(scores, 1).tolist() == [(0 + 4) / 2 + 16, (1 + 1) / 2 + 0]
    assert squares(scores, 0).tolist() == [(1 + 9) / 2 + 25, (0 + 4) / 2 + 1]
    assert values(scores).tolist() == [(2 + 5) / 2, (1 + 1) / 2]
    first, rest = split(scores, 1)
    assert torch.equal(torch.cat([first[0], rest[0]]), scores[0])
    assert len(first[1]) == len(rest[1]) == 1


class Brightness(nn.Module):
    """A critic whose score is `by` times the mean of the image."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.by * x.mean((1, 2, 3), keepdim=True)]


class Fixed(nn.Module):
    """A weighting that says the same of every batch."""

    def __init__(self, weights: BatchWeights) -> None:
        super().__init__()
        self.x, self.y = nn.Parameter(weights.x), nn.Parameter(weights.y)

    def forward(self, pairs: object, bound: float) -> BatchWeights:
        return BatchWeights(self.x, self.y)


GAMES_ONLY = dataclasses.replace(SHORT, lambda_image=0, lambda_content=0, lambda_style=0)
EQUAL, UNEVEN = torch.full((4,), 0.25), torch.tensor([0.7, 0.1, 0.1, 0.1])
IN_X, IN_Y = 3.0, -2.0  # a critic's score of an image, in units of its mean


class ByHand(NamedTuple):
    """A step that can be followed by hand: its networks and its losses."""

    networks: Networks
    weighting: nn.Module
    losses: list[Tensor]  # of generators, critics and weight nets


def step_losses(networks: Networks, weighting: nn.Module, x: Tensor, y: Tensor) -> list[Tensor]:
    """Losses of generators, critics and weight nets in a step of the games alone."""
    record = Record(SHORT.steps, SHORT.clip_first, SHORT.clip_last)
    return losses_of(
        lambda team: training.munit_step(
            networks._replace(weighting=weighting), GAMES_ONLY, record, team
        ),
        ["generators", "critics"] + ["weights"] * (not isinstance(weighting, Equal)),
        (x, y, torch.arange(len(x)), torch.arange(len(y))),
    )


def by_hand(weighting: nn.Module) -> ByHand:
    """Translations G(x) = 2 x, F(y) = y / 2, and critics that see the mean of an image."""
    at, to = (Scales(1.0, 1.0, d) for d in (0.5, 2.0))
    networks = Networks(at, to, Brightness(IN_X), Brightness(IN_Y))  # type: ignore[arg-type]
    losses = step_losses(networks, weighting, pictures(4), pictures(4, seed=1))
    return ByHand(networks, weighting, losses)


def lights() -> tuple[Tensor, Tensor]:
    """What these critics see of x and of y."""
    return pictures(4).mean((1, 2, 3)), pictures(4, seed=1).mean((1, 2, 3))


def test_weights_multiply_the_games_on_their_own_sides() -> None:
    weights = BatchWeights(torch.tensor([0.1, 0.2, 0.3, 0.4]), UNEVEN)
    losses = by_hand(Fixed(weights)).losses
    x, y = lights()
    gx, fy = 2 * x, y / 2
    h_x, h_y = halfway(weights.x), halfway(weights.y)
    generators = ((IN_Y * gx - 1).square() * h_x).sum() + ((IN_X * fy - 1).square() * h_y).sum()
    torch.testing.assert_close(losses[0], generators)
    of_y = ((IN_Y * gx).square() * h_x).sum() + ((IN_Y * y - 1).square() * h_y).sum()
    of_x = ((IN_X * fy).square() * h_y).sum() + ((IN_X * x - 1).square() * h_x).sum()
    torch.testing.assert_close(losses[1], of_y + of_x)
    left_y = IN_Y * ((gx * h_x).sum() - (y * h_y).sum())
    left_x = IN_X * ((fy * h_y).sum() - (x * h_x).sum())
    torch.testing.assert_close(losses[2], left_y.square() + left_x.square())


def test_without_weights_the_losses_are_those_of_lsgan() -> None:
    """As are those of equal weights, and those of others are not."""
    x, y = lights()
    fool = (IN_Y * 2 * x - 1).square().mean() + (IN_X * y / 2 - 1).square().mean()
    real = (IN_Y * y - 1).square().mean() + (IN_X * x - 1).square().mean()
    fake = (IN_Y * 2 * x).square().mean() + (IN_X * y / 2).square().mean()
    level, tilted = (Fixed(BatchWeights(w, w)) for w in (EQUAL, UNEVEN))
    plain, level_losses, tilted_losses = (
        torch.stack(by_hand(weighting).losses[:2]) for weighting in (Equal(), level, tilted)
    )
    torch.testing.assert_close(plain, torch.stack([fool, real + fake]))
    torch.testing.assert_close(level_losses, plain)
    assert (tilted_losses - plain).abs().min() > 1e-3


def test_every_player_moves_by_its_own_loss_alone() -> None:
    networks, weighting, losses = by_hand(Fixed(BatchWeights(EQUAL, EQUAL)))
    generators, critics, nets = losses
    own = [*weighting.parameters()]
    for loss, others in (
        (generators, own),
        (critics, [*own, *networks.x.parameters(), *networks.y.parameters()]),
        (nets, [*networks.x.parameters(), *networks.critic_x.parameters()]),
    ):
        back = torch.autograd.grad(loss, others, allow_unused=True, retain_graph=True)
        assert not any(g is not None for g in back)
    assert all(g.abs().sum() > 0 for g in torch.autograd.grad(nets, own))


class OfClasses(nn.Module):
    """A critic that sees the class of an image, its brightness: `by_class` of it."""

    def __init__(self, by_class: Tensor) -> None:
        super().__init__()
        self.by_class = nn.Parameter(by_class)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.by_class[x[:, 0, 0, 0].round().long()][:, None, None, None]]


def test_true_ratios_leave_critics_of_classes_nothing_to_see() -> None:
    """Batches with class shares p and q: with w = q/p the games are level, whatever D is."""
    p, q = torch.tensor([0.6, 0.4]), torch.tensor([0.2, 0.8])
    of_x, of_y = torch.tensor([0] * 6 + [1] * 4), torch.tensor([0] * 2 + [1] * 8)
    in_y, in_x = torch.tensor([1.5, -0.3]), torch.tensor([-2.0, 0.8])  # values by class
    x, y = (of.float()[:, None, None, None].expand(10, 1, 4, 4) for of in (of_x, of_y))
    at, to = Scales(1.0, 1.0, 1.0), Scales(1.0, 1.0, 1.0)  # translations keep the class
    networks = Networks(at, to, OfClasses(in_x), OfClasses(in_y))  # type: ignore[arg-type]

    def unevenness(w: Tensor, v: Tensor) -> float:
        return step_losses(networks, Fixed(BatchWeights(w, v)), x, y)[2].item()

    right = unevenness((q / p)[of_x] / 10, (p / q)[of_y] / 10)
    assert right == pytest.approx(0, abs=1e-12)
    equal = torch.full((10,), 0.1)
    expected = ((p - q) @ in_y).square() + ((p - q) @ in_x).square()
    assert unevenness(equal, equal) == pytest.approx(float(expected), rel=1e-5)
    assert unevenness((p / q)[of_x] / 10, (q / p)[of_y] / 10) > 0.1


# ---- training


def test_the_rate_is_halved_again_and_again() -> None:
    rate = training.halved(2)
    assert [rate(step) for step in (0, 1, 2, 3, 4, 6)] == [1, 1, 0.5, 0.5, 0.25, 0.125]


def test_a_training_with_bound_zero_is_one_without_weights() -> None:
    x, y = pictures(), pictures(seed=1)
    level = dataclasses.replace(SHORT, clip_first=0.0, clip_last=0.0)
    found, plain = weighted(x, y, level, 3), train(x, y, PLAIN, 3)
    torch.testing.assert_close(found.losses[:, :2], plain.losses, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(found.record.shares, torch.ones(4, 2))
    torch.testing.assert_close(plain.record.shares, torch.ones(4, 2))


def test_images_are_rebuilt_better_after_a_few_steps() -> None:
    x, y = pictures(4, size=4), pictures(4, 3, 1, 4)
    x, y = (t.repeat_interleave(4, 2).repeat_interleave(4, 3) for t in (x, y))
    short = dataclasses.replace(PLAIN, steps=60, learning_rate=3e-3, halve_every=1000, width=8)
    untrained = training.build(short, 0, (1, 3))
    networks = train(x, y, short).networks
    for side, images in ((0, x), (1, y)):
        before = (untrained[side](images) - images).abs().mean()
        after = (networks[side](images) - images).abs().mean()
        assert after < 0.7 * before


@pytest.mark.parametrize("run", [train, weighted])
def test_nothing_is_computed_twice(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: dict[str, int] = {}

    def counted(config: MUNITConfig, seed: int, channels: tuple[int, int]) -> Networks:
        networks = build(config, seed, channels)
        parts = {
            "content": networks.x.content,
            "style": networks.x.style,
            "decoder": networks.x.decode,
            "critic": networks.critic_x,
        }
        for name, part in parts.items():
            calls[name] = 0

            def count(*_: object, name: str = name) -> None:
                calls[name] += 1

            part.register_forward_hook(count)
        return networks

    build = training.build
    monkeypatch.setattr(training, "build", counted)
    config = dataclasses.replace(SHORT if run is weighted else PLAIN, steps=1)
    run(pictures(), pictures(seed=1), config)
    # Codes of x and of what was made from y; rebuilt and translated images together; the critic
    # once for the generators, once for itself.
    assert calls == {"content": 2, "style": 2, "decoder": 1, "critic": 2}


@pytest.mark.parametrize(("run", "config"), [(train, PLAIN), (weighted, SHORT)])
def test_training_repeats_to_the_bit_and_resumes(
    run: Any, config: MUNITConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = pictures(), pictures(seed=1)
    extra = {"classes": (torch.arange(10) % 2, torch.arange(10) % 3)}
    whole = run(x, y, config, 3, **extra)
    path = tmp_path / "run.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(training, "fit", killed_fit(2))
        with pytest.raises(Stop):
            run(x, y, config, 3, checkpoint=path, **extra)
    resumed = run(x, y, config, 3, checkpoint=path, **extra)
    for a, b in zip(whole.networks, resumed.networks, strict=True):
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            assert torch.equal(p, q)
    assert torch.equal(whole.losses, resumed.losses)
    assert torch.equal(whole.record.totals, resumed.record.totals)
    assert torch.equal(whole.record.shares, resumed.record.shares)


def test_a_checkpoint_without_weight_nets_is_refused_by_a_run_with_them(tmp_path: Path) -> None:
    x, y, path = pictures(), pictures(seed=1), tmp_path / "run.safetensors"
    short = dataclasses.replace(SHORT, steps=1)
    train(x, y, short, checkpoint=path)
    with pytest.raises(CheckpointError, match="players differ"):
        weighted(x, y, short, checkpoint=path)


CHOSEN: dict[str, Any] = {"size": 32, "critic_layers": 2, "scales": 1, "halve_every": 1, "steps": 3}
# Half as much again would move the pictures of so short a training by less than they are rounded.
CHOSEN["lr_weights"] = 100 * SHORT.lr_weights
CHOSEN |= {"halvings": 1, "lambda_cycle": 10.0}


@cache
def outcome(config: WeightedConfig) -> Tensor:
    """Translations after a training, on images of the configuration's size."""
    x, y = (pictures(seed=s, size=config.size) for s in (0, 1))
    networks = weighted(x, y, config).networks
    return translate(networks.x, networks.y, pictures(3))


@pytest.mark.parametrize("field", dataclasses.fields(WeightedConfig), ids=lambda f: f.name)
def test_every_setting_changes_the_result(field: dataclasses.Field[float]) -> None:
    value = getattr(SHORT, field.name)
    other = CHOSEN.get(field.name, value * (2 if value >= 1 else 1.5))
    assert not torch.equal(
        outcome(SHORT), outcome(dataclasses.replace(SHORT, **{field.name: other}))
    )


def test_record_of_the_weighted_masses() -> None:
    x, y = pictures(), pictures(seed=1)
    classes = torch.arange(10) % 2, torch.arange(10) % 3
    trained = weighted(x, y, SHORT, classes=classes)
    assert trained.record.totals.shape == (4, 2, 3)
    torch.testing.assert_close(trained.record.totals.sum(2), torch.ones(4, 2))
    assert not trained.record.totals[:, 0, 2].any()  # x has two classes
    for network in trained.networks:
        assert not any(p.requires_grad for p in network.parameters())


def test_a_weight_net_that_is_not_finite_stops_the_training() -> None:
    x, y = pictures(), pictures(seed=1)
    weighting = composite(SHORT)
    next(weighting.weight_y.parameters()).data.fill_(torch.nan)
    with pytest.raises(TrainingError, match="the loss of 'generators' is nan at step 0"):
        train(x, y, SHORT, weighting=weighting)


@pytest.mark.parametrize("preset", [QUICK, QUICK_WEIGHTED], ids=["plain", "weighted"])
def test_quick_presets_take_a_step(preset: MUNITConfig) -> None:
    short = dataclasses.replace(preset, steps=1)
    run: Any = weighted if preset is QUICK_WEIGHTED else train
    trained = run(pictures(), pictures(10, 3, 1), short)
    assert translate(trained.networks.x, trained.networks.y, pictures(3)).shape == (3, 3, 16, 16)


# ---- translation


def test_style_codes_come_from_the_seed_or_from_images() -> None:
    networks = training.build(PLAIN)
    a, b, x = networks.x, networks.y, pictures(5)
    z = draw_styles(5, 3, gen(7))
    once = translate(a, b, x, 7)
    assert torch.equal(once, restyle(a, b, x, z))
    assert not torch.equal(once, translate(a, b, x, 8))
    torch.testing.assert_close(restyle(a, a, x, a.style(x)), a(x))


def test_style_codes_are_standard_normal() -> None:
    z = draw_styles(20_000, 3, gen())
    assert float(z.mean()) == pytest.approx(0, abs=0.02)
    assert float(z.var()) == pytest.approx(1, abs=0.02)


# ---- refusals


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (pictures(size=32), r"shape \(10, 1, 32, 32\); .* sides of 16 pixels"),
        (pictures()[:0], "n at least 1"),
        (pictures()[0], r"give \(n, C, H, W\)"),
        (pictures() * 2, r"scale them to \[-1, 1\]"),
        (torch.full((2, 1, 16, 16), torch.nan), r"scale them to \[-1, 1\]"),
    ],
)
def test_bad_images_are_refused(images: Tensor, message: str) -> None:
    for pair in ((images, pictures()), (pictures(), images)):
        with pytest.raises(ValueError, match=message):
            train(*pair, SHORT)


def test_classes_that_do_not_fit_the_images_are_refused() -> None:
    nine, ten = torch.zeros(9).long(), torch.zeros(10).long()
    for classes in ((nine, ten), (ten, nine)):
        with pytest.raises(ValueError, match="one class per example"):
            train(pictures(), pictures(), SHORT, classes=classes)


def test_weights_without_their_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"weights with a MUNITConfig .*; give a WeightedConfig"):
        train(pictures(), pictures(), PLAIN, weighting=composite(SHORT))


def test_styles_that_do_not_fit_the_images_are_refused() -> None:
    networks = training.build(PLAIN)
    with pytest.raises(ValueError, match="2 style codes for 3 images"):
        restyle(networks.x, networks.y, pictures(3), torch.zeros(2, 3))
