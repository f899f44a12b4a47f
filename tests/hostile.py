"""Hostile inputs for the commands on pictures, drawn at random: names, files, settings."""

from __future__ import annotations

import io
import os
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ownpictures as own
import torch
from PIL import Image

NAMES = (b"a.png", b"-.png", b"new\nline.jpg", b"\xff\xfe.png", b" .png", b"%s{}.tif", b"..png",
         "‮狐.webp".encode(), b"'\";$(x).gif", b"A" * 240 + b".png", b"CON.bmp")  # fmt: skip
# No setting is large and allowed: it would only take long, or all of the memory.
NUMBERS = ("nan", "inf", "-inf", "-1", "0", "1e-300", "1e300", "2", "x", "", "0x10", "1_0", "-0.0")
WHOLE = ("-1", "0", "1", "2", "3", "1.5", "x", "", "99999999999999999999", "nan", "1_6")
WORDS = {
    "--range": ("-1:1", "0:255", "1:0", ":", "a:b", "0:0", "-inf:inf", "nan:nan", "1e300:2e300"),
    "--device": ("cpu", "cuda", "meta", "", "cpu:9", "tpu", "cuda:-1", "mps"),
    "--key": ("", "model", "netG", ".", "a.b.c"),
    "--factory": ("torch.nn:Identity", "os:getcwd", ":", "torch.nn", "sys:exit", "no.such:thing"),
    "--threshold": (*NUMBERS, "auto"),
}
COOL = {
    **dict.fromkeys(("--sigma", "--step-size", "--temperature", "--share"), NUMBERS),
    **dict.fromkeys(("--size", "--multiple", "--seed"), WHOLE),
    **WORDS,
}
TRAIN = {
    **dict.fromkeys(("--sigma", "--learning-rate"), NUMBERS),
    **dict.fromkeys(("--crop", "--size", "--crops", "--width", "--batch", "--seed"), WHOLE),
    "--device": WORDS["--device"],
}


