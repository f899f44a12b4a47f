"""The training loop looks at its losses: what ends a run, and what is then on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, nn
from toyrun import Stop, data, game, killed, run

from domain_translation.training import (
    LOOK,
    Batch,
    Losses,
    Player,
    Step,
    TrainingError,
    checkpoints,
    fit,
    unpaired,
)


def nan_from(first: int, calls: list[int]) -> tuple[Step, dict[str, Player]]:
    """A step whose loss is NaN from its call `first` on; `calls` gets the number of each."""
    model = nn.Linear(3, 1)
    player = Player(model, 0.01)

    def step(batch: Batch, _: Generator) -> Losses:
        calls.append(len(calls))
        loss = model(batch[0]).mean()
        return {"net": player.descend(loss if calls[-1] < first else loss * torch.nan)}

    return step, {"net": player}


def test_a_loss_that_is_not_finite_is_an_error_and_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    step, players = nan_from(3, [])
    with pytest.raises(TrainingError, match="'net' is nan at step 3"):
        fit(step, players, unpaired(8, data()), 9, checkpoint=path, every_minutes=0.0)
    last = checkpoints.load(path)
    assert last.card["step"] == 3
    assert all(t.isfinite().all() for n, t in last.tensors.items() if n.startswith("net/"))


@pytest.mark.parametrize(
    ("first", "steps", "seen_after"), [(3, 9, 9), (3, 400, 50), (70, 400, 100)]
)
def test_a_loss_that_is_not_finite_is_seen_within_fifty_steps(
    tmp_path: Path, first: int, steps: int, seen_after: int
) -> None:
    assert LOOK == 50
    calls: list[int] = []
    step, players = nan_from(first, calls)
    path = tmp_path / "run.safetensors"
    with pytest.raises(TrainingError, match=f"'net' is nan at step {first}"):
        fit(step, players, unpaired(8, data()), steps, checkpoint=path)
    assert len(calls) == seen_after
    assert not path.exists()


def test_a_step_that_fails_after_a_loss_was_lost_says_so() -> None:
    calls: list[int] = []
    step, players = nan_from(3, calls)

    def failing(batch: Batch, generator: Generator) -> Losses:
        if len(calls) == 6:
            raise RuntimeError("probability tensor contains nan")
        return step(batch, generator)

    with pytest.raises(TrainingError, match="at step 3"):
        fit(failing, players, unpaired(8, data()), 9)
    with pytest.raises(Stop):  # and where nothing was lost, what it failed by
        run(game(killed(5)))


def test_watch_looks_every_fifty_steps_and_at_the_end() -> None:
    steps, looks = list[int](), list[int]()
    run(game(steps.append), steps=2 * LOOK + 7, watch=lambda: looks.append(len(steps)))
    assert looks == [LOOK, 2 * LOOK, 2 * LOOK + 7]


def test_watch_looks_before_a_state_is_stored_and_when_a_step_fails(tmp_path: Path) -> None:
    path, steps = tmp_path / "run.safetensors", list[int]()

    def watch() -> None:
        if len(steps) == 4:
            raise Stop("seen")

    with pytest.raises(Stop, match="seen"):
        run(game(steps.append), path, watch=watch)
    assert checkpoints.load(path).card["step"] == 3

    def kill(step: int) -> None:
        steps.append(step)
        if len(steps) == 4:
            raise RuntimeError("a chain left the finite numbers")

    steps.clear()
    with pytest.raises(Stop, match="seen"):
        run(game(kill), watch=watch)


def test_a_step_gives_the_same_losses_every_time(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    player = Player(nn.Linear(3, 1), 0.01)

    def fit_with(names: list[str]) -> None:
        given = iter(names)

        def step(batch: Batch, _: Generator) -> Losses:
            loss = player.descend(player.model(batch[0]).mean())
            return dict.fromkeys(next(given), loss)

        draw = unpaired(8, data())
        fit(step, {"net": player}, draw, 5, checkpoint=path, every_minutes=0.0)

    changed = "step 2 gave the losses a, b; the first one gave a, c: give the same names"
    with pytest.raises(ValueError, match=changed):
        fit_with(["ac", "ac", "ab"])
    with pytest.raises(ValueError, match="step 2 gave the losses c, a; the first one gave a, c"):
        fit_with(["ca"])  # after a resume
    path.unlink()
    with pytest.raises(ValueError, match="step 0 gave no losses; return those it descended on"):
        fit_with([""])
