"""The training loop: what it computes, and that an interrupted run ends like a whole one."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor, nn
from toyrun import STEPS, Game, Stop, data, game, killed, run, same

from domain_translation import runtime
from domain_translation.energies.average import Average
from domain_translation.energies.guard import Trace
from domain_translation.energies.toy import Memory
from domain_translation.reweighting.record import Record
from domain_translation.training import (
    Batch,
    Losses,
    Player,
    Stateful,
    checkpoints,
    fit,
    linear_decay,
    unpaired,
)
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.translators.cyclegan.pool import ImagePool


def test_it_is_the_textbook_loop() -> None:
    x = data()
    with runtime.seeded(0):
        ours, theirs = nn.Linear(3, 3), nn.Linear(3, 3)
    theirs.load_state_dict(ours.state_dict())

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        return (model(batch) - batch).square().mean()

    player = Player(ours, 0.01)

    def step(batch: Batch, _: Generator) -> Losses:
        return {"ours": player.descend(loss(ours, batch[0]))}

    losses = fit(step, {"ours": player}, unpaired(8, x), STEPS, seed=5)
    generator = Generator().manual_seed(5)
    optimiser = torch.optim.Adam(theirs.parameters(), lr=0.01)
    for k in range(STEPS):
        value = loss(theirs, x[torch.randint(len(x), (8,), generator=generator)])
        optimiser.zero_grad()
        torch.autograd.backward(value)
        optimiser.step()
        assert losses[k, 0] == pytest.approx(value.item(), rel=1e-5)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_each_player_moves_its_own_weights_only() -> None:
    model, critic = nn.Linear(3, 3), nn.Linear(3, 1)
    before = [p.detach().clone() for p in (*model.parameters(), *critic.parameters())]
    loss = Player(model, 0.01, (0.5, 0.9)).descend(critic(model(data())).mean())
    assert not loss.requires_grad
    assert same(before[2:], critic.parameters())
    assert not any(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=False))
    assert all(p.grad is None for p in (*model.parameters(), *critic.parameters()))


def test_layers_that_a_loss_did_not_use_stay_where_they_are() -> None:
    """Also after steps that used them: Adam's momentum would carry them on."""
    old, new = nn.Linear(3, 1), nn.Linear(3, 1)
    player = Player(nn.ModuleList([old, new]), 0.01)
    player.descend((old(data()) + new(data())).square().mean())
    before = old.weight.detach().clone(), new.weight.detach().clone()
    player.descend(new(data()).square().mean())
    assert torch.equal(old.weight, before[0])
    assert not torch.equal(new.weight, before[1])


@pytest.mark.parametrize("killed_at", [1, 11, STEPS - 1])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path: Path, killed_at: int) -> None:
    whole = game()
    expected = run(whole)

    path = tmp_path / "run.safetensors"
    with pytest.raises(Stop):
        run(game(killed(killed_at)), path)
    resumed_steps: list[int] = []
    resumed = game(resumed_steps.append)
    losses = run(resumed, path)
    assert len(resumed_steps) == STEPS - killed_at
    assert same(whole.weights(), resumed.weights())
    assert torch.equal(losses, expected)


class Remembering:
    """A game beside everything that a step of the package remembers."""

    def __init__(self, killed_at: int = STEPS) -> None:
        self.game = game()
        model = self.game.players["model"].model
        classes = torch.arange(50) % 3
        self.average, self.trace = Average(model, 0.9), Trace(STEPS)
        self.memory, self.pool = Memory(torch.zeros(8, 3)), ImagePool(3, (3,))
        self.record = Record(STEPS, 0.5, 3.0, (classes,), sides=1)
        self.state: dict[str, Stateful] = {
            name: getattr(self, name) for name in ("average", "trace", "memory", "pool", "record")
        }
        self.killed_at, self.bounds = killed_at, list[float]()

    def step(self, batch: Batch, generator: Generator) -> Losses:
        """The game's step on a batch that depends on what is remembered."""
        if self.record.step == self.killed_at:
            raise Stop
        x = self.pool.exchange(batch[0], generator) + 0.1 * self.memory.chains
        self.memory.chains = x.detach()
        losses = self.game.step((x,), generator)
        self.average.update(self.game.players["model"].model)
        fade = len(self.trace) / STEPS
        self.trace.add(x[:, 0], x[:, 1], x[..., None, None], x[..., None, None], fade)
        self.bounds.append(self.record.bound())
        self.record.add((torch.arange(len(x)),), (x[:, 2].softmax(0),))
        return losses

    def remembered(self) -> list[Tensor]:
        return [t for part in self.state.values() for t in part.state_dict().values()]


