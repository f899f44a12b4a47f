"""``train-translator``: two folders in, two translators out, whatever stops it in between."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import ownpictures as own
import pytest
import torch

from domain_translation import cli
from domain_translation.cooling.pictures import load_translator
from domain_translation.cooling.pictures import translator_training as training
from domain_translation.cooling.pictures.games import Game
from domain_translation.reweighting.generators import StochasticGenerator
from domain_translation.runtime import seeded
from domain_translation.training import checkpoints, loop
from domain_translation.training.model_files import load_model, save_model

TINY = ["--steps", "5", "--width", "2", "--batch", "2"]
METHODS = pytest.mark.parametrize("method", [[], ["--batch-weights"]], ids=["CycleGAN", "JD-BW"])


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own.folder(Path("a"), 3, 66)
    for i in range(4):
        own.draw(Path(f"b/{i}.jpg"), 70, 64, seed=20 + i)


def train(out: str, *more: str) -> int:
    return cli.main(["train-translator", "a", "b", "--out", out, *TINY, *more])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on standard error."""
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("domain-translation: ")


@METHODS
def test_what_it_writes_is_a_translator_for_cool(
    method: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    own.denoiser_file(Path("d.safetensors"))
    assert train("m/t.safetensors", *method) == 0
    told = capsys.readouterr()
    assert "3 and 4 pictures at 64x64, 5 steps: about" in told.err
    assert "MB of memory" in told.err
    assert sorted(p.name for p in Path("m").iterdir()) == [
        "t.back.safetensors", "t.preview.png", "t.safetensors"
    ]  # fmt: skip
    x = torch.rand(2, 3, 24, 24) * 2 - 1
    there, back = (load_translator(f"m/t{way}.safetensors") for way in ("", ".back"))
    assert there(x).shape == x.shape
    assert not torch.equal(there(x), back(x))
    done = cli.main(["cool", "a", "out", "--translator", "m/t.safetensors", "--denoiser",
                     "d.safetensors", "--steps", "1"])  # fmt: skip
    assert done == 0
    card = checkpoints.load("m/t.safetensors").card
    assert card["method"] == ("JD-BW" if method else "CycleGAN")
    assert (card["pictures"], card["device"], card["size"]) == ({"a": 3, "b": 4}, "cpu", 64)
    assert {"generators", "weights"} >= set(card["losses"]) - {
        "critics", "discriminator, turn 1", "discriminator, turn 2"
    }  # fmt: skip
    assert (card["direction"], load_model("m/t.back.safetensors").card["direction"]) == (
        "A to B", "B to A"
    )  # fmt: skip


class Stop(NamedTuple):
    """What a step does at its third call."""

    how: int | None

    def __call__(self) -> None:
        if self.how is None:
            raise SystemError("the power goes")
        os.kill(os.getpid(), self.how)


@pytest.fixture
def _hears_ctrl_c() -> Iterator[None]:
    """A test run that was started in the background ignores Ctrl-C, and so would its commands."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_hears_ctrl_c")
@METHODS
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, None])
def test_a_run_that_is_stopped_ends_with_the_bytes_of_one_that_is_not(
    method: list[str], how: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a chance to store, it goes on from the last checkpoint."""
    assert train("whole/t.safetensors", *method) == 0
    monkeypatch.setattr(training, "fit", functools.partial(loop.fit, every_minutes=0))
    real, calls = training.game, 0

    def stopping(*given: Any) -> Game:
        game = real(*given)

        def step(*batch: Any) -> Any:
            nonlocal calls
            calls += 1
            losses = game.step(*batch)
            if calls == 2 + 3:  # two are the trial
                Stop(how)()
            return losses

        return game._replace(step=step)

    with monkeypatch.context() as patch:
        patch.setattr(training, "game", stopping)
        if how is None:
            with pytest.raises(SystemError):
                train("stopped/t.safetensors", *method)
        else:
            assert train("stopped/t.safetensors", *method) == 128 + how
    part = Path("stopped/t.safetensors.part")
    assert checkpoints.load(part).card["step"] == (2 if how is None else 3)
    assert train("stopped/t.safetensors", *method) == 0
    assert own.bytes_below(Path("stopped")) == own.bytes_below(Path("whole"))


@METHODS
def test_previews_change_nothing(method: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Spectral normalisation goes on with every look of a network in training."""
    assert train("few.safetensors", *method) == 0
    monkeypatch.setattr(training, "PREVIEW_EVERY", 0.0)
    monkeypatch.setattr(loop, "LOOK", 1)
    drawn = 0
    real = training.preview

    def counted(*given: Any) -> bytes:
        nonlocal drawn
        drawn += 1
        return real(*given)

    monkeypatch.setattr(training, "preview", counted)
    assert train("many.safetensors", *method) == 0
    assert drawn == 6
    for end in (".safetensors", ".back.safetensors", ".preview.png"):
        assert Path(f"few{end}").read_bytes() == Path(f"many{end}").read_bytes()


def test_a_finished_training_is_not_run_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert train("t.safetensors", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert not first["earlier"]
    before = own.bytes_below(Path())
    assert train("t.safetensors", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again == first | {"earlier": True}
    assert own.bytes_below(Path()) == before
    for other in (["--seed", "1"], ["--batch-weights"], ["--no-mirror"]):
        assert train("t.safetensors", *other) == 2
        assert "other settings" in said(capsys)
    assert cli.main(["train-translator", "b", "a", "--out", "t.safetensors", *TINY]) == 2
    assert "a_sha256" in said(capsys)
    assert own.bytes_below(Path()) == before


@METHODS
def test_a_single_step_is_a_training(method: list[str]) -> None:
    """The trial before it may not take a second one."""
    assert train("t.safetensors", *method, "--steps", "1") == 0


def test_files_of_another_origin_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("t", "t.part", "t.back"):
        Path(name).write_bytes(b"mine")
        assert train("t") == 2
        assert "choose another name" in said(capsys)
        assert Path(name).read_bytes() == b"mine"
        Path(name).unlink()


def test_pictures_that_cannot_be_read_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a/broken.png").write_bytes(b"")
    Path("b/note.txt").write_bytes(b"")
    assert train("t.safetensors", "--json") == 3
    told = capsys.readouterr()
    assert set(json.loads(told.out)["skipped"]) == {str(Path("a/broken.png"))}
    assert "skipped a/broken.png: " in told.err
    assert "b: passed over: 1 .txt" in told.err


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ("a a", 2, "same folder"),
        ("a a/../a", 2, "same folder"),
        (". a", 2, "lie in one another"),
        ("a copy", 2, "hold the same pictures"),
        ("a one", 1, "one holds 1 picture; a domain needs 2 or more"),
        ("a half", 1, "1 picture that can be read (1 cannot)"),
        ("a empty", 1, "holds no picture"),
        ("a none", 1, "is not a folder"),
        ("a b --size 32", 2, "size is 32; give a multiple of 4 from 64 to 256"),
        ("a b --size 66", 2, "size is 66"),
        ("a b --size 260", 2, "size is 260"),
        ("a b --size 96 --batch-weights", 2, "give 64, 128 or 256"),
        ("a b --batch 1 --batch-weights", 2, "batch is 1; give 2 to 1024 (with weights"),
        ("a b --batch 0", 2, "batch is 0"),
        ("a b --steps 0", 2, "steps is 0"),
        ("a b --learning-rate nan", 2, "learning_rate is nan"),
        ("a b --seed -1", 2, "seed is -1"),
        ("a b --device tpu9", 2, "the device 'tpu9' is not here"),
        ("a b --out file/t", 1, "cannot write"),
        ("a b --out .", 2, "give it a name"),
    ],
)
def test_one_sentence_for_what_can_be_mended(
    change: str, status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("a", "copy")
    own.folder(Path("one"), 1)
    own.folder(Path("half"), 1)
    Path("half/x.png").write_bytes(b"x")
    Path("empty").mkdir()
    Path("file").write_text("in the way")
    assert cli.main(["train-translator", "--out", "t", *change.split()]) == status
    assert words in said(capsys)
    assert not list(Path().glob("t*"))


def test_a_disk_without_room_is_told_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 8, 10**6))
    assert train("t") == 1
    assert "has 1 MB to spare and the training needs" in said(capsys)
    assert not list(Path().glob("t*"))


def test_memory_that_runs_out_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*given: Any) -> Game:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(training, "game", full)
    assert train("t") == 1
    assert "give a smaller --batch, --size or --width" in said(capsys)


def test_a_generator_that_takes_noise_is_shown_its_middle(tmp_path: Path) -> None:
    """Field case 36: the shipped generators of JD-BW are such."""
    with seeded(0):
        network = StochasticGenerator(3, 3, width=2, blocks=2).eval()
    save_model(tmp_path / "g.safetensors", network)
    x = torch.rand(2, 3, 16, 16)
    assert torch.equal(
        load_translator(tmp_path / "g.safetensors")(x), network(x, torch.zeros(2, 8)).detach()
    )
