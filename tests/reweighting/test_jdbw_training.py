"""Algorithm 1 of JD-BW: the game's losses, its bookkeeping, its stops."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from still import losses_of, still
from torch import nn
from toyrun import Stop, killed_fit

from domain_translation.reweighting import images, joint, masses, toy
from domain_translation.reweighting.config import ImageConfig
from domain_translation.reweighting.joint import Networks
from domain_translation.reweighting.record import Record
from domain_translation.reweighting.weighting import BatchWeights, Equal, Pairs
from domain_translation.training import Player, Step, TrainingError
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.trained import Trained

TEAM = ("generators", "weights", "discriminator")
P, Q = [0.6, 0.3, 0.1], [0.1, 0.3, 0.6]
TINY = toy.ToyConfig(steps=6, batch=16, critic_steps=2, width=8)
IMAGES = ImageConfig(
    steps=2, batch=4, critic_steps=1, size=16, width=4, blocks=2, critic_width=4, weight_width=4
)


def domains(n: int = 200) -> tuple[toy.Clusters, toy.Clusters]:
    return toy.sample(n, P, 0), toy.sample(n, Q, 1, shifted=True)


def tiny(config: toy.ToyConfig = TINY, checkpoint: Path | None = None) -> Trained[Networks, Record]:
    x, y = domains()
    return joint.train(
        x.x, y.x, toy.networks(config, 0), config, classes=(x.y, y.y), checkpoint=checkpoint
    )


def state(networks: Networks) -> dict[str, torch.Tensor]:
    return {f"{i}.{k}": v for i, n in enumerate(networks) for k, v in n.state_dict().items()}


def test_the_gap_is_the_weighted_difference_of_algorithm_1() -> None:
    minus, plus = torch.tensor([1.0, 2.0]), torch.tensor([5.0, 7.0])
    weights = BatchWeights(torch.tensor([0.9, 0.1]), torch.tensor([0.25, 0.75]))
    by_hand = (1 * (0.5 + 0.9) + 2 * (0.5 + 0.1)) / 2 - (5 * (0.5 + 0.25) + 7 * (0.5 + 0.75)) / 2
    assert float(joint.gap((minus, plus), weights)) == pytest.approx(by_hand)


def test_one_pass_of_the_critic_gives_both_values() -> None:
    g = torch.Generator().manual_seed(0)
    pairs = Pairs(*(torch.randn(5, 2, generator=g) for _ in range(4)))
    critic = toy.PairCritic(8)
    minus, plus = joint.critic_values(pairs, critic)
    torch.testing.assert_close(minus, critic(pairs.x, pairs.gx))
    torch.testing.assert_close(plus, critic(pairs.fy, pairs.y))


class Plane(nn.Module):
    """D(x, y) = a.x + b.y, of known gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = (nn.Parameter(torch.tensor(v)) for v in ([3.0, 0.0], [0.0, 4.0]))

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x @ self.a + y @ self.b


def test_steepness_is_the_squared_gradient_norm() -> None:
    points = Pairs(*(torch.randn(6, 2).requires_grad_() for _ in range(4)))
    values = joint.critic_values(points, Plane())
    # |(a, b)|^2 = 25 at each of the 12 pairs
    assert joint.steepness(values, points).item() == pytest.approx(25.0)


