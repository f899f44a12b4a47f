"""The two commands for one's own pictures: files of every kind, statuses, and interruption."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import ownpictures as own
import pytest
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor, nn
from torch.export import Dim

from domain_translation import cli
from domain_translation.commands import pictures as command
from domain_translation.cooling.pictures import (
    RequestError,
    UserError,
    cool_folder,
    load_denoiser,
    load_translator,
    train_denoiser_on_folder,
)
from domain_translation.training.model_files import save_model
from domain_translation.translators import cyclegan

FAST = ["--steps", "3", "--step-size", "0.02"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own.folder(tmp_path / "in", 3)
    own.denoiser_file(tmp_path / "d.safetensors")
    own.translator_file(tmp_path / "g.safetensors")


def cool(*more: str, translator: str = "g.safetensors", source: str = "in") -> int:
    return cli.main(
        ["cool", "--translator", translator, "--denoiser", "d.safetensors", source, *more, *FAST]
    )


# Translators from files


class Picky(nn.Module):
    """Half the picture's brightness, in a shape that scripts, traces and exports."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


def write_translator(kind: str, path: Path, network: nn.Module, size: int = 24) -> None:
    example = torch.zeros(1, 3, size, size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "script":
            torch.jit.script(network).save(path)
        elif kind == "trace":
            torch.jit.trace(network, example).save(path)
        elif kind == "export":
            shapes = ({2: Dim("h"), 3: Dim("w")},)
            with path.open("wb") as file:
                torch.export.save(
                    torch.export.export(network, (example,), dynamic_shapes=shapes), file
                )
        elif kind == "fixed export":
            with path.open("wb") as file:
                torch.export.save(torch.export.export(network, (example,)), file)
        elif kind == "pth":
            torch.save(network.state_dict(), path)
        elif kind == "safetensors":
            safetensors.torch.save_file(network.state_dict(), path)


@pytest.mark.parametrize(
    ("kind", "factory"),
    [("script", None), ("trace", None), ("export", None), ("fixed export", None),
     ("pth", "mynet:Picky"), ("safetensors", "mynet:Picky")],
)  # fmt: skip
def test_translators_of_every_kind(kind: str, factory: str | None, tmp_path: Path) -> None:
    """The file's name says nothing; a factory is found in the current folder."""
    (tmp_path / "mynet.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Picky(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n"
        "        self.factor = nn.Parameter(torch.tensor(0.0))\n\n"
        "    def forward(self, x):\n        return self.factor * x\n"
    )
    sys.modules.pop("mynet", None)
    write_translator(kind, tmp_path / "translator", Picky())
    assert cool("out", *(["--factory", factory] if factory else []), translator="translator") == 0
    cooled = np.asarray(Image.open("out/cooled/0.png")).astype(float)
    translated = np.asarray(Image.open("out/translated/0.png")).astype(float)
    inside = (cooled > 0) & (cooled < 255)  # others were clipped when they were written
    assert inside.mean() > 0.5
    assert np.abs((translated - 127.5) - 0.5 * (cooled - 127.5))[inside].max() <= 1


def test_the_published_layout_needs_no_factory(tmp_path: Path) -> None:
    """With the statistics that old versions of PyTorch stored beside the weights."""
    network = own.generator()
    state = network.state_dict() | {"model.2.running_mean": torch.zeros(4)}
    torch.save(state, tmp_path / "latest_net_G.pth")
    translator = load_translator(tmp_path / "latest_net_G.pth")
    x = torch.rand(1, 3, 24, 24)
    assert torch.equal(translator(x), network(x))
    other = {k.replace("conv_block", "block"): v for k, v in state.items()}
    torch.save(other, tmp_path / "other.pth")
    with pytest.raises(UserError, match="for other networks give a factory"):
        load_translator(tmp_path / "other.pth")


def test_a_factory_may_be_a_class_of_this_package(tmp_path: Path) -> None:
    big = cyclegan.ResnetGenerator()
    state = big.state_dict() | {"model.2.num_batches_tracked": torch.tensor(3)}
    torch.save(state, tmp_path / "g.pth")
    loaded = load_translator(
        tmp_path / "g.pth", "domain_translation.translators.cyclegan.networks:ResnetGenerator"
    )
    assert isinstance(loaded.network, cyclegan.ResnetGenerator)
    assert not loaded.network.training
    for key, value in loaded.network.state_dict().items():
        assert torch.equal(value, big.state_dict()[key])


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("no.such.module:make", "No module named"),
        ("torch.nn:NoSuch", "NoSuch"),
        ("torch.nn", "module:name"),
        ("torch.nn:Linear", "takes no argument"),
        ("builtins:dict", "made no module but a dict"),
        (
            "domain_translation.translators.cyclegan.networks:PatchDiscriminator",
            "do not fit the factory's",
        ),
    ],
)
def test_a_factory_that_does_not_fit(factory: str, message: str, tmp_path: Path) -> None:
    torch.save(own.generator().state_dict(), tmp_path / "g.pth")
    with pytest.raises(UserError, match=message) as caught:
        load_translator(tmp_path / "g.pth", factory)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_translators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "pwned"),))

    torch.save({"w": Evil()}, tmp_path / "evil.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pt").write_text("hello")
    write_translator("script", tmp_path / "ok.pt", Picky())
    whole = (tmp_path / "ok.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[: len(whole) // 2])
    model = bytearray((tmp_path / "g.safetensors").read_bytes())
    model[-3] ^= 255
    (tmp_path / "altered.safetensors").write_bytes(model)
    for name in ("evil.pth", "list.pth", "text.pt", "cut.pt", "altered.safetensors", "none.pt"):
        for factory in (None, "torch.nn:Identity"):
            if name == "altered.safetensors" and factory:
                continue
            with pytest.raises(UserError) as caught:
                load_translator(tmp_path / name, factory)
            assert name in str(caught.value)
            assert "\n" not in str(caught.value)
    assert not (tmp_path / "pwned").exists()
    with pytest.raises(RequestError, match="builds itself; leave the factory and key out"):
        load_translator(tmp_path / "ok.pt", "torch.nn:Identity")


def test_a_program_for_one_size_is_helped_by_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_translator("fixed export", tmp_path / "fixed.pt2", Picky(), size=32)
    assert cool("out", translator="fixed.pt2") == 2
    assert (
        "takes 32x32 only and would see a picture of 24x24; give size 32" in capsys.readouterr().err
    )
    assert not Path("out").exists()
    assert cool("out", "--size", "32", translator="fixed.pt2") == 0
    assert Image.open("out/translated/0.png").size == (24, 24)


# Statuses and messages


def test_training_then_cooling_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train-denoiser", "in", "--out", "mine.safetensors", "--crop", "16", "--crops", "12"]
    train += ["--width", "8", "--steps", "4", "--batch", "4", "--sigma", "0.25", "--seed", "3"]
    assert cli.main(train) == 0
    said = capsys.readouterr()
    assert "trained on 8 crops of 3 pictures" in said.out
    card = load_denoiser("mine.safetensors").card
    assert (card["sigma"], card["crop"], card["steps"], card["seed"]) == (0.25, 16, 4, 3)
    request = ["cool", "--translator", "g.safetensors", "--denoiser", "mine.safetensors"]
    assert cli.main([*request, "in", "out", *FAST]) == 0
    assert "3 of 3 pictures done; see" in capsys.readouterr().out
    assert cli.main([*request, "in", "out", *FAST]) == 0
    assert "3 of 3 pictures done, 3 of them by an earlier run" in capsys.readouterr().out
    assert cli.main([*request, "in", "out", "--sigma", "0.3", *FAST]) == 2
    assert "trained with sigma 0.25, not 0.3" in capsys.readouterr().err
    assert cli.main(train) == 2
    assert "is not overwritten" in capsys.readouterr().err


def test_the_command_and_the_function_write_the_same_bytes() -> None:
    assert cool("by_command", "--seed", "4", "--share", "0.5", "--temperature", "0.01") == 0
    cool_folder(
        load_translator("g.safetensors"), load_denoiser("d.safetensors"), "in", "by_function",
        seed=4, share=0.5, temperature=0.01, steps=3, step_size=0.02,
    )  # fmt: skip
    assert own.bytes_below(Path("by_command")) == own.bytes_below(Path("by_function"))


def test_skipped_pictures_are_told_and_the_status_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = Path("in/1.png").read_bytes()
    Path("in/1.png").write_bytes(content[: len(content) // 2])
    assert cool("out") == 3
    said = capsys.readouterr()
    assert re.search(
        r"^domain-translation: skipped 1\.png: broken: damaged or cut short .*$", said.err, re.M
    )
    assert re.search(
        r"^2 of 2 cooled, 0 spared; median score .* dB to what they were$", said.out, re.M
    )
    assert "2 of 3 pictures done" in said.out
    train = ["train-denoiser", "in", "--out", "t", "--crop", "8", "--steps", "1", "--crops", "4"]
    assert cli.main(train) == 3
    assert "skipped 1.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said", "status"),
    [
        (["in/below"], "lies in the input folder", 2),
        (["out", "--temperature", "1"], "temperature", 2),
        (["out", "--sigma", "0.1"], "trained with sigma 0.3, not 0.1", 2),
        (["in/0.png/out"], "lies in the input folder", 2),
        (["d.safetensors"], "cannot write", 1),
        (["out", "--translator", "nothing.pt"], "cannot read the translator nothing.pt", 1),
        (["out", "--denoiser", "nothing"], "cannot read the denoiser: no checkpoint at", 1),
        (["out", "--denoiser", "g.safetensors"], "no card that says its noise level", 2),
        (["out", "--device", "abacus"], "'abacus'", 2),
    ],
)
def test_requests_that_cannot_be_met(
    more: list[str], said: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cool(*more) == status
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("domain-translation: ")
    assert error.count("\n") == 1


def test_an_empty_folder(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert cool("out", source="empty") == 1
    assert "holds no picture" in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("domain_translation.cooling.pictures.cool_folder", fault)
    with pytest.raises(RuntimeError, match="a fault"):
        cool("out")


def test_options_are_documented_as_they_are() -> None:
    """Every number named in the help is the default of the function behind it."""
    import argparse

    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    (subparsers,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    for name, function in (("cool", cool_folder), ("train-denoiser", train_denoiser_on_folder)):
        defaults = function.__kwdefaults__ or {}
        told = 0
        for action in subparsers.choices[name]._actions:
            found = re.search(r"\(default: ([0-9.]+)\)", action.help or "")
            if found:
                told += 1
                assert float(found.group(1)) == defaults[action.dest]
        assert told >= 3
        options = {a.dest for a in subparsers.choices[name]._actions}
        assert set(defaults) - {"tell"} <= options


def test_help_and_bad_usage_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom domain_translation import cli\n"
        "try: cli.main(sys.argv[1:])\nexcept SystemExit as end: print(end.code)\n"
        "print('torch' in sys.modules, 'psutil' in sys.modules)"
    )
    for arguments, status in (
        (["cool", "--help"], "0"),
        (["cool"], "2"),
        (["train-denoiser"], "2"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
        )
        assert done.stdout.splitlines()[-2:] == [status, "False False"]


def test_the_press_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("psutil", "yaml", "jupytext", "papermill", "nbformat"):
        monkeypatch.setitem(sys.modules, name, None)
    assert cool("out") == 0


# Interruption


# The command in a process of its own, which waits to be stopped before it writes the translation
# of the third picture, when that is cooled and written.
STOPPED = """
import signal, sys, time
# A child of nohup, or of a shell's background, inherits that this signal is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from domain_translation import cli
from domain_translation.cooling.pictures import steps

write = steps.write

def stopping(path, content):
    if path.parent.name == "translated" and path.name == "2.png":
        print("waiting", flush=True)
        while True:  # a signal just before one long sleep would not end it
            time.sleep(0.1)
    write(path, content)

steps.write = stopping
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_half_way_ends_as_if_it_were_not(how: signal.Signals) -> None:
    own.folder(Path("in"), 4)
    request = ["cool", "--translator", "g.safetensors", "--denoiser", "d.safetensors", "in"]
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, *request, "stopped", *FAST],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    process.send_signal(how)
    _, error = process.communicate(timeout=120)
    assert said == "waiting\n", error
    assert process.returncode == (130 if how == signal.SIGINT else -9)
    if how == signal.SIGINT:
        assert error.endswith("Finished pictures are kept; give the same command to go on.\n")
    finished = sorted(Path("stopped/translated").iterdir())
    assert [path.name for path in finished] == ["0.png", "1.png"]
    assert sorted(p.name for p in Path("stopped/cooled").iterdir()) == ["0.png", "1.png", "2.png"]
    times = {path: path.stat().st_mtime_ns for path in finished}
    # The rest in this process, and an uninterrupted run for comparison.
    assert cli.main([*request, "stopped", *FAST]) == 0
    assert cli.main([*request, "whole", *FAST]) == 0
    assert own.bytes_below(Path("stopped")) == own.bytes_below(Path("whole"))
    assert {path: path.stat().st_mtime_ns for path in finished} == times


def test_a_model_file_may_be_any_network_of_the_package(tmp_path: Path) -> None:
    save_model(
        tmp_path / "n.safetensors",
        cyclegan.ResnetGenerator(width=2, blocks=1),
        dtype=torch.float16,
    )
    assert cool("out", translator="n.safetensors") == 0
