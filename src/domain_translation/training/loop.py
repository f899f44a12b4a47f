"""One training loop that runs the step of a paper, with resumable, atomic checkpoints.

A *step* reads like the algorithm, from top to bottom: it makes its translations or samples, writes
down its losses, and lets each *player* (a network and its optimiser) descend on its own. `fit`
draws minibatches, sets the rates, looks for losses that are not finite and keeps checkpoints:

    denoiser = Player(network, 1e-3)

    def step(batch, generator):
        (x,) = batch
        noisy = x + sigma * torch.empty_like(x).normal_(generator=generator)
        return {"denoiser": denoiser.descend((network(noisy) - x).square().mean())}

    losses = fit(step, {"denoiser": denoiser}, unpaired(64, data), steps=1000)

All randomness, of minibatches and of steps, comes from one generator whose state is part of the
checkpoint, so a run that was killed and resumed ends with the same bits on a CPU as one that was
not. Nothing in the loop waits for the device between two looks at the losses.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Generator, Tensor, nn

from domain_translation import runtime
from domain_translation.sampling.inputs import whole
from domain_translation.training import checkpoints
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.signals import noted_endings

LOOK = 50  # steps between two looks at the losses, each of which waits for the device

Batch = tuple[Tensor, ...]
Batches = Callable[[Generator], Batch]
Losses = Mapping[str, Tensor]  # the same names, in the same order, at every step
Step = Callable[[Batch, Generator], Losses]
Schedule = Callable[[int], float]


class TrainingError(RuntimeError):
    """A loss became NaN or infinite."""


class Stateful(Protocol):
    """What a step remembers from one minibatch to the next: a record, a pool, an average."""

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state: dict[str, Tensor], /) -> Any: ...


class Player:
    """A network and the optimiser that updates it: Adam over all its parameters.

    Args:
        model: the network, or several in a `ModuleList`.
        learning_rate: before `fit`'s schedule, a factor on it.
        betas: Adam's.
    """

    def __init__(
        self, model: nn.Module, learning_rate: float, betas: tuple[float, float] = (0.9, 0.999)
    ) -> None:
        self.model, self.learning_rate = model, learning_rate
        # Fused, because small networks are bound by overhead.
        self.optimiser = torch.optim.Adam(
            model.parameters(), lr=learning_rate, betas=betas, fused=True
        )

    def descend(self, loss: Tensor) -> Tensor:
        """One optimiser step down `loss` (a scalar), which comes back without its graph.

        Gradients reach this player's parameters only. Those that the loss did not use (layers that
        were faded out) keep their values.
        """
        parameters = list(self.model.parameters())
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for p, g in zip(parameters, gradients, strict=True):
            # The fused Adam reads weights and gradients by memory order: a gradient that came out
            # channels-last would silently update the wrong weights.
            p.grad = g if g is None else torch.empty_like(p).copy_(g)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return loss.detach()


def constant(step: int) -> float:
    """Learning-rate factor 1 at every step."""
    return 1.0


def linear_decay(steps: int) -> Schedule:
    """Learning-rate factor 1 for the first half of `steps`, then linearly down to 0."""
    return lambda step: min(1.0, 2.0 * (1.0 - step / steps))


def unpaired(size: int, *data: Tensor) -> Batches:
    """Minibatches drawn with replacement, independently from each of `data` (n_i, *event)."""
    size = whole(size, "batch")
    for d in data:
        if len(d) == 0:
            raise ValueError("cannot draw minibatches from an empty data set")

    def draw(generator: Generator) -> Batch:
        device = generator.device
        rows = [torch.randint(len(d), (size,), generator=generator, device=device) for d in data]
        return tuple(d[i] for d, i in zip(data, rows, strict=True))

    return draw


def fit(
    step: Step,
    players: Mapping[str, Player],
    batches: Batches,
    steps: int,
    *,
    state: Mapping[str, Stateful] | None = None,
    watch: Callable[[], None] | None = None,
    seed: int = 0,
    schedule: Schedule = constant,
    checkpoint: Path | str | None = None,
    every_minutes: float = 5.0,
    card: Mapping[str, Any] | None = None,
    label: str = "training",
) -> Tensor:
    """Run `step` on `steps` minibatches and return its losses (steps, losses of a step).

    With `checkpoint`, the run resumes from that file when it exists, writes it every
    `every_minutes` (0: after every step), once at the end, and when Ctrl-C or SIGTERM asks the
    process to end, which it then does. A second one ends it at once.

    Args:
        step: (minibatch, generator) -> losses by name; updates the players.
        players: by name, as they stand in checkpoints.
        batches: draws a minibatch with the generator it is given, e.g. `unpaired(64, data)`.
        steps: number of minibatches in all, those before a resume included.
        state: what else the steps change, by name; stored and restored with the players.
        watch: called when the losses are looked at (every `LOOK` steps, at the end, and when a step
            fails); raises what shall end the run.
        seed: of the generator for minibatches and steps.
        schedule: step -> factor on every learning rate.
        card: what identifies the run (configuration, seed of the weights, data digest); a
            checkpoint with another card, or of other players, is refused.
        label: shown beside the progress bar (`runtime.progress`).

    Raises:
        CheckpointError: unreadable checkpoint, one of another run, or a disk that refuses.
        TrainingError: a loss is not finite; no checkpoint of that state is written.
        ValueError: a step gave no losses, or others than the first one.
    """
    steps = whole(steps, "steps")
    first = next(iter(players.values())).model
    # As it will come back from a file, where tuples are lists.
    identity = json.loads(json.dumps({**(card or {}), "seed": seed, "players": list(players)}))
    run = _Run(players, state or {}, Generator(next(first.parameters()).device).manual_seed(seed))
    start, path = 0, None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        start = run.restore(path, identity, steps)

    def look(done: int) -> None:
        if watch is not None:
            watch()
        run.check(done)

    saved, done = time.monotonic(), start
    with noted_endings(path is not None) as asked:
        bar = runtime.progress(range(start, steps), initial=start, total=steps, desc=label)
        for k in bar:
            for player in players.values():
                for group in player.optimiser.param_groups:
                    group["lr"] = player.learning_rate * schedule(k)
            try:
                run.enter(k, step(batches(run.generator), run.generator), steps)
            except Exception:
                look(k)  # an earlier step may be the cause
                raise
            done = k + 1
            ending = bool(asked)  # once for all that follows: a signal may come at any time
            due = ending or done == steps or time.monotonic() - saved >= 60 * every_minutes
            if path is not None and due:
                look(done)
                run.store(path, identity, done)
                saved = time.monotonic()
            elif done == steps or done % LOOK == 0:
                look(done)
            if ending:
                break
    if asked:  # and yet we are here: the process has handlers of its own
        raise KeyboardInterrupt(f"stopped after {done} of {steps} steps, which {path} holds")
    return run.losses.cpu()


class _Run:
    """What the next step depends on, and the losses so far."""

    def __init__(
        self, players: Mapping[str, Player], state: Mapping[str, Stateful], generator: Generator
    ) -> None:
        self.players, self.state, self.generator = players, state, generator
        self.names: list[str] = []
        self.losses = torch.empty(0, 0)

    def enter(self, k: int, losses: Losses, steps: int) -> None:
        """Write down the losses of step k, on their device."""
        if not losses:
            raise ValueError(f"step {k} gave no losses; return those it descended on, by name")
        row = torch.stack([loss.float() for loss in losses.values()])
        if not self.names:
            self.names = list(losses)
            self.losses = row.new_full((steps, len(row)), torch.nan)
        if list(losses) != self.names:
            raise ValueError(
                f"step {k} gave the losses {', '.join(losses)}; the first one gave "
                f"{', '.join(self.names)}: give the same names in the same order at every step"
            )
        self.losses[k] = row

    def check(self, done: int) -> None:
        """Raise TrainingError if one of the losses of the first `done` steps is not finite."""
        bad = (~self.losses[:done].isfinite()).nonzero()
        if len(bad):
            step, which = bad[0].tolist()
            raise TrainingError(
                f"the loss of {self.names[which]!r} is {self.losses[step, which].item()} at step "
                f"{step}; lower the learning rate or look for NaN in the data"
            )

    def store(self, path: Path, identity: dict[str, Any], done: int) -> None:
        """Everything in one file."""
        tensors = {"losses": self.losses[:done], "generator": self.generator.get_state()}
        for name, player in self.players.items():
            tensors |= {f"{name}/model/{k}": v for k, v in player.model.state_dict().items()}
            for i, moments in player.optimiser.state_dict()["state"].items():
                tensors |= {f"{name}/optimiser/{i}/{k}": v for k, v in moments.items()}
        for name, part in self.state.items():
            tensors |= {f"{name}/state/{k}": v for k, v in part.state_dict().items()}
        last = dict(zip(self.names, self.losses[done - 1].tolist(), strict=True))
        card = {"run": identity, "step": done, "losses": self.names, "loss": last}
        checkpoints.save(path, tensors, card | {"versions": runtime.versions()})

    def restore(self, path: Path, identity: dict[str, Any], steps: int) -> int:
        """Take over a checkpoint; return the steps already done."""
        tensors, card = checkpoints.load(path)
        if card.get("run") != identity:
            before = card.get("run") or {}
            keys = {**before, **identity}
            changed = sorted(k for k in keys if before.get(k) != identity.get(k))
            raise CheckpointError(
                f"{path} belongs to another run ({', '.join(changed)} differ); "
                f"choose another file or delete it"
            )
        done = int(card["step"])
        if done > steps:
            raise CheckpointError(f"{path} is at step {done}, past the {steps} steps asked for")
        device = self.generator.device
        self.names = card["losses"]
        self.losses = torch.full((steps, len(self.names)), torch.nan, device=device)
        self.losses[:done] = tensors["losses"].to(device)
        self.generator.set_state(tensors["generator"])
        for name, player in self.players.items():
            player.model.load_state_dict(_below(tensors, f"{name}/model/"))
            moments: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(tensors, f"{name}/optimiser/").items():
                index, moment = key.split("/")
                moments.setdefault(int(index), {})[moment] = value
            groups = player.optimiser.state_dict()["param_groups"]
            player.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        for name, part in self.state.items():
            part.load_state_dict(_below(tensors, f"{name}/state/"))
        return done


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
