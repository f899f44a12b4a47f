"""The training loop: what it computes, and that an interrupted run ends like a whole one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from domain_translation import checkpoints, runtime, training
from domain_translation.checkpoints import CheckpointError
from domain_translation.training import Player, TrainingError, adam, fit, unpaired

STEPS = 24


class Stop(Exception):
    """Stands for a kill."""


def data() -> Tensor:
    return torch.randn(50, 3, generator=Generator().manual_seed(1))


def two_players(on_step: Callable[[int], None] = lambda step: None) -> list[Player]:
    """A noisy autoencoder and a critic of it; `on_step` is called once per minibatch."""
    with runtime.seeded(0):
        model, critic = nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    calls = 0

    def rebuild(batch: tuple[Tensor, ...], generator: Generator) -> Tensor:
        nonlocal calls
        on_step(calls)
        calls += 1
        (x,) = batch
        noisy = x + torch.randn(x.shape, generator=generator)
        loss: Tensor = (model(noisy) - x).square().mean() - 0.1 * critic(model(noisy)).mean()
        return loss

    def criticise(batch: tuple[Tensor, ...], _: Generator) -> Tensor:
        loss: Tensor = (critic(batch[0]) - 1).square().mean() + critic(
            model(batch[0])
        ).square().mean()
        return loss

    return [
        Player("model", model, rebuild, adam(model, 0.01)),
        Player("critic", critic, criticise, adam(critic, 0.02, (0.5, 0.9))),
    ]


def run(players: list[Player], path: Path | None = None, **more: Any) -> Tensor:
    schedule = training.linear_decay(STEPS)
    return fit(
        players,
        unpaired(8, data()),
        STEPS,
        seed=5,
        schedule=schedule,
        checkpoint=path,
        every_minutes=0.0,
        card={"config": {"width": 4}, **more},
    )


def weights(players: list[Player]) -> list[Tensor]:
    return [w for p in players for w in p.model.state_dict().values()]


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_it_is_the_textbook_loop() -> None:
    x = data()
    with runtime.seeded(0):
        ours, theirs = nn.Linear(3, 3), nn.Linear(3, 3)
    theirs.load_state_dict(ours.state_dict())

    def loss(model: nn.Module, batch: Tensor) -> Tensor:
        out: Tensor = (model(batch) - batch).square().mean()
        return out

    player = Player("ours", ours, lambda batch, _: loss(ours, batch[0]), adam(ours, 0.01))
    losses = fit([player], unpaired(8, x), STEPS, seed=5)
    generator = Generator().manual_seed(5)
    optimiser = torch.optim.Adam(theirs.parameters(), lr=0.01)
    for step in range(STEPS):
        value = loss(theirs, x[torch.randint(len(x), (8,), generator=generator)])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        assert losses[step, 0] == pytest.approx(value.item(), rel=1e-5)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_each_player_moves_its_own_weights_only() -> None:
    players = two_players()
    before = weights(players[1:])
    fit(players[:1], unpaired(8, data()), 3)
    assert same(before, weights(players[1:]))
    assert all(p.grad is None for p in players[1].model.parameters())


@pytest.mark.parametrize("killed_at", [1, 11, STEPS - 1])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path: Path, killed_at: int) -> None:
    whole = two_players()
    expected = run(whole)

    def kill(step: int) -> None:
        if step == killed_at:
            raise Stop

    path = tmp_path / "run.safetensors"
    with pytest.raises(Stop):
        run(two_players(kill), path)
    resumed_steps: list[int] = []
    resumed = two_players(resumed_steps.append)
    losses = run(resumed, path)
    assert len(resumed_steps) == STEPS - killed_at
    assert same(weights(whole), weights(resumed))
    assert torch.equal(losses, expected)


def test_a_full_disk_half_way_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = two_players()
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
        run(two_players(), path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert checkpoints.load(path).card["step"] == 9
    resumed = two_players()
    run(resumed, path)
    assert same(weights(whole), weights(resumed))


def test_a_finished_run_is_read_back_without_training(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    first = two_players()
    losses = run(first, path)
    steps: list[int] = []
    again = two_players(steps.append)
    assert torch.equal(run(again, path), losses)
    assert steps == []
    assert same(weights(first), weights(again))


def test_the_card_tells_what_the_run_was(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    losses = run(two_players(), path, data_sha256="abc")
    card = checkpoints.load(path).card
    assert card["run"] == {"config": {"width": 4}, "data_sha256": "abc", "seed": 5}
    assert card["step"] == STEPS
    assert card["loss"] == {"model": losses[-1, 0].item(), "critic": losses[-1, 1].item()}
    assert card["versions"]["torch"] == torch.__version__.partition("+")[0]


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    run(two_players(), path, data_sha256="abc")
    with pytest.raises(CheckpointError, match=r"another run \(data_sha256 differ\)"):
        run(two_players(), path, data_sha256="def")


def test_a_checkpoint_past_the_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    fit(two_players(), unpaired(8, data()), 5, checkpoint=path)
    with pytest.raises(CheckpointError, match="past the 4 steps"):
        fit(two_players(), unpaired(8, data()), 4, checkpoint=path)


def test_a_loss_that_is_not_finite_is_an_error_and_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    model = nn.Linear(3, 1)
    count = 0

    def loss(batch: tuple[Tensor, ...], _: Generator) -> Tensor:
        nonlocal count
        count += 1
        out: Tensor = model(batch[0]).mean() * (torch.nan if count == 4 else 1.0)
        return out

    with pytest.raises(TrainingError, match="'net' is nan at step 3"):
        fit(
            [Player("net", model, loss, adam(model, 0.01))],
            unpaired(8, data()),
            9,
            checkpoint=path,
            every_minutes=0.0,
        )
    kept = checkpoints.load(path)
    assert kept.card["step"] == 3
    assert all(t.isfinite().all() for n, t in kept.tensors.items() if n.startswith("net/"))


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
    schedule = training.linear_decay(100)
    assert [schedule(s) for s in (0, 50, 75, 100)] == [1.0, 1.0, 0.5, 0.0]
    model = nn.Linear(3, 1)
    player = Player("net", model, lambda b, _: model(b[0]).mean(), adam(model, 0.01))
    fit([player], unpaired(8, data()), 100, schedule=schedule)
    assert player.optimiser.param_groups[0]["lr"] == pytest.approx(0.01 * 0.02)


def test_seeded_gives_the_global_generator_back() -> None:
    state = torch.get_rng_state()
    with runtime.seeded(3):
        a = torch.rand(2)
    with runtime.seeded(3):
        b = torch.rand(2)
    assert torch.equal(a, b)
    assert torch.equal(torch.get_rng_state(), state)

    with pytest.raises(Stop), runtime.seeded(3):  # noqa: PT012
        torch.rand(2)
        raise Stop
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("seed", [0, 3, 2**31 - 1, 2**63, -1])
def test_seeded_is_manual_seed_on_the_cpu(seed: int) -> None:
    def drawn() -> list[Tensor]:
        layers = nn.Linear(7, 5), nn.Conv2d(3, 4, 3)
        return [*(p.detach() for layer in layers for p in layer.parameters()), torch.randn(40)]

    with runtime.seeded(seed):
        ours = drawn()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        theirs = drawn()
    assert all(map(torch.equal, ours, theirs))


def test_seeded_touches_no_other_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the stream of another device was started anew")

    monkeypatch.setattr(torch, "manual_seed", refuse)
    for module in (torch.cuda, torch.mps, torch.xpu):
        for name in ("manual_seed", "manual_seed_all"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, refuse)
    with runtime.seeded(3):
        nn.Linear(2, 2)


@pytest.mark.gpu
def test_seeded_borrows_the_generator_of_one_device() -> None:
    device = torch.device("cuda")
    cpu, gpu = torch.get_rng_state(), torch.cuda.get_rng_state()
    with runtime.seeded(3):
        nn.Linear(2, 2)
    assert torch.equal(torch.cuda.get_rng_state(), gpu)
    drawn = []
    for _ in range(2):
        with runtime.seeded(3, device):
            drawn.append(torch.rand(5, device=device))
    assert torch.equal(*drawn)
    assert torch.equal(torch.cuda.get_rng_state(), gpu)
    assert torch.equal(torch.get_rng_state(), cpu)


def test_lower_precision_still_learns() -> None:
    """Autocast around the whole loop would keep the first step's weights in its cache."""
    x = torch.randn(64, 4, generator=Generator().manual_seed(0))
    model = nn.Linear(4, 4)

    def loss(batch: tuple[Tensor, ...], _: Generator) -> Tensor:
        return (model(batch[0]).float() - batch[0]).square().mean()

    player = Player("linear", model, training.at_precision(loss, "bfloat16"), adam(model, 0.05))
    losses = training.fit([player], unpaired(32, x), 200)
    assert losses[-1] < losses[0] / 20


def test_precision_is_float32_or_bfloat16() -> None:
    def loss(batch: tuple[Tensor, ...], _: Generator) -> Tensor:
        return batch[0].sum()

    assert training.at_precision(loss, "float32") is loss
    with pytest.raises(ValueError, match="choose 'float32' or 'bfloat16'"):
        training.at_precision(loss, "float16")


def test_the_memory_order_of_a_gradient_does_not_matter():
    """A channels-last network has channels-last gradients, which fused Adam reads by address."""
    x = torch.randn(2, 4, 6, 6, generator=Generator().manual_seed(0))

    def trained(memory_format: torch.memory_format) -> Tensor:
        with runtime.seeded(0):
            model = nn.Conv2d(4, 8, 3)

        def loss(batch: tuple[Tensor, ...], _: Generator) -> Tensor:
            return model(batch[0].contiguous(memory_format=memory_format)).square().mean()

        fit([Player("m", model, loss, adam(model, 1e-2))], lambda _: (x,), 3)
        return model.weight.detach()

    torch.testing.assert_close(trained(torch.channels_last), trained(torch.contiguous_format))