def test_what_a_step_remembers_is_resumed_with_it(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"

    def train(it: Remembering, checkpoint: Path | None = None) -> Tensor:
        return run(it.game._replace(step=it.step), checkpoint, state=it.state)

    whole, killed, resumed = Remembering(), Remembering(killed_at=10), Remembering()
    expected = train(whole)
    with pytest.raises(Stop):
        train(killed, path)
    assert torch.equal(train(resumed, path), expected)
    assert same(whole.game.weights(), resumed.game.weights())
    assert same(whole.remembered(), resumed.remembered())
    assert killed.bounds + resumed.bounds == whole.bounds
    assert len(resumed.trace) == resumed.record.step == resumed.average.updates == STEPS


def test_a_full_disk_half_way_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = game()
    run(whole)
    path = tmp_path / "run.safetensors"
    sync, writes = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal writes
        writes += 1
        if writes == 10:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CheckpointError, match="previous checkpoint is intact"):
        run(game(), path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert checkpoints.load(path).card["step"] == 9
    resumed = game()
    run(resumed, path)
    assert same(whole.weights(), resumed.weights())


def test_a_finished_run_is_read_back_without_training(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    first = game()
    losses = run(first, path)
    steps: list[int] = []
    again = game(steps.append)
    assert torch.equal(run(again, path), losses)
    assert steps == []
    assert same(first.weights(), again.weights())


@pytest.mark.parametrize("killed_at", [9, STEPS])
def test_the_card_tells_what_the_run_was(tmp_path: Path, killed_at: int) -> None:
    path = tmp_path / "run.safetensors"
    with contextlib.suppress(Stop):
        run(game(killed(killed_at)), path, data_sha256="abc")
    losses = run(game(), path, data_sha256="abc")
    card = checkpoints.load(path).card
    identity = {"config": {"width": 4}, "data_sha256": "abc", "seed": 5}
    assert card["run"] == identity | {"players": ["model", "critic"]}
    assert card["step"] == STEPS
    assert card["losses"] == ["model", "critic"]
    assert card["loss"] == {"model": losses[-1, 0].item(), "critic": losses[-1, 1].item()}
    assert card["versions"]["torch"] == torch.__version__.partition("+")[0]


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    run(game(), path, data_sha256="abc")
    with pytest.raises(CheckpointError, match=r"another run \(data_sha256 differ\)"):
        run(game(), path, data_sha256="def")
    step, players = game()
    with pytest.raises(CheckpointError, match=r"another run \(players differ\)"):
        run(Game(step, {"model": players["model"]}), path, data_sha256="abc")


def test_a_checkpoint_past_the_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    run(game(), path, steps=5)
    with pytest.raises(CheckpointError, match="at step 5, past the 4 steps"):
        run(game(), path, steps=4)


def test_unpaired_minibatches_reach_everything_independently() -> None:
    a, b = torch.arange(5.0), torch.arange(7.0)
    draw, generator = unpaired(4000, a, b), Generator().manual_seed(0)
    x, y = draw(generator)
    assert set(x.tolist()) == set(a.tolist())
    assert set(y.tolist()) == set(b.tolist())
    assert abs(torch.corrcoef(torch.stack([x, y]))[0, 1]) < 0.06
    with pytest.raises(ValueError, match="empty"):
        unpaired(4, a, torch.empty(0, 2))


def test_the_learning_rate_decays_linearly_to_zero() -> None:
    schedule = linear_decay(100)
    assert [schedule(s) for s in (0, 50, 75, 100)] == [1.0, 1.0, 0.5, 0.0]
    played = game()
    run(played, steps=100)
    rates = {name: p.optimiser.param_groups[0]["lr"] for name, p in played.players.items()}
    assert rates == {"model": pytest.approx(0.01 * 0.02), "critic": pytest.approx(0.02 * 0.02)}


def test_lower_precision_still_learns() -> None:
    """Autocast around the whole loop would keep the first step's weights in its cache."""
    x = torch.randn(64, 4, generator=Generator().manual_seed(0))
    player = Player(nn.Linear(4, 4), 0.05)

    def step(batch: Batch, _: Generator) -> Losses:
        with runtime.lowered("bfloat16", "cpu"):
            out = player.model(batch[0])
        assert out.dtype == torch.bfloat16
        return {"net": player.descend((out.float() - batch[0]).square().mean())}

    losses = fit(step, {"net": player}, unpaired(32, x), 200)
    assert losses[-1] < losses[0] / 20


def test_the_memory_order_of_a_gradient_does_not_matter() -> None:
    """A channels-last network has channels-last gradients, which fused Adam reads by address."""
    x = torch.randn(2, 4, 6, 6, generator=Generator().manual_seed(0))

    def trained(memory_format: torch.memory_format) -> Tensor:
        with runtime.seeded(0):
            model = nn.Conv2d(4, 8, 3)
        player = Player(model, 1e-2)
        for _ in range(3):
            player.descend(model(x.contiguous(memory_format=memory_format)).square().mean())
        return model.weight.detach()

    torch.testing.assert_close(trained(torch.channels_last), trained(torch.contiguous_format))
