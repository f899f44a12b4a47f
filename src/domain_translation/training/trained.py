"""What trainers have in common: what a step remembers, and what is left in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import torch
from torch import Generator, Tensor, nn

from domain_translation.training.checkpoints import digest
from domain_translation.training.loop import Batch, Batches, Losses, Player, fit, linear_decay

Networks = TypeVar("Networks", bound=nn.Module | tuple[nn.Module, ...])
Record = TypeVar("Record")
Model = TypeVar("Model", bound=nn.Module)


class State:
    """What a step remembers from one minibatch to the next, for `fit` to store: plain attributes.

    Attributes:
        fields: names of those that a checkpoint holds, each a tensor or a whole number.
    """

    fields: ClassVar[tuple[str, ...]]

    def state_dict(self) -> dict[str, Tensor]:
        """For a checkpoint."""
        return {name: torch.as_tensor(getattr(self, name)) for name in self.fields}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """From a checkpoint."""
        for name in self.fields:
            now, then = getattr(self, name), state[name]
            setattr(self, name, now.copy_(then) if isinstance(now, Tensor) else int(then))


class Trained(NamedTuple, Generic[Networks, Record]):
    """What a training leaves.

    Attributes:
        networks: frozen.
        losses: (steps, losses of a step), in the order of the step.
        record: what the steps wrote down besides.
    """

    networks: Networks
    losses: Tensor
    record: Record


def freeze(networks: Networks) -> Networks:
    """The same network, or all of a tuple, in evaluation mode and without gradients."""
    for network in (networks,) if isinstance(networks, nn.Module) else networks:
        network.requires_grad_(False).eval()
    return networks


def identity(config: Any, data: Mapping[str, Tensor] | Tensor, **settings: Any) -> dict[str, Any]:
    """What a checkpoint must have in common with the run that takes it up.

    Args:
        config: a dataclass.
        data: all that minibatches are drawn from.
        settings: what else decides the result, in types that JSON knows.
    """
    return {"config": asdict(config), **settings, "data_sha256": digest(data)}


def train_alone(
    name: str,
    network: Model,
    loss: Callable[[Batch, Generator], Tensor],
    batches: Batches,
    steps: int,
    learning_rate: float,
    *,
    seed: int,
    checkpoint: Path | str | None,
    card: Mapping[str, Any],
) -> Model:
    """Train a network that has no adversary down `loss`; it comes back frozen.

    Adam's rate is `learning_rate` for half the steps, then falls linearly to 0. The other arguments
    are those of `fit`.
    """
    player = Player(network, learning_rate)

    def step(batch: Batch, generator: Generator) -> Losses:
        return {name: player.descend(loss(batch, generator))}

    fit(
        step,
        {name: player},
        batches,
        steps,
        seed=seed,
        schedule=linear_decay(steps),
        checkpoint=checkpoint,
        card=card,
        label=name,
    )
    return freeze(network)