class Times(nn.Module):
    """A translator x -> by x that has no use for its noise."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return self.by * x


class Fixed(nn.Module):
    """A weighting that says the same of every batch."""

    def __init__(self, weights: BatchWeights) -> None:
        super().__init__()
        self.x, self.y = nn.Parameter(weights.x), nn.Parameter(weights.y)

    def forward(self, pairs: Pairs, bound: float) -> BatchWeights:
        return BatchWeights(1 * self.x, 1 * self.y)


def test_the_losses_of_one_step_are_those_of_algorithm_1() -> None:
    """Generators lower L^- - L^+, weight nets its square, and each turn of the critic raises it."""
    (x, _), (y, _) = domains(9)
    w = BatchWeights(torch.tensor([0.6, 0.3, 0.1]), torch.tensor([0.2, 0.3, 0.5]))
    networks = Networks(Times(2.0), Times(0.5), Plane(), Fixed(w))
    config = replace(TINY, critic_steps=2, penalty=3.0)
    rows = torch.arange(9).reshape(3, 3), torch.arange(8, -1, -1).reshape(3, 3)

    def gap(turn: int) -> float:
        sources, targets = x[rows[0][turn]], y[rows[1][turn]]
        minus = 3 * sources[:, 0] + 4 * (2 * sources[:, 1])  # D(x, G(x))
        plus = 3 * (0.5 * targets[:, 0]) + 4 * targets[:, 1]  # D(F(y), y)
        return float(((1 / 3 + w.x) / 2) @ minus - ((1 / 3 + w.y) / 2) @ plus)

    def step(players: dict[str, Player]) -> Step:
        record = Record(config.steps, config.clip_first, config.clip_last)
        return joint.algorithm1(x, y, networks, config, record, players)

    expected = {
        "generators": gap(0),
        "weights": gap(0) ** 2,
        "discriminator, turn 1": 3 * 25 - gap(1),
        "discriminator, turn 2": 3 * 25 - gap(2),
    }
    reported = step(still(TEAM))(rows, torch.Generator())
    assert list(reported) == list(expected)
    losses = losses_of(step, TEAM, rows)
    for found in (reported.values(), losses):
        assert [v.item() for v in found] == pytest.approx(list(expected.values()), rel=1e-5)
    # No loss reaches those whom nothing but its own player's network should teach.
    generators = networks.forward, networks.backward
    weights, critic = networks.weighting, networks.discriminator
    for loss, others in zip(
        losses,
        ([weights], [*generators, critic], [*generators, weights], [*generators, weights]),
        strict=True,
    ):
        each = [p for network in others for p in network.parameters()]
        assert set(torch.autograd.grad(loss, each, allow_unused=True)) == {None}


@pytest.mark.parametrize("killed_at", [1, 4])
def test_a_resumed_run_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    whole = tiny()
    file = tmp_path / "run.safetensors"
    monkeypatch.setattr(joint, "fit", killed_fit(killed_at))
    with pytest.raises(Stop):
        tiny(checkpoint=file)
    monkeypatch.undo()
    again = tiny(checkpoint=file)
    for name, value in state(whole.networks).items():
        assert torch.equal(value, state(again.networks)[name]), name
    assert torch.equal(whole.record.totals, again.record.totals)
    assert torch.equal(whole.record.shares, again.record.shares)
    assert torch.equal(whole.losses, again.losses)


def test_a_checkpoint_of_equal_weights_is_no_beginning_of_learned_ones(tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    x, y = domains()
    networks = toy.networks(TINY, 0)
    joint.train(x.x, y.x, networks._replace(weighting=Equal()), TINY, checkpoint=file)
    with pytest.raises(CheckpointError, match="players differ"):
        joint.train(x.x, y.x, networks, TINY, checkpoint=file)


def test_every_network_moves_and_is_frozen_afterwards() -> None:
    before = state(toy.networks(TINY, 0))
    found = tiny()
    for i, network in enumerate(found.networks):
        assert any(
            not torch.equal(before[k], v)
            for k, v in state(found.networks).items()
            if k.startswith(f"{i}.")
        )
        assert not any(p.requires_grad for p in network.parameters())


def test_equal_weights_record_the_raw_masses() -> None:
    config = replace(TINY, steps=40, batch=64)
    x, y = domains(2000)
    networks = toy.networks(config, 0)._replace(weighting=Equal())
    found = joint.train(x.x, y.x, networks, config, classes=(x.y, y.y))
    assert found.losses.shape == (40, 1 + config.critic_steps)  # no player for the weights
    torch.testing.assert_close(
        found.record.totals.mean(0), torch.tensor([P, Q]), atol=0.04, rtol=0.0
    )
    torch.testing.assert_close(found.record.shares, torch.ones(40, 2))


def test_without_classes_only_shares_are_recorded() -> None:
    x, y = domains()
    found = joint.train(x.x, y.x, toy.networks(TINY, 0), TINY)
    assert found.record.totals.shape == (TINY.steps, 2, 0)
    assert bool((found.record.shares > 0).all() & (found.record.shares <= 1 + 1e-6).all())


def test_images_train_with_every_design_of_weights() -> None:
    g = torch.Generator().manual_seed(0)
    x, y = torch.rand(8, 1, 16, 16, generator=g) * 2 - 1, torch.rand(8, 3, 16, 16, generator=g)
    for weighting in images.WEIGHTINGS:
        networks = images.networks(IMAGES, (1, 3), weighting)
        found = joint.train(x, y, networks, IMAGES)
        assert bool(found.losses.isfinite().all())
        assert images.translate(found.networks.forward, x, IMAGES.noise).shape == (8, 3, 16, 16)


def test_translations_repeat_with_the_seed() -> None:
    generator = images.networks(IMAGES).forward.eval()
    x = torch.zeros(3, 1, 16, 16)
    a, b, c = (images.translate(generator, x, IMAGES.noise, seed) for seed in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_points_are_translated_like_images() -> None:
    x, generator = domains()[0].x, toy.networks(TINY, 0).forward
    assert images.translate(generator, x, TINY.noise).shape == x.shape


def test_a_lost_weight_net_stops_the_run_and_says_where() -> None:
    networks = toy.networks(TINY, 0)
    with torch.no_grad():
        next(networks.weighting.parameters())[0, 0] = float("nan")
    x, y = domains()
    with pytest.raises(TrainingError, match="loss of 'generators' is nan at step 0"):
        joint.train(x.x, y.x, networks, TINY)


def test_bad_domains_are_refused() -> None:
    x = torch.zeros(4, 1, 16, 16)
    networks = images.networks(IMAGES)
    with pytest.raises(ValueError, match="one size for both domains"):
        joint.train(x, torch.zeros(4, 1, 32, 32), networks, IMAGES)
    with pytest.raises(ValueError, match="n at least 1"):
        joint.train(x, x[:0], networks, IMAGES)
    with pytest.raises(ValueError, match="one class per example"):
        joint.train(x, x, networks, IMAGES, classes=(torch.zeros(4), torch.zeros(3)))


# ---- the toy


def test_toy_clusters_have_their_shares_and_places() -> None:
    points = toy.sample(20_000, P, 3, shifted=True)
    shares = torch.bincount(points.y, minlength=3) / 20_000
    torch.testing.assert_close(shares, torch.tensor(P), atol=0.015, rtol=0.0)
    assert torch.equal(toy.cluster_of(points.x, 3, shifted=True), points.y)
    means = torch.stack([points.x[points.y == k].mean(0) for k in range(3)])
    torch.testing.assert_close(means, toy.centres(3, shifted=True), atol=0.02, rtol=0.0)


def test_toy_draws_refuse_nonsense() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        toy.sample(0, P, 0)
    with pytest.raises(ValueError, match=r"sum to 0\.9"):
        toy.sample(5, [0.5, 0.4], 0)


def test_weights_keep_clusters_where_equal_weights_mix_them() -> None:
    """The point of the paper on its smallest case, at a third of the chapter's length."""
    config = toy.ToyConfig(steps=200)
    x, y = toy.sample(2000, P, 10), toy.sample(2000, Q, 20, shifted=True)
    test = toy.sample(600, [1 / 3] * 3, 30)
    kept, found = {}, {}
    for name in ("weights", "equal"):
        networks = toy.networks(config, 0)
        if name == "equal":
            networks = networks._replace(weighting=Equal())
        found[name] = joint.train(x.x, y.x, networks, config, classes=(x.y, y.y))
        moved = images.translate(found[name].networks.forward, test.x, config.noise)
        right = toy.cluster_of(moved, 3, shifted=True) == test.y
        kept[name] = float(right.float().mean())
    assert kept["weights"] > 0.95
    assert kept["equal"] < 0.85
    late = found["weights"].record.totals[-50:].mean(0)
    assert float((late - masses.midpoint(P, Q)).abs().max()) < 0.05
