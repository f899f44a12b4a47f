"""Ctrl-C and SIGTERM: a run stores where it is, then ends; what was run is not run again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from toyrun import STEPS, Stop, game, run, same

from domain_translation.training import TrainingError, checkpoints

HOUR = 60.0  # between two checkpoints: what a run of a second stores, it was asked for


@pytest.fixture(autouse=True)
def as_in_a_terminal() -> Iterator[None]:
    """The handlers that a process starts with, whatever runs the tests."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.safetensors"


class Raise:
    """For `game`: a signal at the beginning of step `at`; counts the steps."""

    def __init__(self, at: int, number: int = signal.SIGINT, times: int = 1) -> None:
        self.at, self.number, self.times, self.begun = at, number, times, 0

    def __call__(self, step: int) -> None:
        self.begun += 1
        if step == self.at:
            for _ in range(self.times):
                signal.raise_signal(self.number)


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def resumes_to_the_same_bits(path: Path, done: int) -> bool:
    """The checkpoint holds `done` steps, and a run that goes on there ends like a whole one."""
    assert checkpoints.load(path).card["step"] == done
    whole, steps = game(), list[int]()
    expected = run(whole)
    resumed = game(steps.append)
    losses = run(resumed, path)
    assert len(steps) == STEPS - done
    return torch.equal(losses, expected) and same(whole.weights(), resumed.weights())


@pytest.mark.parametrize("at", [0, 7, STEPS - 1])
def test_ctrl_c_stores_the_present_step_and_ends(path: Path, at: int) -> None:
    asked, before = Raise(at), handlers()
    with pytest.raises(KeyboardInterrupt):
        run(game(asked), path, every_minutes=HOUR)
    assert asked.begun == at + 1
    assert handlers() == before
    assert resumes_to_the_same_bits(path, at + 1)


def terminated(path: str) -> None:
    """Runs in a process of its own, which SIGTERM ends in the eighth step."""
    run(game(Raise(7, signal.SIGTERM)), path, every_minutes=HOUR)
    print("went on")


def test_sigterm_stores_the_present_step_and_ends_the_process(path: Path) -> None:
    code = f"import test_training_signals as t; t.terminated({str(path)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == (3 if sys.platform == "win32" else -signal.SIGTERM), done.stderr
    assert "went on" not in done.stdout
    assert resumes_to_the_same_bits(path, 8)


def test_the_handler_that_was_there_hears_of_it_afterwards(path: Path) -> None:
    """One that raises ends the run in its way; after one that returns, KeyboardInterrupt does."""
    heard: list[int] = []

    def stop(number: int, _: object) -> None:
        assert path.exists()
        heard.append(number)
        raise Stop

    signal.signal(signal.SIGTERM, stop)
    with pytest.raises(Stop):
        run(game(Raise(2, signal.SIGTERM)), path, every_minutes=HOUR)
    signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    with pytest.raises(KeyboardInterrupt, match=r"stopped after 6 of 24 steps, which .* holds"):
        run(game(Raise(2)), path, every_minutes=HOUR)
    assert heard == [signal.SIGTERM, signal.SIGINT]


def test_a_second_signal_ends_at_once(path: Path) -> None:
    asked, before = Raise(7, times=2), handlers()
    with pytest.raises(KeyboardInterrupt):
        run(game(asked), path, every_minutes=HOUR)
    assert asked.begun == 8
    assert not path.exists()
    assert handlers() == before


def test_without_a_checkpoint_signals_are_what_they_were() -> None:
    asked, before = Raise(7), handlers()
    during: list[Any] = []

    def look(step: int) -> None:
        during.append(handlers())
        asked(step)

    with pytest.raises(KeyboardInterrupt):
        run(game(look))
    assert during == [before] * 8


def test_handlers_come_back_after_the_end_and_after_an_error(path: Path) -> None:
    before = handlers()
    during: list[Any] = []

    def look(step: int) -> None:
        during.append(handlers())
        if len(during) == STEPS + 3:
            raise Stop

    run(game(look), path, every_minutes=HOUR)
    assert handlers() == before
    assert not any(now in before for now in during[0])
    path.unlink()
    with pytest.raises(Stop):
        run(game(look), path, every_minutes=HOUR)
    assert handlers() == before


def test_other_threads_train_without_signals(path: Path) -> None:
    whole, other, found = game(), game(), list[torch.Tensor]()
    thread = threading.Thread(target=lambda: found.append(run(other, path)))
    thread.start()
    thread.join()
    assert torch.equal(run(whole), found[0])
    assert same(whole.weights(), other.weights())
    assert checkpoints.load(path).card["step"] == STEPS


def test_an_ignored_ctrl_c_stays_ignored(path: Path) -> None:
    """Runs in the background of a shell that has no job control ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = Raise(7)
    try:
        run(game(asked), path, every_minutes=HOUR)
    except KeyboardInterrupt:  # which would end the tests as well
        pytest.fail("the signal was heard")
    assert asked.begun == STEPS
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


@pytest.mark.parametrize("where", ["watch", "save"])
def test_a_signal_between_two_steps_waits_for_the_next(
    path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Whenever it comes: what was run is what is stored."""
    asked, save = Raise(-1), checkpoints.save

    def once(*_: object) -> None:
        if asked.begun == 5:
            signal.raise_signal(signal.SIGINT)

    def saving(*arguments: Any) -> None:
        save(*arguments)
        once()

    if where == "save":
        monkeypatch.setattr(checkpoints, "save", saving)
    with pytest.raises(KeyboardInterrupt):
        run(game(asked), path, watch=once if where == "watch" else None)
    assert asked.begun == 6
    monkeypatch.undo()
    assert resumes_to_the_same_bits(path, 6)


def test_a_run_that_is_lost_when_it_is_asked_to_end_ends(path: Path) -> None:
    """Whoever counts lost runs and goes on to the next would otherwise never hear of it."""
    played = game(Raise(7))
    next(iter(played.players["critic"].model.parameters())).data.fill_(torch.nan)
    with pytest.raises(KeyboardInterrupt) as found:
        run(played, path, every_minutes=HOUR)
    assert isinstance(found.value.__context__, TrainingError)
    assert not path.exists()
