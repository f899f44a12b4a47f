"""What a training between two domains will take, told before it starts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Generator, Tensor

from domain_translation.cooling.errors import DiskError
from domain_translation.cooling.pictures.games import Game
from domain_translation.cooling.pictures.trial import duration

_FOUR = 4  # bytes of a number
_KEEPS = 3  # numbers a checkpoint holds for each parameter: itself and Adam's two moments


def estimate(
    make: Callable[[], Game], steps: int, folder: Path, data: tuple[Tensor, Tensor]
) -> tuple[list[str], str]:
    """Try two steps; the names of the losses, and a sentence with time, memory and disk.

    Args:
        make: builds the training; what it builds is thrown away.
        steps: of the whole training.
        folder: where it will write.
        data: pictures of both domains, where they will be trained on.

    Raises:
        DiskError: the disk has no room for the files.
    """
    trial = make()
    generator = Generator(data[0].device).manual_seed(0)
    graph = [0]

    def count(tensor: Tensor) -> Tensor:
        graph[0] += tensor.numel() * tensor.element_size()
        return tensor

    began = time.perf_counter()
    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        losses = trial.step(trial.batches(generator), generator)
    if steps > 1:  # the first one warms up; a game knows no more steps than it has
        began = time.perf_counter()
        losses = trial.step(trial.batches(generator), generator)
    torch.stack(list(losses.values())).sum().item()  # waits for the device
    seconds = (time.perf_counter() - began) * steps
    numbers = sum(p.numel() for player in trial.players.values() for p in player.model.parameters())
    kept = _FOUR * (_KEEPS * numbers + steps * len(losses)) + _remembered(trial)
    memory = kept + graph[0] + sum(x.numel() * x.element_size() for x in data)
    room = 2 * kept + _FOUR * numbers  # a checkpoint is written before the last one goes
    free = shutil.disk_usage(folder).free
    if free < room:
        raise DiskError(
            f"{folder} has {free / 1e6:.0f} MB to spare and the training needs {room / 1e6:.0f} "
            f"MB; make room or choose another place"
        )
    pictures = " and ".join(str(len(x)) for x in data)
    side = data[0].shape[-1]
    return list(losses), (
        f"{pictures} pictures at {side}x{side}, {steps} steps: about {duration(seconds)}, "
        f"{memory / 1e6:.0f} MB of memory, {room / 1e6:.0f} MB on the disk"
    )


def _remembered(game: Game) -> int:
    """Bytes of what the steps remember."""
    states = [state.state_dict() for state in game.state.values()]
    return sum(t.numel() * t.element_size() for tensors in states for t in tensors.values())
