"""One-sided batch weights: Algorithm 2 on the planar toy (jdbw.alg2, jdbw.claim.onesided)."""

from pathlib import Path

import pytest
import torch
from still import losses_of, still
from torch import nn
from toyrun import Stop, killed_fit

from domain_translation.reweighting import one_sided, toy
from domain_translation.reweighting.one_sided import OneSidedNetworks, weighted_gap
from domain_translation.reweighting.record import Record
from domain_translation.reweighting.toy import ToyConfig
from domain_translation.training import Player, Step, TrainingError
from domain_translation.training.trained import Trained

SMALL = ToyConfig(steps=4, batch=8, critic_steps=2, width=8)
TEAM = ("generator", "weights", "discriminator")
P, Q = (0.6, 0.3, 0.1), (0.1, 0.3, 0.6)


def data() -> tuple[toy.Clusters, toy.Clusters]:
    return toy.sample(200, P, seed=0), toy.sample(200, Q, seed=1, shifted=True)


def parameters(nets: OneSidedNetworks) -> torch.Tensor:
    return torch.cat([p.flatten() for net in nets for p in net.parameters()])


def test_the_gap_is_eq_7() -> None:
    fake, real = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 1.0])
    assert float(weighted_gap(fake, real, torch.tensor([0.5, 0.5, 0.0]))) == pytest.approx(1.0)


class Times(nn.Module):
    """x -> by x; as a translator it has no use for its noise."""

    def __init__(self, by: list[float]) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: torch.Tensor, noise: object = None) -> torch.Tensor:
        return self.by * x


class Dot(Times):
    def forward(self, x: torch.Tensor, noise: object = None) -> torch.Tensor:
        return x @ self.by


def test_the_losses_of_one_step_are_those_of_algorithm_2() -> None:
    """With D(y) = (3, 4).y, G(x) = 2x and logits 0.5 x_0, which stay within their bound."""
    (x, _), (y, _) = toy.sample(9, P, seed=0), toy.sample(9, Q, seed=1, shifted=True)
    nets = OneSidedNetworks(Times([2.0]), Dot([3.0, 4.0]), Dot([0.5, 0.0]))
    config = ToyConfig(steps=4, batch=3, critic_steps=2, penalty=3.0)
    rows = torch.arange(9).reshape(3, 3), torch.arange(8, -1, -1).reshape(3, 3)

    def sides(turn: int) -> tuple[float, float]:
        sources, targets = x[rows[0][turn]], y[rows[1][turn]]
        w = (0.5 * sources[:, 0]).exp()
        fake = 2 * (3 * sources[:, 0] + 4 * sources[:, 1])
        return float(w @ fake / w.sum()), float((3 * targets[:, 0] + 4 * targets[:, 1]).mean())

    (minus, plus), *turns = [sides(turn) for turn in range(3)]
    expected = [minus, (minus - plus) ** 2, *(3 * 25 - (low - high) for low, high in turns)]

    def step(players: dict[str, Player]) -> Step:
        record = Record(config.steps, config.clip_first, config.clip_last, sides=1)
        return one_sided.algorithm2(x, y, nets, config, record, players)

    reported = step(still(TEAM))(rows, torch.Generator())
    assert list(reported) == [*TEAM[:2], "discriminator, turn 1", "discriminator, turn 2"]
    losses = losses_of(step, TEAM, rows)
    for found in (reported.values(), losses):
        assert [v.item() for v in found] == pytest.approx(expected, rel=1e-5)
    # No loss reaches those whom nothing but its own player's network should teach.
    forward, critic, weight = nets
    for loss, others in zip(
        losses,
        ([weight], [forward, critic], [forward, weight], [forward, weight]),
        strict=True,
    ):
        each = [p for network in others for p in network.parameters()]
        assert set(torch.autograd.grad(loss, each, allow_unused=True)) == {None}


@pytest.mark.parametrize("killed_at", [1, 3])
def test_a_run_repeats_and_resumes_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    x, y = data()

    def train(file: Path | None = None) -> Trained[OneSidedNetworks, Record]:
        nets = one_sided.networks(SMALL, seed=0)
        return one_sided.train(x.x, y.x, nets, SMALL, 0, classes=x.y, checkpoint=file)

    whole, file = train(), tmp_path / "run.safetensors"
    monkeypatch.setattr(one_sided, "fit", killed_fit(killed_at))
    with pytest.raises(Stop):
        train(file)
    monkeypatch.undo()
    for again in (train(file), train()):
        assert torch.equal(parameters(whole.networks), parameters(again.networks))
        assert torch.equal(whole.losses, again.losses)
        assert torch.equal(whole.record.totals, again.record.totals)
        assert torch.equal(whole.record.shares, again.record.shares)


def test_the_record_holds_shares_and_class_masses() -> None:
    x, y = data()
    found = one_sided.train(x.x, y.x, one_sided.networks(SMALL, 0), SMALL, classes=x.y)
    assert found.losses.shape == (4, 4)
    assert found.record.totals[:, 0].sum(1).tolist() == pytest.approx([1.0] * 4)
    assert float(found.record.shares[:, 0].min()) >= 1 / 8 - 1e-6
    assert float(found.record.shares[:, 0].max()) <= 1 + 1e-6


def test_weights_under_a_fixed_discriminator_find_the_ratio() -> None:
    """With G the shift and D reading off the cluster, the weighted masses become q."""

    class Shift(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.idle = nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
            return x + torch.tensor(toy.SHIFT) + 0 * self.idle

    class Top(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.idle = nn.Parameter(torch.zeros(1))

        def forward(self, y: torch.Tensor) -> torch.Tensor:
            return (y[:, 1] > 0.8).float() + 0 * self.idle * y[:, 0]

    config = ToyConfig(
        steps=150, batch=256, critic_steps=1, clip_first=5, clip_last=5, lr_weights=1e-2
    )
    x = toy.sample(3000, (0.7, 0.3), seed=0)
    y = toy.sample(3000, (0.2, 0.8), seed=1, shifted=True)
    nets = OneSidedNetworks(Shift(), Top(), one_sided.networks(config, 0).weight)
    found = one_sided.train(x.x, y.x, nets, config, classes=x.y)
    assert float(found.record.totals[-50:, 0, 0].mean()) == pytest.approx(0.2, abs=0.04)
    assert found.record.shares[-50:].mean() < 0.8


def test_bad_input_is_refused() -> None:
    x, y = data()
    nets = one_sided.networks(SMALL, 0)
    with pytest.raises(ValueError, match="n at least 1"):
        one_sided.train(x.x[:0], y.x, nets, SMALL)
    with pytest.raises(ValueError, match="one class per example"):
        one_sided.train(x.x, y.x, nets, SMALL, classes=x.y[:3])


def test_nan_in_the_weight_net_stops_with_the_step() -> None:
    x, y = data()
    nets = one_sided.networks(SMALL, 0)
    next(nets.weight.parameters()).data.fill_(float("nan"))
    with pytest.raises(TrainingError, match="loss of 'generator' is nan at step 0"):
        one_sided.train(x.x, y.x, nets, SMALL)
