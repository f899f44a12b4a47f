"""What users of such tools stumble over (D4 to D19 of the field cases), as commands."""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import ownpictures as own
import pytest
import torch
from PIL import Image

from domain_translation import cli, runtime
from domain_translation.cooling.pictures import load_denoiser
from domain_translation.cooling.pictures.codec import decode
from domain_translation.training import checkpoints
from domain_translation.training.model_files import save_model
from domain_translation.translators import cyclegan

FAST = ["--steps", "2", "--step-size", "0.02"]
TINY = ["--crop", "16", "--crops", "12", "--width", "4", "--batch", "4"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own.folder(tmp_path / "in", 2)
    own.denoiser_file(tmp_path / "d.safetensors")
    own.translator_file(tmp_path / "g.safetensors")


def cool(*more: str, translator: str = "g.safetensors", source: str = "in") -> int:
    given = ["cool", source, "out", "--translator", translator]
    return cli.main([*given, *([] if "--denoiser" in more else ["--denoiser", "d.safetensors"]),
                     *FAST, *more])  # fmt: skip


PROGRAMS = {
    "loud": lambda x: (x + 1) * 127.5,
    "pale": lambda x: (x + 1) / 2,
    "255 - x": lambda x: 255 - x,
    "1 - x": lambda x: 1 - x,
    "-x": lambda x: -x,
}


def script(name: str) -> str:
    """A TorchScript file that computes one of PROGRAMS."""

    class Program(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return PROGRAMS[name](x)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Program(), torch.zeros(1, 3, 24, 24)).save("program.pt")
    return "program.pt"


# D4: Ctrl-C and SIGTERM

TRAINING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from domain_translation import cli, denoising

loss = denoising.training.denoising_loss
calls = 0

def told(*given):
    global calls
    calls += 1
    if calls == 3:
        print("waiting", flush=True)
    return loss(*given)

denoising.training.denoising_loss = told
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_d4_a_training_that_is_stopped_goes_on(how: signal.Signals) -> None:
    train = ["train-denoiser", "in", "--out", "t.safetensors", *TINY, "--steps", "1000000"]
    process = subprocess.Popen([sys.executable, "-c", TRAINING, *train], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline()
    process.send_signal(how)
    _, error = process.communicate(timeout=120)
    assert said == "waiting\n", error
    assert process.returncode == 128 + how
    assert error.endswith("Stopped. The next run with the same settings goes on from here.\n")
    first = checkpoints.load("t.safetensors.part").card["step"]
    assert first >= 3


def test_d4_a_cooling_that_is_terminated_says_what_is_done() -> None:
    """A signal arrives while the second picture is translated."""
    calls = 0
    real = cyclegan.ResnetGenerator.forward

    def killed(self: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 3:  # one for the trial
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)
        return real(self, x)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cyclegan.ResnetGenerator, "forward", killed)
        assert cool() == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    lines = Path("out/scores.csv").read_text().splitlines()
    assert [("done" in line, "waiting" in line) for line in lines[1:]] == [
        (True, False),
        (False, True),
    ]


# D6 to D9


@pytest.mark.parametrize("device", ["cuda:7", "gpu", "meta"])
@pytest.mark.parametrize("command", ["cool", "train"])
def test_d6_a_device_that_is_not_there(
    command: str, device: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before pictures are read: here, even before the folder is looked at."""
    train = ["train-denoiser", "nowhere", "--out", "t", "--device", device]
    given = cli.main(train) if command == "train" else cool("--device", device, source="nowhere")
    assert given == 2
    error = capsys.readouterr().err
    assert f"the device '{device}' is not here; this machine has cpu" in error
    assert error.count("\n") == 1


def test_d7_swapped_files_are_recognised_and_nothing_is_to_be_deleted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.save(own.generator().state_dict(), "latest_net_G.pth")
    assert cool("--denoiser", "latest_net_G.pth", translator="latest_net_G.pth") == 1
    one = capsys.readouterr().err
    assert cool("--denoiser", "g.safetensors", translator="d.safetensors") == 2
    other = capsys.readouterr().err
    for said in (one, other):
        assert "the translator and the denoiser swapped?" in said
        assert "delete" not in said


def test_d8_what_is_passed_over_is_counted_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/a.heic").write_text("")
    Path("in/linked").symlink_to(own.folder(Path("other").resolve(), 1))
    train = ["train-denoiser", "in", "--out", "t", *TINY, "--steps", "1"]
    assert cool() == 0
    assert "passed over: 1 .heic, 1 linked folder\n" in capsys.readouterr().err
    assert cli.main(train) == 0
    assert "passed over: 1 .heic, 1 linked folder\n" in capsys.readouterr().err


def test_d9_values_in_another_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert cool(translator=script("loud")) == 1
    assert "say its range, e.g. --range 0:255" in capsys.readouterr().err
    assert cool(translator=script("pale")) == 0
    assert "for a network of values in 0:1 give --range 0:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("expression", "values"), [("255 - x", "0:255"), ("1 - x", "0:1"), ("-x", "-1:1")]
)
def test_d9_the_range_that_is_given(expression: str, values: str) -> None:
    assert cool("--range", values, "--share", "0.01", translator=script(expression)) == 0
    for name in ("0.png", "1.png"):
        cooled, translated = (
            np.asarray(Image.open(f"out/{kind}/{name}")).astype(int)
            for kind in ("cooled", "translated")
        )
        spared = np.array_equal(cooled, np.asarray(Image.open(f"in/{name}")))
        assert np.abs(translated + cooled - 255)[cooled % 255 > 0].max() <= (0 if spared else 1)


# D12 and D14


def test_d12_a_short_training_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train-denoiser", "in", "--out", "t", *TINY, "--steps", "3"]) == 0
    said = capsys.readouterr()
    assert "it will smooth pictures, no more; train it longer" in said.err
    assert "by a plain blur" in said.out
    assert load_denoiser("t").card["crops"] == 6  # of one picture; the other is held out


def test_d14_nothing_cooled_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cool("--threshold", "99") == 0
    assert "0 of 2 cooled, 2 spared; median score" in capsys.readouterr().out


def test_d14_without_a_terminal_lines_tell_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a file: a line every so many seconds, here many; and none where nothing asked."""
    for _ in runtime.progress(range(3), desc="quiet"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)  # this is no notebook
    with runtime.progress_lines(every=0.01):
        for _ in runtime.progress(range(4), desc="told"):
            time.sleep(0.03)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("told:") and "\r" not in line for line in lines)


def test_d14_the_bar_moves_within_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[int] = []

    class Bar:
        n = 0

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def update(self, by: int) -> None:
            self.n += by
            moves.append(by)

    monkeypatch.setattr(
        runtime, "progress", lambda items=None, **_: Bar() if items is None else items
    )
    assert cool() == 0
    assert sum(moves) == 2 * 24 * 24
    assert len([m for m in moves if m]) >= 2 * 3


# D17 to D19


@pytest.mark.parametrize(
    "name", [b"new\nline.png", b"a\rb.png", b"-x.png", b"\xff\xfe.png", "‮☂.png".encode(), b"%s.png"]
)
def test_d17_any_file_name(name: bytes) -> None:
    os.rename(b"in/0.png", b"in/" + name)
    assert cool() == 0
    assert cool() == 0
    assert os.path.exists(b"out/translated/" + name)
    assert cli.main(["train-denoiser", "in", "--out", "t", *TINY, "--steps", "1"]) == 0


@pytest.mark.parametrize("body", ["raise RuntimeError('no gpu\\nhere')", "sys.exit(3)", "1 / 0"])
def test_d18_whatever_a_factory_raises(body: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("raising.py").write_text(f"import sys\ndef make():\n    {body}\n")
    sys.modules.pop("raising", None)
    torch.save(own.generator().state_dict(), "g.pth")
    assert cool("--factory", "raising:make", translator="g.pth") == 2
    error = capsys.readouterr().err
    assert "the factory 'raising:make' cannot be used" in error
    assert error.count("\n") == 1


def test_d19_twelve_bits_in_sixteen_are_told() -> None:
    values = np.linspace(0, 4095, 24 * 24).reshape(24, 24).astype(np.uint16)
    Image.fromarray(values).save("in/dark.png")
    assert cool() == 0
    (line,) = (x for x in Path("out/scores.csv").read_text().splitlines() if "dark" in x)
    assert "12 bits, which come out nearly black" in line


def test_d19_odd_files_make_no_noise() -> None:
    """Warnings of Pillow and PyTorch, with paths of this machine, stay away from the terminal."""
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    Image.open("in/0.png").save(content, "JPEG", exif=exif.tobytes()[:-2])
    Path("in/odd.jpg").write_bytes(content.getvalue())
    palette = Image.open("in/1.png").quantize(8)
    palette.save("in/palette.png", transparency=bytes(range(8)))
    Path("evil.pkl").write_bytes(pickle.dumps({"w": print}, protocol=4))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert cool() == 0
        assert cool(translator="evil.pkl") == 1
    assert not [str(c.message) for c in caught]


def test_d19_sparse_weights_are_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    state = own.generator().state_dict()
    state["model.1.weight"] = state["model.1.weight"].to_sparse()
    torch.save(state, "sparse.pth")
    assert cool(translator="sparse.pth") == 1
    assert "not as finite floating-point numbers model.1.weight" in capsys.readouterr().err


def test_d19_greys_with_alpha() -> None:
    image = Image.new("LA", (4, 4), (100, 50))
    out = io.BytesIO()
    image.save(out, "PNG")
    picture = decode(out.getvalue())
    assert picture.grey
    assert picture.alpha is not None


def test_a_denoiser_of_another_kind_is_no_denoiser(capsys: pytest.CaptureFixture[str]) -> None:
    save_model("critic.safetensors", cyclegan.PatchDiscriminator(width=2))
    assert cool("--denoiser", "critic.safetensors") == 2
    assert "no card that says its noise level" in capsys.readouterr().err
