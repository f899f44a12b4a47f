"""IrwGAN on the planar toy: its three losses by hand, what its price does, and its runs."""

from pathlib import Path

import pytest
import torch
from still import losses_of, still
from torch import Tensor, nn
from toyrun import Stop, killed_fit

from domain_translation.reweighting import irwgan, toy
from domain_translation.reweighting.irwgan import Config, Networks
from domain_translation.reweighting.record import Record
from domain_translation.training import Player, Step
from domain_translation.training.trained import Trained

SMALL = Config(steps=4, batch=8, width=8)
TEAM = ("generators", "critics", "weights")
P, Q = (0.6, 0.3, 0.1), (0.1, 0.3, 0.6)


def data() -> tuple[toy.Clusters, toy.Clusters]:
    return toy.sample(200, P, seed=0), toy.sample(200, Q, seed=1, shifted=True)


class Times(nn.Module):
    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return self.by * x


class First(Times):
    def forward(self, x: Tensor) -> Tensor:
        return self.by * x[:, 0]


def test_weights_have_mean_one_and_follow_the_logits() -> None:
    x = torch.tensor([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]])
    w = irwgan.weights(First(0.5), x)
    assert float(w.detach().mean()) == pytest.approx(1.0)
    torch.testing.assert_close(w[1:] / w[:-1], torch.full((2,), 0.5).exp())


def test_the_losses_of_one_step_are_those_of_the_paper() -> None:
    """G(x) = 2x, F(y) = y/4, critics and logits read off the first coordinate."""
    (x, _), (y, _) = toy.sample(6, P, seed=0), toy.sample(6, Q, seed=1, shifted=True)
    nets = Networks(Times(2.0), Times(0.25), First(3.0), First(-1.0), First(4.0), First(0.5))
    config = Config(batch=3, lambda_cycle=5.0, lambda_identity=0.5, evenness=2.0, ignored=0.3)
    rows = torch.tensor([0, 2, 4]), torch.tensor([5, 3, 1])
    a, b = x[rows[0]], y[rows[1]]
    w, v = 3 * (4 * a[:, 0]).softmax(0), 3 * (0.5 * b[:, 0]).softmax(0)
    assert float(w.min()) < 0.3 < float(v.min())  # one example is ignored
    w_counted = torch.where(w > 0.3, w, 0.0)
    fooled_x, fooled_y = (-2 * a[:, 0] - 1) ** 2, (0.75 * b[:, 0] - 1) ** 2
    far_x, far_y = a.abs().mean(1), b.abs().mean(1)
    generators = (w_counted * (fooled_x + 5 * (0.5 * far_x + 0.5 * 0.75 * far_x))).mean()
    generators += (v * (fooled_y + 5 * (0.5 * far_y + 0.5 * 1.0 * far_y))).mean()
    critics = (w_counted * (3 * a[:, 0] - 1) ** 2).mean() + (v * (-b[:, 0] - 1) ** 2).mean()
    critics += ((-2 * a[:, 0]) ** 2).mean() + ((0.75 * b[:, 0]) ** 2).mean()
    chosen = (w * fooled_x).mean() + (v * fooled_y).mean() + 2 * (w.norm() + v.norm()) / 3
    expected = [float(loss) for loss in (generators, critics, chosen)]

    def step(players: dict[str, Player]) -> Step:
        return irwgan.irwgan_step(x, y, nets, config, Record(config.steps, 0, 0), players)

    losses = losses_of(step, TEAM, rows)
    reported = step(still(TEAM))(rows, torch.Generator())
    assert list(reported) == list(TEAM)
    for found in (reported.values(), losses):
        assert [v.item() for v in found] == pytest.approx(expected, rel=1e-5)
    # Nobody is taught by another player's loss.
    g, f, dx, dy, wx, wy = nets
    for loss, others in zip(losses, ([wx, wy], [g, f, wx, wy], [g, f, dx, dy]), strict=True):
        each = [p for network in others for p in network.parameters()]
        assert set(torch.autograd.grad(loss, each, allow_unused=True)) == {None}


@pytest.mark.parametrize("killed_at", [1, 3])
def test_a_run_repeats_and_resumes_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    x, y = data()

    def train(file: Path | None = None) -> Trained[Networks, Record]:
        nets = irwgan.networks(SMALL, seed=0)
        return irwgan.train(x.x, y.x, nets, SMALL, 0, classes=(x.y, y.y), checkpoint=file)

    whole, file = train(), tmp_path / "run.safetensors"
    monkeypatch.setattr(irwgan, "fit", killed_fit(killed_at))
    with pytest.raises(Stop):
        train(file)
    monkeypatch.undo()
    for again in (train(file), train()):
        assert torch.equal(whole.losses, again.losses)
        assert torch.equal(whole.record.totals, again.record.totals)
        assert torch.equal(whole.record.shares, again.record.shares)


def test_a_higher_price_makes_weights_more_even() -> None:
    x, y = data()
    shares = []
    for evenness in (0.0, 1000.0):
        config = Config(steps=120, batch=32, width=16, evenness=evenness, lr_weights=1e-2)
        found = irwgan.train(x.x, y.x, irwgan.networks(config, 0), config)
        shares.append(float(found.record.shares[-20:].mean()))
    assert shares[0] < 0.7
    assert shares[1] > 0.95


def test_domains_of_two_shapes_are_refused() -> None:
    x, y = data()
    with pytest.raises(ValueError, match="give one shape"):
        irwgan.train(x.x, y.x[:, :1], irwgan.networks(SMALL, 0), SMALL)
