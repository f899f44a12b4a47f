"""The engine of the studies: what runs, what is cached, what a stop costs, what the card holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock
from torch import Tensor

from domain_translation.notebook.cards import Card, CardError
from domain_translation.notebook.code import code_digest
from domain_translation.studies import cards, engine, provenance
from domain_translation.studies.cards import collect, excerpt, survey, write_card
from domain_translation.studies.engine import perform
from domain_translation.studies.study import Measure, Study, StudyError, measures, place, tensors
from domain_translation.training.cached import seconds
from domain_translation.training.checkpoints import CheckpointError


@dataclass(frozen=True)
class Width:
    """Settings of an arm."""

    width: int


ARMS = {"Swish, c = 8": Width(12), "ReLU": Width(4)}
calls: list[tuple[int, int]] = []
failures: list[BaseException] = []  # raised by the next runs; None: none


def run(settings: Width, seed: int, folder: Path) -> dict[str, Tensor]:
    assert folder.is_dir()
    if failures and (failure := failures.pop(0)):
        raise failure
    calls.append((settings.width, seed))
    return {"x": torch.tensor([float(seed), settings.width])}


def measure(settings: Width, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    return [*measures({"sum": float(found["x"].sum())}), Measure("one", 1.0, (), 0.5)]


def largest(settings: Width, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    return measures({"largest": float(found["x"].max())})


def few(settings: Width, seed: int, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {"half": found["x"] / 2}


TOY = Study("part/toy", ARMS, range(3), run, measure, trains=True)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    calls.clear()
    failures.clear()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout's data folder, which the committed card is read from."""
    folder = tmp_path / "data"

    def data_file(name: str) -> Path:
        if not (folder / name).is_file():
            raise FileNotFoundError(name)
        return folder / name

    monkeypatch.setattr(cards, "data_file", data_file)
    return folder


def quiet(_: str) -> None:
    pass


def missing(study: Study, folder: Path, card: Card | None = None) -> list[tuple[str, int]]:
    return [
        cell
        for cell in engine.cells(study)
        if engine.at_hand(study, folder, card, cell, again=True) is None
    ]


