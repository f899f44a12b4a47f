"""Translators of every origin: state dicts in any wrapper, greys, ONNX, networks of others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ownpictures as own
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import domain_translation
from domain_translation.cooling.pictures import (
    RequestError,
    UserError,
    cool_folder,
    load_denoiser,
    load_translator,
)
from domain_translation.cooling.pictures.translators import Translator, value_range
from domain_translation.runtime import seeded
from domain_translation.sampling.inputs import evaluating

X = torch.rand(1, 3, 24, 20, generator=torch.Generator().manual_seed(0)) * 2 - 1
HERE = "test_any_translator"


def factory_network() -> nn.Module:
    with seeded(3):
        return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 1))


def wrapped(state: dict[str, Tensor], *names: str) -> dict[str, Tensor]:
    return {"".join(f"{name}." for name in names) + k: v for k, v in state.items()}


@pytest.mark.parametrize(
    "change",
    [
        dict,
        lambda s: wrapped(s, "module"),
        lambda s: wrapped(s, "_orig_mod", "module"),
        lambda s: wrapped(s, "netG"),
        lambda s: {"epoch": 3, "state_dict": wrapped(s, "G")},
        lambda s: {"netG": s, "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}}},
        lambda s: {"nets": {"generator": s, "critic": {"a.weight": torch.ones(1)}}},
        lambda s: wrapped(s, "nets", "generator") | {"nets.critic.a": torch.ones(1)},
        lambda s: {k: v.double() if v.is_floating_point() else v for k, v in s.items()},
        lambda s: {k: v for k, v in s.items() if not k.endswith("num_batches_tracked")},
    ],
)
def test_d11_state_dicts_of_any_layout_with_a_factory(
    change: Callable[[dict[str, Tensor]], dict[str, Any]], tmp_path: Path
) -> None:
    network = factory_network()
    changed = change(network.state_dict())
    torch.save(changed, tmp_path / "g.pth")
    key = "nets.generator" if any(k.startswith("nets") for k in changed) else None
    loaded = load_translator(tmp_path / "g.pth", f"{HERE}:factory_network", key=key)
    assert torch.equal(loaded.network(X), network.eval()(X))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"a": s, "b": s}, r"holds 2 networks \(a, b\); name one as the key \(--key\)"),
        (lambda s: {**s, "0.bias": torch.full((4,), torch.nan)}, r"finite .* 0\.bias$"),
        (lambda s: {**s, "0.bias": torch.ones(4).to_sparse()}, r"finite .* 0\.bias$"),
        (lambda s: {**s, "0.bias": torch.ones(4, dtype=torch.int8)}, r"finite .* 0\.bias$"),
        (lambda s: {k: v for k, v in s.items() if k != "0.bias"}, r"it lacks 0\.bias$"),
        (lambda s: {**s, "9.weight": torch.ones(1)}, r"besides 9\.weight$"),
    ],
)
def test_d11_state_dicts_that_do_not_fit_a_factory(
    change: Callable[[dict[str, Tensor]], dict[str, Any]], message: str, tmp_path: Path
) -> None:
    torch.save(change(factory_network().state_dict()), tmp_path / "g.pth")
    with pytest.raises(UserError, match=message) as caught:
        load_translator(tmp_path / "g.pth", f"{HERE}:factory_network")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (1, 3), (3, 1)])
@pytest.mark.parametrize("kind", ["module", "script", "published"])
def test_d11_networks_for_greys(inputs: int, outputs: int, kind: str, tmp_path: Path) -> None:
    from domain_translation.translators.cyclegan import ResnetGenerator

    with seeded(1):
        if kind == "published":
            network: nn.Module = ResnetGenerator(inputs, outputs, 2, 1)
        else:
            network = nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.Tanh())
    if kind == "published":
        save_file(network.state_dict(), tmp_path / "g.safetensors")
        translator = load_translator(tmp_path / "g.safetensors")
    else:
        given = torch.jit.script(network) if kind == "script" else network
        translator = Translator(given, "")
    wanted = network(X.mean(1, keepdim=True) if inputs == 1 else X)
    torch.testing.assert_close(translator(X), wanted.expand(1, 3, 24, 20))


def test_d11_channels_that_no_picture_has_are_told(tmp_path: Path) -> None:
    from domain_translation.translators.cyclegan import ResnetGenerator

    torch.save(ResnetGenerator(4, 3, 2, 1).state_dict(), tmp_path / "g.pth")
    with pytest.raises(UserError, match="from 4 to 3 channels; pictures have three, or one"):
        load_translator(tmp_path / "g.pth")


class WithStyle(nn.Module):
    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return x + z


class Listed(nn.ModuleDict):
    pass


@pytest.mark.parametrize(
    ("network", "message", "about_size"),
    [
        (WithStyle(), "'z'.*a picture and nothing else$", False),
        (Listed(), "forward", False),
        (nn.Conv2d(5, 3, 1), r"to have 5 channels, but got 3 channels instead\)$", False),
        (lambda x: x + torch.ones(1, 3, 7, 7), "size of tensor", True),
        (nn.Sequential(nn.Flatten(), nn.Linear(4, 4)), "cannot be multiplied", True),
    ],
)
def test_d11_the_hint_about_sizes_is_for_sizes(
    network: Any, message: str, about_size: bool
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        Translator(network, "")(X)
    assert ("if it takes one size only" in str(caught.value)) == about_size


def test_an_error_in_a_script_is_told_and_not_its_way(tmp_path: Path) -> None:
    script = torch.jit.script(nn.Sequential(nn.Conv2d(5, 3, 1)))
    with pytest.raises(UserError, match=r"\(Given groups=1, .* 5 channels"):
        Translator(script, "")(X)


# Evaluation mode


class Modes(nn.Module):
    """Notes in which mode it works, and has an inner layer that is always in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen, self.dropout = nn.BatchNorm2d(3).eval(), nn.Dropout(0.5)
        self.seen: set[bool] = set()

    def forward(self, x: Tensor) -> Tensor:
        self.seen |= {self.training, self.dropout.training}
        return self.dropout(0.5 * x)


