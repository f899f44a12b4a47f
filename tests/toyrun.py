"""A small game of two players for the tests of the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from domain_translation import runtime
from domain_translation.training import Batch, Losses, Player, Step, fit, linear_decay, unpaired

STEPS = 24


class Stop(Exception):
    """Stands for a kill."""


class Game(NamedTuple):
    """A step and the players that it moves."""

    step: Step
    players: dict[str, Player]

    def weights(self) -> list[Tensor]:
        """Of all players."""
        return [w for p in self.players.values() for w in p.model.state_dict().values()]


def data() -> Tensor:
    """Fifty points (50, 3)."""
    return torch.randn(50, 3, generator=Generator().manual_seed(1))


def game(on_step: Callable[[int], None] = lambda step: None) -> Game:
    """A noisy autoencoder and a critic of it; `on_step` hears the number of each call."""
    with runtime.seeded(0):
        model, critic = nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    # In another order than the alphabet's.
    players = {"model": Player(model, 0.01), "critic": Player(critic, 0.02, (0.5, 0.9))}
    calls = count()

    def step(batch: Batch, generator: Generator) -> Losses:
        on_step(next(calls))
        (x,) = batch
        rebuilt = model(x + torch.randn(x.shape, generator=generator))
        rebuild = (rebuilt - x).square().mean() - 0.1 * critic(rebuilt).mean()
        losses = {"model": players["model"].descend(rebuild)}
        judge = (critic(x) - 1).square().mean() + critic(model(x)).square().mean()
        return losses | {"critic": players["critic"].descend(judge)}

    return Game(step, players)


def killed(at: int) -> Callable[[int], None]:
    """For `game`: the process ends at the beginning of step `at`."""

    def kill(step: int) -> None:
        if step == at:
            raise Stop

    return kill


def killed_fit(at: int) -> Callable[..., Tensor]:
    """For a trainer in the place of `fit`: stores every step; the process ends before step `at`."""

    def stopping(step: Step, *others: Any, **options: Any) -> Tensor:
        on_step, calls = killed(at), count()

        def until(batch: Batch, generator: Generator) -> Losses:
            on_step(next(calls))
            return step(batch, generator)

        return fit(until, *others, **options, every_minutes=0.0)

    return stopping


def run(
    played: Game,
    path: Path | str | None = None,
    *,
    steps: int = STEPS,
    every_minutes: float = 0.0,
    state: Any = None,
    watch: Callable[[], None] | None = None,
    **card: Any,
) -> Tensor:
    """`fit` the game."""
    return fit(
        played.step,
        played.players,
        unpaired(8, data()),
        steps,
        state=state,
        watch=watch,
        seed=5,
        schedule=linear_decay(steps),
        checkpoint=path,
        every_minutes=every_minutes,
        card={"config": {"width": 4}, **card},
    )


def same(a: Iterable[Tensor], b: Iterable[Tensor]) -> bool:
    """All bits are equal."""
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
