"""CycleGAN with batch weights: its losses against hand sums, its bookkeeping, its refusals."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
from still import losses_of
from torch import Generator, Tensor, nn

from domain_translation.reweighting.record import Record
from domain_translation.reweighting.weight_nets import composite
from domain_translation.reweighting.weighting import BatchWeights, Equal, halfway
from domain_translation.training import TrainingError
from domain_translation.training.trained import Trained
from domain_translation.translators import cyclegan
from domain_translation.translators.cyclegan import CycleGAN, CycleGANConfig, WeightedConfig, images
from domain_translation.translators.cyclegan.pool import ImagePool

TINY = replace(cyclegan.WEIGHTED, width=2, blocks=1, batch=4, steps=3, weight_width=2)


def pictures(n: int, seed: int) -> Tensor:
    return torch.rand(n, 1, 16, 16, generator=Generator().manual_seed(seed)) * 2 - 1


X, Y = pictures(12, 0), pictures(10, 1)
CLASSES = torch.arange(12) % 3, torch.arange(10) % 3
BATCH = X[:4], Y[:4], torch.arange(4), torch.arange(4)


def losses(networks: CycleGAN, weighting: nn.Module) -> list[Tensor]:
    """Of generators, critics and weight nets, in one step on `BATCH`."""
    record, pools = Record(TINY.steps, TINY.clip_first, TINY.clip_last), [ImagePool(0, ())] * 2
    names = ["generators", "critics"] + ["weights"] * (not isinstance(weighting, Equal))
    return losses_of(
        lambda team: images.cyclegan_step(
            networks._replace(weighting=weighting), TINY, record, pools, team
        ),
        names,
        BATCH,
    )


def found_again(networks: CycleGAN) -> Tensor:
    """Cycle and identity losses of `BATCH`, as they count."""
    forward, backward = networks[:2]
    x, y = BATCH[:2]
    cycle = (backward(forward(x)) - x).abs().mean() + (forward(backward(y)) - y).abs().mean()
    same = (backward(x) - x).abs().mean() + (forward(y) - y).abs().mean()
    return 10 * (cycle + 0.5 * same)


def test_equal_weights_give_cyclegans_losses() -> None:
    networks = images.build(TINY, 0, (1, 1))
    generators, critics = losses(networks, Equal())
    forward, backward, critic_x, critic_y, _ = networks
    gx, fy = forward(X[:4]), backward(Y[:4])
    fool = (critic_y(gx) - 1).square().mean() + (critic_x(fy) - 1).square().mean()
    torch.testing.assert_close(generators, fool + found_again(networks))
    real = (critic_x(X[:4]) - 1).square().mean() + (critic_y(Y[:4]) - 1).square().mean()
    fake = critic_x(fy).square().mean() + critic_y(gx).square().mean()
    torch.testing.assert_close(critics, (real + fake) / 2)


class Fixed(nn.Module):
    """A weighting that says the same of every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor([0.1, 0.2, 0.3, 0.4]))
        self.y = nn.Parameter(torch.tensor([0.7, 0.1, 0.1, 0.1]))

    def forward(self, pairs: object, bound: float) -> BatchWeights:
        return BatchWeights(self.x, self.y)


def squares(scores: Tensor, target: float) -> Tensor:
    return (scores - target).square().flatten(1).mean(1)


def test_weights_multiply_the_game_of_their_images() -> None:
    """In the game x -> y, translated x count with the weights of x and real y with those of y."""
    networks, weighting = images.build(TINY, 0, (1, 1)), Fixed()
    generators, critics, nets = losses(networks, weighting)
    forward, backward, critic_x, critic_y, _ = networks
    a, b = halfway(weighting.x), halfway(weighting.y)
    gx, fy = forward(X[:4]), backward(Y[:4])
    fool = (squares(critic_y(gx), 1) * a).sum() + (squares(critic_x(fy), 1) * b).sum()
    torch.testing.assert_close(generators, fool + found_again(networks))
    scores = [critic_y(gx), critic_y(Y[:4]), critic_x(fy), critic_x(X[:4])]
    on_gx, on_y, on_fy, on_x = scores
    in_y = (squares(on_gx, 0) * a).sum() + (squares(on_y, 1) * b).sum()
    in_x = (squares(on_fy, 0) * b).sum() + (squares(on_x, 1) * a).sum()
    torch.testing.assert_close(critics, (in_y + in_x) / 2)
    gx_value, y_value, fy_value, x_value = (s.flatten(1).mean(1) for s in scores)
    left_y = (gx_value * a).sum() - (y_value * b).sum()
    left_x = (fy_value * b).sum() - (x_value * a).sum()
    torch.testing.assert_close(nets, left_y.square() + left_x.square())