def test_networks_work_in_evaluation_mode_and_stay_as_they_were(tmp_path: Path) -> None:
    own.folder(tmp_path / "in", 2)
    for run in ("folder", "array"):
        translator, denoiser = Modes(), Modes()
        if run == "folder":
            cool_folder(translator, denoiser, tmp_path / "in", tmp_path / "out", sigma=0.3, steps=2)
        else:
            domain_translation.cool(translator, X, denoiser, sigma=0.3, steps=2)
        for network in (translator, denoiser):
            assert network.seen == {False}
            assert network.training
            assert network.dropout.training
            assert not network.frozen.training


def test_the_mode_comes_back_after_an_error() -> None:
    network = Modes()
    with pytest.raises(KeyboardInterrupt), evaluating(network, lambda x: x):
        raise KeyboardInterrupt
    assert network.training


# ONNX


def onnx_file(path: Path, shape: list[Any], factor: float = 0.5, inputs: int = 1) -> Path:
    """A program that multiplies by a number."""
    import onnx
    from onnx import TensorProto, helper

    names = [f"x{i}" for i in range(inputs)]
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in names]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    number = helper.make_tensor("f", TensorProto.FLOAT, [], [factor])
    graph = helper.make_graph([helper.make_node("Mul", [names[0], "f"], ["y"])], "g", given, [out],
                              [number])  # fmt: skip
    opset = helper.make_opsetid("", 13)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), str(path))
    return path


def test_onnx_files_are_run(tmp_path: Path) -> None:
    file = onnx_file(tmp_path / "any name", ["n", 3, "h", "w"])
    translator = load_translator(file)
    assert translator.accepts is None
    torch.testing.assert_close(translator(X), 0.5 * X)
    own.folder(tmp_path / "in", 1)
    denoiser = load_denoiser(own.denoiser_file(tmp_path / "d.safetensors"))
    report = cool_folder(translator, denoiser, tmp_path / "in", tmp_path / "out", steps=1)
    assert not report.skipped


@pytest.mark.parametrize(
    ("shape", "accepts"),
    [
        ([1, 3, 24, 20], (24, 20)),
        (["n", 24, 20, 3], (24, 20)),
        (["n", "h", "w", 3], None),
        ([1, 1, "h", "w"], None),
    ],
)
def test_onnx_files_in_other_shapes(
    shape: list[Any], accepts: tuple[int, int] | None, tmp_path: Path
) -> None:
    translator = load_translator(onnx_file(tmp_path / "g.onnx", shape))
    assert translator.accepts == accepts
    two = torch.cat([X, -X])
    wanted = two.mean(1, keepdim=True).expand_as(two) if shape[1] == 1 else two
    torch.testing.assert_close(translator(two), 0.5 * wanted)


def test_d9_an_onnx_file_in_another_range(tmp_path: Path) -> None:
    file = onnx_file(tmp_path / "g.onnx", ["n", 3, "h", "w"], factor=1.0)
    torch.testing.assert_close(load_translator(file, values=(0, 255))(X), X)
    loud = onnx_file(tmp_path / "loud.onnx", ["n", 3, "h", "w"], factor=100.0)
    with pytest.raises(UserError, match="--range 0:255"):
        load_translator(loud)(X)


def test_onnx_files_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = onnx_file(tmp_path / "g.onnx", ["n", 3, "h", "w"])
    content = file.read_bytes()
    (tmp_path / "cut.onnx").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"cut\.onnx is a program in ONNX that cannot be read"):
        load_translator(tmp_path / "cut.onnx")
    onnx_file(tmp_path / "two.onnx", ["n", 3, "h", "w"], inputs=2)
    with pytest.raises(RequestError, match="one input is expected"):
        load_translator(tmp_path / "two.onnx")
    with pytest.raises(RequestError, match="leave the factory and key out"):
        load_translator(file, "torch.nn:Identity")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RequestError, match=r"pip install onnxruntime$"):
        load_translator(file)


# In memory


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": X.numpy()}, "images: a ndarray was given; give a tensor"),
        ({"translator": lambda x: (x, x)}, "into a tuple; it has to return one translation"),
        ({"translator": lambda x: None}, "into a NoneType"),
        ({"denoiser": lambda x, sigma: x}, "takes a batch of pictures alone"),
        ({"denoiser": lambda x: (x, x)}, "into tuple; it has to return"),
        ({"denoiser": lambda x: x[:, :1]}, r"into \(1, 1, 24, 20\); it has to return"),
        ({"denoiser": "d.safetensors"}, r"a str; give a callable, or what pictures.load_denoiser"),
        ({"seed": None}, "seed is None; give a whole number"),
        ({"steps": 2.5}, "steps is 2.5; give a whole number"),
    ],
)
def test_d15_what_is_no_picture_or_network(changed: dict[str, Any], message: str) -> None:
    request: dict[str, Any] = {"translator": lambda x: -x, "images": X,
                               "denoiser": lambda x: 0.9 * x, "sigma": 0.3}  # fmt: skip
    with pytest.raises(RequestError, match=message):
        domain_translation.cool(**{**request, **changed})


@pytest.mark.parametrize("text", ["0:0", "1:-1", "a:b", "0", "", "nan:1", "-inf:1", "0:inf"])
def test_d9_ranges_that_are_none(text: str) -> None:
    with pytest.raises(RequestError, match="as -1:1, 0:1 or 0:255"):
        value_range(text)
