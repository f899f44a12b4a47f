"""The engine of the studies: what runs, what is kept, what a stop costs, what the card holds."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from domain_translation.checkpoints import CheckpointError
from domain_translation.studies import study as engine
from domain_translation.studies.study import Measure, Study, code_digest, collect, missing, perform

ARMS = ("Swish, c = 8", "ReLU")


class Counted:
    """A run that counts its calls and may fail."""

    def __init__(self, *failures: Exception) -> None:
        self.calls: list[tuple[str, int]] = []
        self.failures = list(failures)

    def __call__(self, arm: str, seed: int) -> dict[str, Tensor]:
        self.calls.append((arm, seed))
        if self.failures:
            raise self.failures.pop(0)
        return {"x": torch.tensor([float(seed), len(arm)])}


def measure(arm: str, seed: int, tensors: dict[str, Tensor]) -> list[Measure]:
    return [Measure("sum", float(tensors["x"].sum()), (f"{arm}{seed}",)), Measure("one", 1.0)]


def toy(run: Counted) -> Study:
    return Study("part/toy", ARMS, range(3), run, measure)


def quiet(_: str) -> None:
    pass


def test_every_arm_runs_with_every_seed_and_is_kept(tmp_path):
    run = Counted()
    study, told = toy(run), []
    perform(study, tmp_path, say=told.append)
    # Seed by seed: a stopped study has compared all its arms.
    assert run.calls == [(arm, seed) for seed in range(3) for arm in ARMS]
    assert told[0] == "part/toy: Swish, c = 8, seed 0"
    perform(study, tmp_path, say=quiet)
    assert len(run.calls) == 6
    card = collect(study, tmp_path)
    assert card.values(("ReLU", "sum")) == {0: 4.0, 1: 5.0, 2: 6.0}
    assert card["ReLU", "sum"].seeds == 3
    assert card.origin["seconds"] >= 0
    assert "studies/study.py" in card.origin["code"]
    assert missing(study, tmp_path) == []


def test_measures_may_change_without_running_again(tmp_path):
    run = Counted()
    study = toy(run)
    perform(study, tmp_path, say=quiet)
    other = replace(study, measure=lambda a, s, t: [Measure("largest", float(t["x"].max()))])
    assert collect(other, tmp_path).values(("ReLU", "largest")) == {0: 4.0, 1: 4.0, 2: 4.0}
    assert len(run.calls) == 6


def test_a_stopped_study_goes_on(tmp_path):
    run = Counted()
    run.failures = []
    study = toy(run)

    def stopping(arm: str, seed: int) -> dict[str, Tensor]:
        if len(run.calls) == 3:
            raise KeyboardInterrupt
        return run(arm, seed)

    with pytest.raises(KeyboardInterrupt):
        perform(replace(study, run=stopping), tmp_path, say=quiet)
    assert len(missing(study, tmp_path)) == 3
    assert len(collect(study, tmp_path).rows) == 6
    perform(study, tmp_path, say=quiet)
    assert len(run.calls) == 6


def test_a_lost_run_is_kept_as_lost_and_another_error_is_not(tmp_path):
    run = Counted(FloatingPointError("far away"))
    study = toy(run)
    perform(study, tmp_path, say=quiet)
    perform(study, tmp_path, say=quiet)
    assert len(run.calls) == 6
    card = collect(study, tmp_path)
    assert card.lost == {(ARMS[0], 0): "FloatingPointError: far away"}
    assert len(card.values((ARMS[0], "sum"))) == 2
    with pytest.raises(ZeroDivisionError):
        perform(toy(Counted(ZeroDivisionError())), tmp_path / "other", say=quiet)
    assert len(missing(study, tmp_path / "other")) == 6


def test_a_run_that_is_cut_off_or_of_other_code_is_made_anew(tmp_path, monkeypatch):
    run = Counted()
    study = toy(run)
    perform(study, tmp_path, say=quiet)
    path = engine.place(study, tmp_path, "ReLU", 1)
    path.write_bytes(path.read_bytes()[:-4])
    assert missing(study, tmp_path) == [("ReLU", 1)]
    perform(study, tmp_path, say=quiet)
    assert run.calls[6:] == [("ReLU", 1)]
    monkeypatch.setattr(engine, "code_digest", lambda source: "other")
    assert len(missing(study, tmp_path)) == 6


def test_code_counts_without_comments_and_docstrings():
    plain = "def f(x):\n    return x + 1\n"
    same = '"""About."""\n\ndef f(x):\n    """Adds."""\n    return x + 1  # one\n'
    assert code_digest(plain) == code_digest(same)
    assert code_digest(plain) != code_digest(plain.replace("1", "2"))
    assert code_digest('def f():\n    """Only this."""\n') == code_digest("def f():\n    pass\n")


def hold(path: str, ready: object, done: object) -> None:
    from filelock import FileLock

    with FileLock(path):
        ready.set()  # type: ignore[attr-defined]
        done.wait(60)  # type: ignore[attr-defined]


def test_a_run_that_another_process_is_at_is_left_to_it(tmp_path):
    run, told = Counted(), []
    study = toy(run)
    path = engine.place(study, tmp_path, "ReLU", 0)
    path.parent.mkdir(parents=True)
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(path.with_suffix(".lock")), ready, done))
    other.start()
    assert ready.wait(120)
    perform(study, tmp_path, arms=["ReLU"], seeds=[0, 1], say=told.append)
    done.set()
    other.join()
    assert run.calls == [("ReLU", 1)]
    assert told[0] == "part/toy: ReLU, seed 0: another process is at it"


def test_a_full_disk_is_one_sentence_and_costs_one_run(tmp_path, monkeypatch):
    run = Counted()
    study = toy(run)
    perform(study, tmp_path, seeds=[0], say=quiet)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("domain_translation.checkpoints.write_atomically", full)
    with pytest.raises(CheckpointError, match="No space left"):
        perform(study, tmp_path, say=quiet)
    monkeypatch.undo()
    assert len(missing(study, tmp_path)) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "../toy"}, "give words joined by /"),
        ({"arms": ()}, "no arms or no seeds"),
        ({"seeds": ()}, "no arms or no seeds"),
        ({"arms": ("a b", "a-b")}, "share a file"),
    ],
)
def test_a_study_that_cannot_be_is_refused(change, said):
    with pytest.raises(ValueError, match=said):
        replace(toy(Counted()), **change)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"arms": ["gelu"]}, "no arm 'gelu'; it has Swish"),
        ({"seeds": [7]}, "no seed 7; it has 0, 1, 2"),
    ],
)
def test_an_unknown_arm_or_seed_is_named(tmp_path: Path, asked, said):
    with pytest.raises(ValueError, match=said):
        perform(toy(Counted()), tmp_path, **asked)
