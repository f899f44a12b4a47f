"""``domain-translation study``: what it runs and says, and what it says of bad requests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from torch import Tensor

from domain_translation.cli import main
from domain_translation.notebook import card_files
from domain_translation.notebook.cards import Card
from domain_translation.studies import cards, registry
from domain_translation.studies.study import Measure, Study, measures, place


def run(settings: int, seed: int, folder: Path) -> dict[str, Tensor]:
    return {"x": torch.tensor(float(settings + seed))}


def measure(settings: int, seed: int, found: Mapping[str, Tensor]) -> list[Measure]:
    return measures({"sum": float(found["x"])})


TOY = Study("part/toy", {"a": 1, "b": 2}, range(2), run, measure, trains=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout whose only study is the toy."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "registry.toml").touch()

    def data_file(name: str) -> Path:
        if not (data / name).is_file():
            raise FileNotFoundError(name)
        return data / name

    monkeypatch.setattr(cards, "data_file", data_file)
    monkeypatch.setattr(registry, "names", lambda: ["part/toy"])
    module = type(sys)("domain_translation.studies.part.toy")
    module.STUDY = TOY  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "domain_translation.studies.part.toy", module)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_is_run_listed_and_its_card_written(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "part/toy", "--only", "b", "--seed", "1"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "part/toy: b, seed 1",
        "part/toy: 1 of 4 runs at hand, 0 CPU s; --card measures",
    ]
    assert [p.name for p in (checkout / "runs/part/toy").glob("*.safetensors")] == [
        "b-1.safetensors"
    ]
    assert main(["study", "part/toy", "--card"]) == 0
    assert "1 numbers of 1 of 4 runs" in capsys.readouterr().out
    assert main(["study", "--list"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["study", "arms", "x", "seeds", "at", "hand", "CPU", "seconds", "card"]
    assert row.split() == ["part/toy", "2", "x", "2", "1", "of", "4", "0", "1", "runs"]
    assert main(["study", "part/toy"]) == 0
    assert main(["study", "part/toy", "--card"]) == 0
    text = (checkout / "data/cards/studies/part/toy.json").read_text()
    card = card_files.read(text, "toy.json")
    assert card.values(("b", "sum")) == {0: 2.0, 1: 3.0}
    assert (card.study, card["a", "sum"].seeds) == ("studies/part/toy", 2)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["part/toys"], 2, "there is no study 'part/toys'; there is part/toy"),
        (["part/toy", "--only", "c"], 2, "part/toy has no arm 'c'; it has a, b"),
        (["part/toy", "--seed", "5"], 2, "part/toy has no seed 5; it has 0, 1"),
        (["part/toy", "--card"], 2, "no run of part/toy is at hand; run it without --card first"),
        ([], 2, "study needs a NAME, or --list, which shows all"),
        (["part/toy", "--list"], 2, "study needs a NAME, or --list, which shows all"),
        (["part/toy", "--runs", "data/registry.toml"], 1, "data/registry.toml: Not a directory"),
    ],
)
@pytest.mark.usefixtures("checkout")
def test_a_request_that_cannot_be_is_one_sentence(
    arguments: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", *arguments]) == status
    assert said in capsys.readouterr().err.replace("/part/toy: Not", ": Not")


def test_a_run_of_other_settings_a_busy_one_and_a_bare_card_are_one_sentence_each(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with FileLock(place(TOY, checkout / "runs", "a", 0).with_suffix(".lock")):
        assert main(["study", "part/toy"]) == 1
    assert "1 runs of part/toy are another process's" in capsys.readouterr().err
    assert main(["study", "part/toy"]) == 0
    changed = Study("part/toy", {"a": 3, "b": 2}, range(2), run, measure, trains=True)
    monkeypatch.setattr(sys.modules["domain_translation.studies.part.toy"], "STUDY", changed)
    assert main(["study", "part/toy"]) == 2
    said = capsys.readouterr().err
    assert "a-0.safetensors was made of something else than there is now (its settings)" in said
    assert "--again runs it anew" in said
    assert main(["study", "part/toy", "--again"]) == 0
    capsys.readouterr()
    card_files.write(
        checkout / "data/cards/studies/part/toy.json", Card("studies/part/toy", "full")
    )
    assert main(["study", "part/toy"]) == 1
    assert "the card studies/part/toy has no provenance (code, settings" in capsys.readouterr().err


SCRIPT = """
import sys, time, torch
from pathlib import Path
from domain_translation.cli import main
from domain_translation.studies import registry
from domain_translation.studies.study import Study

def run(settings, seed, folder):
    if seed:
        (folder / "begun").touch()
        while True:  # a signal just before one long sleep would not end it
            time.sleep(0.1)
    return {"x": torch.zeros(1)}

def measure(settings, seed, found):
    return []

registry.find = lambda name: Study("part/toy", {"a": 1}, range(2), run, measure, trains=True)
sys.exit(main(["study", "part/toy"]))
"""


def test_a_terminated_study_says_so_and_keeps_what_is_finished(tmp_path: Path) -> None:
    script = tmp_path / "stopped.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    begun = tmp_path / "runs/part/toy/a-1/begun"
    for _ in range(1200):
        if begun.is_file():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Stopped. Finished runs are cached; the same command goes on." in said
    assert (tmp_path / "runs/part/toy/a-0.safetensors").is_file()
    assert begun.is_file()  # what is under way goes on from its folder


def test_every_study_of_the_package_is_found_by_its_name() -> None:
    names = registry.names()
    assert "energies/ablations" in names
    for name in names:
        study = registry.find(name)
        assert study.name == name
        # In the digests of the code lies what other processes have to find again.
        assert all(" at 0x" not in repr(settings) for settings in study.arms.values())
        if study.earlier:
            assert (Path(__file__).parents[2] / "data" / study.earlier).is_file()


def test_the_command_line_imports_no_study_before_it_needs_one() -> None:
    code = (
        "import sys; from domain_translation import cli; cli._parser();"
        "from domain_translation.studies import registry; registry.names();"
        "print([m for m in sys.modules if m.startswith('domain_translation.studies.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == str(
        ["domain_translation.studies.study", "domain_translation.studies.registry"]
    )