def picture(draw: random.Random) -> bytes:
    """The bytes of a file: a picture of any mode and format, whole, cut or altered, or none."""
    if draw.random() < 0.15:
        return draw.choice([b"", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", bytes(300)])
    mode = draw.choice(["RGB", "RGBA", "L", "LA", "1", "P", "I;16", "CMYK"])
    side = draw.choice([1, 2, 3, 17])
    if mode == "I;16":
        image = Image.fromarray(np.full((side, 5), draw.choice([0, 9, 60000]), np.uint16))
    else:
        image = Image.fromarray(own.pixels(side, 5, draw.randrange(9))).convert(mode)
    out = io.BytesIO()
    kind = "PNG" if mode != "CMYK" else draw.choice(["JPEG", "TIFF"])
    image.save(out, kind)
    content = bytearray(out.getvalue())
    for _ in range(draw.choice([0, 0, 0, 1, 5])):
        content[draw.randrange(len(content))] = draw.randrange(256)
    return bytes(content[: draw.choice([len(content), len(content), len(content) // 2])])


def folder(draw: random.Random, path: Path) -> None:
    """Two ordinary pictures and a few hostile ones."""
    own.folder(path, 2, side=16)
    for name in draw.sample(NAMES, draw.randrange(3)):
        (path / os.fsdecode(name)).write_bytes(picture(draw))
    if draw.random() < 0.2:
        (path / "folder.png").mkdir()


def network(draw: random.Random, path: Path) -> None:
    """A file that is said to be a translator or a denoiser."""

    def zipped() -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(f"a/{draw.choice(['constants.pkl', 'archive_format', 'data'])}", "x")
        return out.getvalue()

    def saved(content: object) -> bytes:
        out = io.BytesIO()
        torch.save(content, out)
        return out.getvalue()

    state = own.generator().state_dict()
    name = draw.choice(list(state))
    values = state[name]
    odd_values = [torch.ones(()), torch.ones(2, 2).to_sparse(), values / 0, values[:0]]
    odd = {**state, name: draw.choice([*odd_values, values.to(torch.complex64)])}
    kinds: list[Callable[[], bytes]] = [
        lambda: saved(state),
        lambda: saved(odd),
        lambda: saved({"a": {"b": state}, "c": draw.choice([state, 1, [state]])}),
        lambda: saved({k: v for k, v in state.items() if draw.random() < 0.9}),
        lambda: saved(draw.choice([None, [], {}, 3, torch.ones(3), {1: torch.ones(1)}])),
        lambda: saved(torch.nn.Linear(1, 1)),
        lambda: pickle.dumps({"w": os.getcwd}),
        lambda: draw.randbytes(draw.choice([0, 1, 9, 500])),
        lambda: b"\x08" + draw.randbytes(200),
        zipped,
    ]
    content = draw.choice(kinds)()
    cut = draw.choice([len(content), len(content), len(content) // 2])
    path.write_bytes(content[:cut])


def request(draw: random.Random, place: Path) -> list[str]:
    """A command in the empty folder `place`, with the files that it names."""
    own.denoiser_file(place / "d.safetensors")
    own.translator_file(place / "g.safetensors")
    folder(draw, place / "in")
    network(draw, place / "hostile")
    (place / "file").write_text("in the way")
    source = draw.choice(["in"] * 20 + ["none", "file", "in/0.png", "", "\n"])
    out = draw.choice(["out"] * 20 + ["in", "file", "file/out", "", ".", "x" * 300, "/proc/out"])
    if draw.random() < 0.5:
        allowed, given = COOL, ["cool", source, out, "--steps", draw.choice(["1", "1", "1", "0"])]
        files = {"--translator": "g.safetensors", "--denoiser": "d.safetensors"}
        for option, good in files.items():
            given += [
                option,
                draw.choice([good] * 9 + ["hostile", "hostile", "d.safetensors", "in", "none"]),
            ]
    else:
        allowed, given = TRAIN, ["train-denoiser", source, "--out", out, "--steps", "1"]
        given += ["--crop", "8", "--crops", "4", "--width", "2", "--batch", "2"]
    for option in draw.sample(list(allowed), draw.choice([0, 0, 1, 1, 2])):
        given.append(f"{option}={draw.choice(allowed[option])}")
    return given + draw.choice([[], [], ["--json"]])


TWO = {
    "train-translator": {
        **dict.fromkeys(("--size", "--seed", "--width", "--batch", "--steps"), WHOLE),
        "--learning-rate": NUMBERS,
        "--device": WORDS["--device"],
    },
    "shift": {
        **dict.fromkeys(("--clusters", "--draws", "--seed"), WHOLE),
        "--labels": ("folders", "labels.csv", "file", "in", "none", "", "\n", "in/0.png"),
        "--table": ("t.csv", "in", "file/t.csv", "", "x" * 300),
        "--figure": ("f.png", "in", "file/f.png", "", "/proc/f.png"),
    },
}


def request_of_two(draw: random.Random, place: Path) -> list[str]:
    """A command on two folders in the empty folder `place`."""
    folder(draw, place / "in")
    folder(draw, place / "other")
    own.draw(place / "other" / "last.png", 16, 16, seed=9)
    (place / "file").write_text("in the way")
    (place / "labels.csv").write_bytes(
        draw.choice(
            [b"0.png,a\n1.png,b\n", b"", b"\xff\xfe", b"a\n", b"0.png,$x_{\n1.png,\xc3\xa9\n"]
        )
    )
    command = draw.choice(list(TWO))
    good = ["in", "other"]
    given = [draw.choice([name] * 9 + ["none", "file", "in", "", ".", "in/0.png"]) for name in good]
    fast = {"--steps": "1", "--width": "2", "--batch": "2"}
    if command == "train-translator":
        out = draw.choice(["out"] * 9 + ["in", "file", "file/out", "", ".", "x" * 300, "/proc/out"])
        given += ["--out", out, *draw.choice([[], ["--batch-weights"]])]
    else:
        fast = {"--draws": "2"}
    allowed = TWO[command]
    chosen = {
        k: draw.choice(allowed[k]) for k in draw.sample(list(allowed), draw.choice([0, 1, 2]))
    }
    given += [f"{k}={v}" for k, v in {**fast, **chosen}.items()]
    return [command, *given, *draw.choice([[], [], ["--json"]])]
