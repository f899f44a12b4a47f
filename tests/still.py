"""Players that do not move: what a step would descend on, with its graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from torch import Generator, Tensor

from domain_translation.training import Batch, Player, Step


class Still(Player):
    """Stands for a `Player`; remembers the losses and leaves the network as it is."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []

    def descend(self, loss: Tensor) -> Tensor:
        self.losses.append(loss)
        return loss.detach()


def still(names: Iterable[str]) -> dict[str, Player]:
    """Players of these names that do not move."""
    return {name: Still() for name in names}


def losses_of(
    make: Callable[[dict[str, Player]], Step], names: Iterable[str], batch: Batch, seed: int = 0
) -> list[Tensor]:
    """Losses of one step with their graphs, in the order of `names` and of each one's turns.

    Args:
        make: the step of these players.
        names: of the players.
        batch: what the step gets.
        seed: of the step's generator.

    Raises:
        AssertionError: the step reports other losses than its players descended on.
    """
    players = {name: Still() for name in names}
    reported = make({**players})(batch, Generator().manual_seed(seed))
    found = [loss for player in players.values() for loss in player.losses]
    values = [sorted(loss.item() for loss in losses) for losses in (reported.values(), found)]
    assert values[0] == values[1]
    return found