def test_every_player_moves_by_its_own_loss_alone() -> None:
    networks, weighting = images.build(TINY, 0, (1, 1)), Fixed()
    generators, critics, nets = losses(networks, weighting)
    forward, _, critic_x, *_ = networks
    for loss, others in (
        (generators, [*weighting.parameters()]),
        (critics, [*weighting.parameters(), *forward.parameters()]),
        (nets, [*forward.parameters(), *critic_x.parameters()]),
    ):
        back = torch.autograd.grad(loss, others, allow_unused=True, retain_graph=True)
        assert back == (None,) * len(others)
    assert all(g.abs().sum() > 0 for g in torch.autograd.grad(nets, [*weighting.parameters()]))


def train(config: WeightedConfig = TINY, **options: object) -> Trained[CycleGAN, Record]:
    weighting = composite(config, 0)
    return cyclegan.train_cyclegan(X, Y, config, weighting=weighting, **options)  # type: ignore[arg-type]


def test_everything_moves_and_is_recorded() -> None:
    found = train(classes=CLASSES)
    untrained = composite(TINY, 0)
    for a, b in zip(found.networks.weighting.parameters(), untrained.parameters(), strict=True):
        assert not torch.equal(a, b)
    assert found.record.totals.shape == (3, 2, 3)
    torch.testing.assert_close(found.record.totals.sum(-1), torch.ones(3, 2))
    assert found.losses.shape == (3, 3)
    assert (found.record.shares < 1).all()
    assert not any(p.requires_grad for n in found.networks for p in n.parameters())


def test_without_weights_the_record_is_of_the_masses_as_they_are() -> None:
    found = cyclegan.train_cyclegan(X, Y, TINY, classes=CLASSES)
    assert found.losses.shape == (3, 2)
    torch.testing.assert_close(found.record.shares, torch.ones(3, 2))
    torch.testing.assert_close(
        (4 * found.record.totals).round(), 4 * found.record.totals
    )  # of 4 images
    assert cyclegan.train_cyclegan(X, Y, TINY).record.totals.shape == (3, 2, 0)


def test_weight_nets_with_bound_zero_leave_the_translators_as_they_are() -> None:
    level = train(replace(TINY, clip_first=0.0, clip_last=0.0))
    plain = cyclegan.train_cyclegan(X, Y, TINY)
    torch.testing.assert_close(level.losses[:, :2], plain.losses)


OF_WEIGHTS = {f.name for f in fields(WeightedConfig)} - {f.name for f in fields(CycleGANConfig)}


@pytest.mark.parametrize("name", sorted(OF_WEIGHTS))
def test_every_setting_of_the_weights_changes_the_result(name: str) -> None:
    short = replace(TINY, clip_first=0.01, clip_last=0.02)
    other = replace(short, **{name: getattr(short, name) * 2})
    assert not torch.equal(train(short).record.shares, train(other).record.shares)


def test_a_weight_net_that_is_not_finite_stops_the_training() -> None:
    weighting = composite(TINY, 0)
    next(weighting.weight_y.parameters()).data.fill_(torch.nan)
    with pytest.raises(TrainingError, match="the loss of 'generators' is nan at step 0"):
        cyclegan.train_cyclegan(X, Y, TINY, weighting=weighting)


@pytest.mark.parametrize(
    ("config", "given"),
    [
        (replace(TINY, pool=3), "a WeightedConfig and a pool of 3"),
        (CycleGANConfig(size=16, pool=0), "a CycleGANConfig and a pool of 0"),
        (cyclegan.QUICK, "a CycleGANConfig and a pool of 50"),
    ],
)
def test_weights_beside_a_pool_or_without_settings_are_refused(
    config: CycleGANConfig, given: str
) -> None:
    x = torch.zeros(4, 1, config.size, config.size)
    with pytest.raises(ValueError, match=f"weights with {given}; give a WeightedConfig"):
        cyclegan.train_cyclegan(x, x, config, weighting=composite(TINY, 0))


def test_bad_settings_images_and_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="two or more"):
        replace(TINY, batch=1)
    with pytest.raises(ValueError, match="first <= last"):
        replace(TINY, clip_first=9.0)
    with pytest.raises(ValueError, match=r"scale them to \[-1, 1\]"):
        cyclegan.train_cyclegan(X * 3, Y, TINY, weighting=composite(TINY, 0))
    with pytest.raises(ValueError, match="one class per example"):
        train(classes=(CLASSES[1], CLASSES[1]))