def other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a module that `run` needs had been changed."""
    real = provenance.code_of
    monkeypatch.setattr(provenance, "code_of", lambda f, p: real(f, p) | {"kernels.py": "new"})


# ------------------------------------------------------------------ runs


def test_every_arm_runs_with_every_seed_and_is_cached(tmp_path: Path) -> None:
    told: list[str] = []
    assert perform(TOY, tmp_path, say=told.append) == []
    # Seed by seed: a stopped study has compared all its arms.
    assert calls == [(width, seed) for seed in range(3) for width in (12, 4)]
    assert told[0] == "part/toy: Swish, c = 8, seed 0"
    perform(TOY, tmp_path, say=quiet)
    assert len(calls) == 6
    assert not [p for p in (tmp_path / "part/toy").iterdir() if p.is_dir()]  # no scratch is left
    card = collect(TOY, tmp_path)
    assert (card.study, card.profile) == ("studies/part/toy", "full")
    assert card.values(("ReLU", "sum")) == {0: 4.0, 1: 5.0, 2: 6.0}
    assert card["ReLU", "sum"].seeds == 3
    assert {r.networks for r in card.rows if r.name == "one"} == {()}
    assert {r.error for r in card.rows if r.name == "one"} == {0.5}
    assert card.origin["settings"]["ReLU"] == "Width(width=4)"
    assert [r[:2] for r in card.origin["runs"]][:2] == [["Swish, c = 8", 0], ["ReLU", 0]]


def third(settings: Width, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    return [Measure("third", 1e5 / 3, (), 2e-5 / 3)]


def test_a_card_keeps_the_digits_of_float32(tmp_path: Path) -> None:
    perform(TOY, tmp_path, say=quiet)
    row = collect(replace(TOY, measure=third), tmp_path).rows[0]
    assert (row.value, row.error) == (33333.333, 6.6666667e-6)


def test_measures_may_change_without_running_again(tmp_path: Path) -> None:
    perform(TOY, tmp_path, say=quiet)
    other = replace(TOY, measure=largest)
    perform(other, tmp_path, say=quiet)
    assert collect(other, tmp_path).values(("ReLU", "largest")) == {0: 4.0, 1: 4.0, 2: 4.0}
    assert len(calls) == 6


def test_an_added_arm_and_a_changed_one_leave_the_others_at_hand(tmp_path: Path) -> None:
    perform(TOY, tmp_path, say=quiet)
    more = replace(TOY, arms={**ARMS, "ReLU": Width(5), "CELU": Width(6)})
    assert missing(more, tmp_path) == [(arm, s) for s in range(3) for arm in ("ReLU", "CELU")]


def test_a_stopped_study_goes_on_and_counts_all_its_seconds(tmp_path: Path) -> None:
    failures.extend([None, None, None, KeyboardInterrupt()])  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        perform(TOY, tmp_path, say=quiet)
    assert len(missing(TOY, tmp_path)) == 3
    assert len(collect(TOY, tmp_path).rows) == 6
    clock = place(TOY, tmp_path, "ReLU", 1).with_suffix("") / "seconds.json"
    assert seconds(clock)["run"] > 0  # the folder of what was under way is there again
    clock.write_text('{"run": 1000.0}')
    perform(TOY, tmp_path, say=quiet)
    assert len(calls) == 6
    assert collect(TOY, tmp_path).origin["seconds"] >= 1000


def test_a_lost_run_is_cached_as_lost_and_another_error_is_not(tmp_path: Path) -> None:
    failures.append(FloatingPointError("far away"))
    perform(TOY, tmp_path, say=quiet)
    perform(TOY, tmp_path, say=quiet)
    assert len(calls) == 5
    card = collect(TOY, tmp_path)
    assert card.lost == {("Swish, c = 8", 0): "FloatingPointError: far away"}
    assert len(card.values(("Swish, c = 8", "sum"))) == 2
    failures.append(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        perform(TOY, tmp_path / "other", say=quiet)
    assert len(missing(TOY, tmp_path / "other")) == 6


def test_a_run_that_is_cut_off_is_made_anew(tmp_path: Path) -> None:
    perform(TOY, tmp_path, say=quiet)
    path = place(TOY, tmp_path, "ReLU", 1)
    path.write_bytes(path.read_bytes()[:-4])
    assert missing(TOY, tmp_path) == [("ReLU", 1)]
    perform(TOY, tmp_path, say=quiet)
    assert calls[6:] == [(4, 1)]


def test_a_cached_run_of_other_code_is_named_and_replaced_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform(TOY, tmp_path, seeds=[1], say=quiet)
    other_code(monkeypatch)
    with pytest.raises(StudyError, match=r"swish-c-8-1.safetensors was made .* \(kernels.py\)"):
        perform(TOY, tmp_path, say=quiet)
    assert len(calls) == 2  # nothing was run before it was seen
    assert collect(TOY, tmp_path).empty
    perform(TOY, tmp_path, again=True, say=quiet)
    assert len(calls) == 2 + 6


def test_a_run_with_another_network_is_not_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = tmp_path / "judge.safetensors"
    network.write_bytes(b"one")
    monkeypatch.setattr(provenance, "data_file", lambda name: network)
    monkeypatch.setattr(provenance, "_handed", {"pretrained/judge.safetensors"})
    perform(TOY, tmp_path, arms=["ReLU"], seeds=[0], say=quiet)
    assert len(missing(TOY, tmp_path)) == 5
    network.write_bytes(b"two")
    with pytest.raises(StudyError, match=r"pretrained/judge.safetensors"):
        perform(TOY, tmp_path, arms=["ReLU"], seeds=[0], say=quiet)


def test_the_loaded_networks_are_part_of_the_provenance(tmp_path: Path) -> None:
    from domain_translation.files import data_file

    provenance.start(TOY)
    data_file("pretrained/shift/weight_x.safetensors")
    data_file("registry.toml")
    assert "pretrained/shift/weight_x.safetensors" in provenance.of_run(TOY, "ReLU")["data"]
    assert "registry.toml" not in provenance.of_run(TOY, "ReLU")["data"]
    sets = provenance.of_run(replace(TOY, data=("maps256",)), "ReLU")["data"]
    assert len(next(v for k, v in sets.items() if not k.startswith("pretrained/"))) == 64


def test_the_code_of_a_run_is_what_it_was_when_the_study_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(provenance, "code_of", lambda f, p: read.append(f.__name__) or {"a": "b"})
    failures.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        perform(TOY, tmp_path, say=quiet)
    assert read == ["run"]  # before it ended, and it never did


def test_a_run_that_another_engine_is_at_is_left_to_it(tmp_path: Path) -> None:
    told: list[str] = []
    path = place(TOY, tmp_path, "ReLU", 0)
    path.parent.mkdir(parents=True)
    with FileLock(path.with_suffix(".lock")):  # as the other one holds it
        busy = perform(TOY, tmp_path, arms=["relu"], seeds=[0, 1], say=told.append)
    assert calls == [(4, 1)]
    assert busy == [("ReLU", 0)]
    assert told[0] == "part/toy: ReLU, seed 0: another process is at it"


def test_a_full_disk_is_one_sentence_and_costs_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform(TOY, tmp_path, seeds=[0], say=quiet)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("domain_translation.training.checkpoints.write_atomically", full)
    with pytest.raises(CheckpointError, match="No space left"):
        perform(TOY, tmp_path, say=quiet)
    scratch = place(TOY, tmp_path, "Swish, c = 8", 1).with_suffix("")
    assert scratch.is_dir()  # a training goes on from its checkpoints there
    monkeypatch.undo()
    assert len(missing(TOY, tmp_path)) == 4


# ------------------------------------------------------------------ cards


def test_a_committed_card_holds_runs_whose_files_are_gone(tmp_path: Path, data: Path) -> None:
    failures.append(FloatingPointError("far away"))
    perform(TOY, tmp_path / "one", seeds=[0, 1], say=quiet)
    first = write_card(TOY, tmp_path / "one", data, None)
    card = cards.stored_card(TOY)
    assert card is not None
    assert set(card.rows) == set(first.rows)
    assert (card.lost, card.origin) == (first.lost, first.origin)
    assert missing(TOY, tmp_path / "two", card) == [("Swish, c = 8", 2), ("ReLU", 2)]
    calls.clear()
    perform(TOY, tmp_path / "two", card=card, say=quiet)
    assert calls == [(12, 2), (4, 2)]
    both = write_card(TOY, tmp_path / "two", data, card)
    assert both.values(("ReLU", "sum")) == {0: 4.0, 1: 5.0, 2: 6.0}
    assert both.lost == {("Swish, c = 8", 0): "FloatingPointError: far away"}
    assert len(both.origin["runs"]) == 6
    assert survey(TOY, tmp_path / "none").card == "whole"
    assert survey(TOY, tmp_path / "none").at_hand == "6 of 6"


def test_a_card_of_other_code_holds_no_run_and_is_not_overwritten_by_fewer(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform(TOY, tmp_path / "one", say=quiet)
    card = write_card(TOY, tmp_path / "one", data, None)
    other = replace(TOY, measure=largest)  # the rows, too, are of other code
    assert len(missing(other, tmp_path / "two", card)) == 6
    other_code(monkeypatch)
    assert survey(TOY, tmp_path / "two").card == "of other code"
    perform(TOY, tmp_path / "two", card=card, seeds=[0], say=quiet)
    with pytest.raises(StudyError, match="holds 4 runs that would be lost, such as Swish"):
        write_card(TOY, tmp_path / "two", data, card)
    assert len(cards.stored_card(TOY).origin["runs"]) == 6  # type: ignore[union-attr]
    assert len(write_card(TOY, tmp_path / "two", data, card, again=True).origin["runs"]) == 2


def test_a_card_does_not_silently_leave_out_runs_of_other_code(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform(TOY, tmp_path, seeds=[0], say=quiet)
    other_code(monkeypatch)
    with pytest.raises(StudyError, match=r"swish-c-8-0.safetensors was made .* \(kernels.py\)"):
        write_card(TOY, tmp_path, data, None)
    perform(TOY, tmp_path, seeds=[1], say=quiet)
    assert len(write_card(TOY, tmp_path, data, None, again=True).origin["runs"]) == 2


def judge(settings: Width, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    from domain_translation.files import data_file

    data_file("pretrained/shift/weight_y.safetensors")
    return measures({"judged": 1.0})


def test_networks_that_measure_are_part_of_the_card(tmp_path: Path, data: Path) -> None:
    judged = replace(TOY, measure=judge)
    perform(judged, tmp_path, seeds=[0], say=quiet)
    card = write_card(judged, tmp_path, data, None)
    assert "pretrained/shift/weight_y.safetensors" in card.origin["data"]
    assert len(provenance.held(judged, card)) == 2


def test_a_card_without_provenance_is_refused(tmp_path: Path, data: Path) -> None:
    perform(TOY, tmp_path, say=quiet)
    card = collect(TOY, tmp_path)
    bare = replace(card, origin={k: v for k, v in card.origin.items() if k not in ("code", "made")})
    cards.card_files.write(data / "cards/studies/part/toy.json", bare)
    with pytest.raises(CardError, match=r"no provenance \(code, made missing\).*delete it, or"):
        cards.stored_card(TOY)
    with pytest.raises(CardError, match="no provenance"):
        missing(TOY, tmp_path / "none", bare)
    assert "no provenance" in survey(TOY, tmp_path).card


def test_excerpts_are_committed_with_the_card(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures.append(FloatingPointError("far away"))
    showing = replace(TOY, excerpt=few)
    perform(showing, tmp_path, seeds=[0], say=quiet)
    write_card(showing, tmp_path, data, None)
    assert [p.name for p in (data / "studies/part/toy").iterdir()] == ["relu-0.safetensors"]
    assert excerpt("part/toy", "ReLU", 0)["half"].tolist() == [0.0, 2.0]
    with pytest.raises(FileNotFoundError):
        excerpt("part/toy", "ReLU", 1)


def test_a_card_of_nothing_is_refused(tmp_path: Path, data: Path) -> None:
    with pytest.raises(StudyError, match="no run of part/toy is at hand"):
        write_card(TOY, tmp_path, data, None)
    found = survey(replace(TOY, earlier="results/full/toy.json"), tmp_path)
    assert found == ("part/toy", "2 x 3", "0 of 6", 0, "earlier runs, data/results/full/toy.json")


# ------------------------------------------------------------------ declarations


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "../toy"}, "give words joined by /"),
        ({"arms": {}}, "no arms or no seeds"),
        ({"seeds": ()}, "no arms or no seeds"),
        ({"arms": {"a b": 1, "a-b": 2}}, "share a file"),
        ({"arms": {"a": run}}, "do not say what they are"),
    ],
)
def test_a_study_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(TOY, **change)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"arms": ["gelu"]}, "no arm 'gelu'; it has Swish, c = 8, ReLU"),
        ({"seeds": [7]}, "no seed 7; it has 0, 1, 2"),
    ],
)
def test_an_unknown_arm_or_seed_is_named(tmp_path: Path, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        perform(TOY, tmp_path, **asked)


def test_nested_numbers_become_tensors_by_their_path() -> None:
    found = tensors({"a": {"b": 1, "c": [1.0, 2.0], "said": "x"}, 4: True})
    assert {k: v.tolist() for k, v in found.items()} == {"a, b": 1.0, "a, c": [1.0, 2.0], "4": 1.0}
    assert {v.dtype for v in found.values()} == {torch.float64}


# ------------------------------------------------------------------ code


def test_code_counts_without_comments_and_docstrings() -> None:
    plain = "def f(x):\n    return x + 1\n"
    same = '"""About."""\n\ndef f(x):\n    """Adds."""\n    return x + 1  # one\n'
    assert code_digest(plain) == code_digest(same)
    assert code_digest(plain) != code_digest(plain.replace("1", "2"))
    assert code_digest('def f():\n    """Only this."""\n') == code_digest("def f():\n    pass\n")


PACKAGE = {
    "study.py": "from toy_package import other\nfrom toy_package.deep.inner import g, h\n"
    "A = 1\nB = 2\n\ndef run():\n    t = 0\n    return t + inside() + g(A)\n\n"
    "def inside():\n    return 0\n\ndef measure():\n    return other.x + B + h()\n\n"
    "ARMS = {t: measure for t in range(2)}\n",
    "other.py": "x = 1\n",
    "deep/__init__.py": "",
    "deep/inner.py": "def g(a):\n    from toy_package.deep import lazy\n    return a\n\n"
    "def h():\n    from toy_package.notebook import shown\n    return 1\n",
    "deep/lazy.py": "",
    "notebook/shown.py": "",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a package with one line replaced, and say what a function of it may run."""

    def write(function: str, old: str = "", new: str = "") -> dict[str, str]:
        import importlib
        import sys

        from domain_translation.notebook.code import code_of

        root = tmp_path / str(len(list(tmp_path.iterdir())))
        for name, text in PACKAGE.items():
            (root / "toy_package" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "toy_package" / name).write_text(text.replace(old, new) if old else text)
        monkeypatch.syspath_prepend(root)
        for name in [n for n in sys.modules if n.startswith("toy_package")]:
            del sys.modules[name]
        module = importlib.import_module("toy_package.study")
        return code_of(getattr(module, function), root / "toy_package")

    return write


def test_a_function_runs_what_it_reaches_by_name_and_what_that_imports(package: Any) -> None:
    assert list(package("run")) == ["deep/inner.py", "deep/lazy.py", "study.py:run"]
    found = list(package("measure"))
    assert found == ["deep/inner.py", "deep/lazy.py", "other.py", "study.py:measure"]


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("A = 1", "A = 2", {"study.py:run"}),
        ("return 0", "return 3", {"study.py:run"}),
        ("B = 2", "B = 3", set()),
        ("range(2)", "range(3)", set()),  # a comprehension's variable is not the run's
        ("x = 1", "x = 2", set()),
        ("return a", "return -a", {"deep/inner.py"}),
        ("return 0", '"""Nothing."""\n    return 0', set()),
    ],
)
def test_only_what_a_run_needs_makes_it_another(
    package: Any, old: str, new: str, changes: set[str]
) -> None:
    before, after = package("run"), package("run", old, new)
    assert {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)} == changes
