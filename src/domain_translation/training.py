"""One plain training loop with resumable, atomic checkpoints.

`fit` updates one or several *players* (a network, its optimiser, its loss) in turn on the same
minibatch: one player is ordinary training, generators and critics are two. All randomness, of
minibatches and of losses, comes from one generator whose state is part of the checkpoint, so a
run that was killed and resumed ends with the same bits on a CPU as one that was not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from tqdm import tqdm

from domain_translation import checkpoints, runtime
from domain_translation.checkpoints import CheckpointError

Batch = tuple[Tensor, ...]
Batches = Callable[[Generator], Batch]
Loss = Callable[[Batch, Generator], Tensor]
Schedule = Callable[[int], float]


class TrainingError(RuntimeError):
    """A loss became NaN or infinite."""


@dataclass(frozen=True)
class Player:
    """A network and what it minimises.

    Attributes:
        name: names the network in checkpoints and messages.
        model: the network whose parameters this player updates.
        loss: (minibatch, generator) -> scalar; may use other networks, which stay untouched.
        optimiser: over the parameters of `model`.
    """

    name: str
    model: nn.Module
    loss: Loss
    optimiser: torch.optim.Optimizer


def adam(
    model: nn.Module, lr: float, betas: tuple[float, float] = (0.9, 0.999)
) -> torch.optim.Optimizer:
    """Adam over all parameters of `model`; fused, because small networks are bound by overhead."""
    return torch.optim.Adam(model.parameters(), lr=lr, betas=betas, fused=True)


def at_precision(loss: Loss, precision: str) -> Loss:
    """`loss` with its matrix products and convolutions computed in `precision`.

    Autocast is entered for each step anew: it keeps lowered copies of the weights as long as it
    lasts, and around a whole training it would compute with those of the first step for ever.

    Args:
        precision: "float32", which changes nothing, or "bfloat16".

    Raises:
        ValueError: another precision.
    """
    if precision == "float32":
        return loss
    if precision != "bfloat16":
        raise ValueError(f"precision is {precision!r}; choose 'float32' or 'bfloat16'")

    def lowered(batch: Batch, generator: Generator) -> Tensor:
        with torch.autocast(generator.device.type, torch.bfloat16):
            return loss(batch, generator)

    return lowered


def constant(step: int) -> float:
    """Learning-rate factor 1 at every step."""
    return 1.0


def linear_decay(steps: int) -> Schedule:
    """Learning-rate factor 1 for the first half of `steps`, then linearly down to 0."""
    return lambda step: min(1.0, 2.0 * (1.0 - step / steps))


def unpaired(size: int, *data: Tensor) -> Batches:
    """Minibatches drawn with replacement, independently from each of `data` (n_i, *event)."""
    for d in data:
        if len(d) == 0:
            raise ValueError("cannot draw minibatches from an empty data set")

    def draw(generator: Generator) -> Batch:
        device = generator.device
        rows = [torch.randint(len(d), (size,), generator=generator, device=device) for d in data]
        return tuple(d[i] for d, i in zip(data, rows, strict=True))

    return draw


def fit(
    players: Sequence[Player],
    batches: Batches,
    steps: int,
    *,
    seed: int = 0,
    schedule: Schedule = constant,
    checkpoint: Path | str | None = None,
    every_minutes: float = 5.0,
    card: Mapping[str, Any] | None = None,
    label: str = "training",
) -> Tensor:
    """Train `players` for `steps` minibatches and return their losses (steps, players).

    With `checkpoint`, the run resumes from that file when it exists, writes it every
    `every_minutes` (0: after every step) and once at the end.

    Args:
        players: updated in this order on each minibatch.
        batches: draws a minibatch with the generator it is given, e.g. `unpaired(64, data)`.
        steps: number of minibatches in all, those before a resume included.
        seed: of the generator for minibatches and losses.
        schedule: step -> factor on every learning rate.
        card: what identifies the run (configuration, seed of the weights, data digest); a
            checkpoint with another card is refused.
        label: shown beside the progress bar, which appears on a terminal only.

    Raises:
        CheckpointError: unreadable checkpoint, one of another run, or a disk that refuses.
        TrainingError: a loss is not finite; no checkpoint of that state is written.
    """
    generator = Generator(next(players[0].model.parameters()).device).manual_seed(seed)
    losses = torch.full((steps, len(players)), torch.nan)
    base = [[group["lr"] for group in p.optimiser.param_groups] for p in players]
    # As it will come back from a file, where tuples are lists.
    run = json.loads(json.dumps({**(card or {}), "seed": seed}))
    start = 0
    if checkpoint is not None and Path(checkpoint).exists():
        start = _restore(Path(checkpoint), players, generator, losses, run)
    saved = time.monotonic()
    for step in tqdm(range(start, steps), initial=start, total=steps, desc=label, disable=None):
        batch = batches(generator)
        for i, player in enumerate(players):
            for group, lr in zip(player.optimiser.param_groups, base[i], strict=True):
                group["lr"] = lr * schedule(step)
            losses[step, i] = _update(player, batch, generator)
        due = time.monotonic() - saved >= 60 * every_minutes
        if checkpoint is not None and due and step + 1 < steps:
            _store(Path(checkpoint), players, generator, losses[: step + 1], run)
            saved = time.monotonic()
    if checkpoint is not None and start < steps:
        _store(Path(checkpoint), players, generator, losses, run)
    _check_finite(players, losses)
    return losses


def _update(player: Player, batch: Batch, generator: Generator) -> Tensor:
    """One optimiser step; gradients reach the player's own parameters only.

    Parameters that this loss did not use (layers that were faded out) keep their values.
    """
    loss = player.loss(batch, generator)
    parameters = list(player.model.parameters())
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    for p, g in zip(parameters, gradients, strict=True):
        # The fused Adam reads weights and gradients by memory order: a gradient that came out
        # channels-last would silently update the wrong weights.
        p.grad = g if g is None else torch.empty_like(p).copy_(g)
    player.optimiser.step()
    player.optimiser.zero_grad()
    return loss.detach()


def _check_finite(players: Sequence[Player], losses: Tensor) -> None:
    bad = (~losses.isfinite()).nonzero()
    if len(bad):
        step, player = bad[0].tolist()
        raise TrainingError(
            f"the loss of {players[player].name!r} is {losses[step, player].item()} at step "
            f"{step}; lower the learning rate or look for NaN in the data"
        )


def _store(
    path: Path, players: Sequence[Player], generator: Generator, losses: Tensor, run: dict[str, Any]
) -> None:
    """Everything the next step depends on, in one file."""
    _check_finite(players, losses)
    tensors = {"losses": losses, "generator": generator.get_state()}
    for p in players:
        tensors |= {f"{p.name}/model/{k}": v for k, v in p.model.state_dict().items()}
        for i, moments in p.optimiser.state_dict()["state"].items():
            tensors |= {f"{p.name}/optimiser/{i}/{k}": v for k, v in moments.items()}
    last = {p.name: losses[-1, i].item() for i, p in enumerate(players)}
    card = {"run": run, "step": len(losses), "loss": last, "versions": runtime.versions()}
    checkpoints.save(path, tensors, card)


def _restore(
    path: Path, players: Sequence[Player], generator: Generator, losses: Tensor, run: dict[str, Any]
) -> int:
    """Load a checkpoint into the players, generator and losses; return the steps already done."""
    tensors, card = checkpoints.load(path)
    if card.get("run") != run:
        before = card.get("run") or {}
        changed = sorted(k for k in {**before, **run} if before.get(k) != run.get(k))
        raise CheckpointError(
            f"{path} belongs to another run ({', '.join(changed)} differ); "
            f"choose another file or delete it"
        )
    done = int(card["step"])
    if done > len(losses):
        raise CheckpointError(f"{path} is at step {done}, past the {len(losses)} steps asked for")
    losses[:done] = tensors["losses"]
    generator.set_state(tensors["generator"])
    for p in players:
        p.model.load_state_dict(_below(tensors, f"{p.name}/model/"))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _below(tensors, f"{p.name}/optimiser/").items():
            index, key = name.split("/")
            state.setdefault(int(index), {})[key] = value
        groups = p.optimiser.state_dict()["param_groups"]
        p.optimiser.load_state_dict({"state": state, "param_groups": groups})
    return done


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
