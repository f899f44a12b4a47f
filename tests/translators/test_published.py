"""Published CycleGAN generators: files of the authors' layout, new and old, whole and hostile."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Generator, Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, instance_norm, pad

from domain_translation.training.checkpoints import CheckpointError
from domain_translation.translators.cyclegan.networks import ResnetGenerator
from domain_translation.translators.cyclegan.published import (
    PUBLISHED,
    load_published,
    published_url,
)

State = dict[str, Tensor]


def layout(width: int = 4, blocks: int = 2, inputs: int = 3, outputs: int = 3) -> State:
    """Random tensors with the names and shapes of `latest_net_G.pth`, written down by hand."""
    shapes = {1: (width, inputs, 7), 4: (2 * width, width, 3), 7: (4 * width, 2 * width, 3)}
    up = 10 + blocks
    # Transposed convolutions store (in, out, 3, 3).
    shapes |= {up: (4 * width, 2 * width, 3), up + 3: (2 * width, width, 3)}
    shapes |= {up + 7: (outputs, width, 7)}
    named = {f"model.{i}": shape for i, shape in shapes.items()}
    for i in range(blocks):
        for j in (1, 5):
            named[f"model.{10 + i}.conv_block.{j}"] = (4 * width, 4 * width, 3)
    generator = Generator().manual_seed(0)
    state: State = {}
    for name, (a, b, k) in named.items():
        biases = b if name in {f"model.{up}", f"model.{up + 3}"} else a
        state[f"{name}.weight"] = 0.1 * torch.randn(a, b, k, k, generator=generator)
        state[f"{name}.bias"] = 0.1 * torch.randn(biases, generator=generator)
    return state


def by_hand(state: State, x: Tensor, blocks: int) -> Tensor:
    """The generator, layer after layer, from nothing but the tensors of the file."""

    def at(name: str) -> tuple[Tensor, Tensor]:
        return state[f"model.{name}.weight"], state[f"model.{name}.bias"]

    def reflected(y: Tensor, by: int) -> Tensor:
        return pad(y, (by,) * 4, mode="reflect")

    y = instance_norm(conv2d(reflected(x, 3), *at("1"))).relu()
    for name in ("4", "7"):
        y = instance_norm(conv2d(y, *at(name), stride=2, padding=1)).relu()
    for i in range(10, 10 + blocks):
        inner = instance_norm(conv2d(reflected(y, 1), *at(f"{i}.conv_block.1"))).relu()
        y = y + instance_norm(conv2d(reflected(inner, 1), *at(f"{i}.conv_block.5")))
    for i in (10 + blocks, 13 + blocks):
        y = conv_transpose2d(y, *at(str(i)), stride=2, padding=1, output_padding=1)
        y = instance_norm(y).relu()
    return conv2d(reflected(y, 3), *at(str(17 + blocks))).tanh()


def legacy(state: State, blocks: int = 2) -> State:
    """The same with the statistics that PyTorch before 0.4 kept for instance normalisation."""
    up = 10 + blocks
    norms = [f"model.{i}" for i in (2, 5, 8, up + 1, up + 4)]
    norms += [f"model.{i}.conv_block.{j}" for i in range(10, up) for j in (2, 6)]
    extra: State = {}
    for name in norms:
        extra |= {f"{name}.running_mean": torch.rand(4), f"{name}.running_var": torch.rand(4)}
        extra |= {f"{name}.num_batches_tracked": torch.tensor(7)}
    return OrderedDict({**state, **extra})


def module(state: State) -> State:
    return {f"module.{k}": v for k, v in state.items()}


def old_format(state: State, path: Path) -> None:
    torch.save(OrderedDict(state), path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("blocks", [2, 6, 9])
@pytest.mark.parametrize("channels", [(3, 3), (1, 2)])
def test_a_file_of_the_published_layout_translates_as_its_tensors_say(
    tmp_path: Path, blocks: int, channels: tuple[int, int]
) -> None:
    state = layout(blocks=blocks, inputs=channels[0], outputs=channels[1])
    torch.save(state, tmp_path / "latest_net_G.pth")
    model = load_published(tmp_path / "latest_net_G.pth")
    x = torch.rand(2, channels[0], 16, 20, generator=Generator().manual_seed(1)) * 2 - 1
    torch.testing.assert_close(model(x), by_hand(state, x, blocks))
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())


def test_the_published_size_gives_the_published_count(tmp_path: Path) -> None:
    torch.save(layout(width=64, blocks=9), tmp_path / "latest_net_G.pth")
    model = load_published(tmp_path / "latest_net_G.pth")
    assert sum(p.numel() for p in model.parameters()) == 11_378_179


@pytest.mark.parametrize(
    ("name", "change", "write"),
    [
        ("old.pth", legacy, old_format),
        ("parallel.pth", module, torch.save),
        ("both.pth", lambda s: module(legacy(s)), old_format),
        ("latest_net_G.safetensors", dict, save_file),
        ("parallel.safetensors", lambda s: module(legacy(s)), save_file),
        ("half.pth", lambda s: {k: v.double() for k, v in s.items()}, torch.save),
    ],
)
def test_variants_of_the_layout_give_the_same_weights(
    tmp_path: Path,
    name: str,
    change: Callable[[State], State],
    write: Callable[[State, Path], None],
) -> None:
    state = layout()
    write(change(state), tmp_path / name)
    loaded = load_published(tmp_path / name).state_dict()
    assert loaded.keys() == state.keys()
    for key, value in state.items():
        assert loaded[key].dtype == torch.float32
        assert torch.equal(loaded[key], value)


def without(state: State, *keys: str) -> State:
    return {k: v for k, v in state.items() if k not in keys}


def with_dropout(state: State) -> State:
    return {k.replace("conv_block.5", "conv_block.6"): v for k, v in state.items()}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda s: {**s, "model.2.weight": torch.ones(4), "model.2.bias": torch.ones(4)},
            r"model\.2\.bias, model\.2\.weight.*instance normalisation without weights is expected",
        ),
        (lambda s: without(s, "model.4.bias"), r"it lacks model\.4\.bias$"),
        (lambda s: without(s, "model.1.weight"), r"no convolution 'model\.1\.weight'"),
        (lambda s: {**s, "extra": torch.ones(2, 2)}, r"it has besides extra$"),
        (with_dropout, r"lacks model\.10\.conv_block\.5\.weight.*besides model\.10\.conv_block\.6"),
        (
            lambda s: {**s, "model.7.weight": torch.ones(16, 8, 4, 4)},
            r"in another shape model\.7\.weight$",
        ),
        (lambda s: {**s, "model.1.weight": torch.ones(4)}, r"no convolution 'model\.1\.weight'"),
        (
            lambda s: {**s, "model.1.bias": torch.full((4,), torch.nan)},
            r"finite floating-point numbers model\.1\.bias$",
        ),
        (lambda s: {}, r"0 residual blocks.*it holds nothing"),
        (
            lambda s: {f"model.model.{k}": v for k, v in s.items()},
            r"it holds model\.model\.model\.1\.weight, .* and 17 more",
        ),
    ],
)
def test_anything_else_is_refused_by_the_names_of_the_keys(
    tmp_path: Path, change: Callable[[State], State], named: str
) -> None:
    path = tmp_path / "latest_net_G.pth"
    torch.save(change(layout()), path)
    with pytest.raises(CheckpointError, match=named) as refusal:
        load_published(path)
    assert "\n" not in str(refusal.value)
    assert str(path) in str(refusal.value)


class Hostile:
    """Runs a command of the attacker's choice when it is unpickled carelessly."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trap,)


def plain_pickle(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize("write", [torch.save, old_format, plain_pickle])
def test_code_in_a_file_is_refused_and_not_run(
    tmp_path: Path, write: Callable[[Any, Path], None]
) -> None:
    trap, path = tmp_path / "sprung", tmp_path / "latest_net_G.pth"
    write({**layout(), "model.99.weight": Hostile(trap)}, path)
    with pytest.raises(CheckpointError, match=r"else than tensors|damaged"):
        load_published(path)
    assert not trap.exists()
    pickle.loads(pickle.dumps(Hostile(trap)))  # the trap itself works
    assert trap.exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (nn.Conv2d(1, 1, 1), "something else than tensors"),
        ({"epoch": 3, "state_dict": layout()}, "no state_dict"),
        (torch.ones(3), "no state_dict"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, content: object, named: str) -> None:
    torch.save(content, tmp_path / "latest_net_G.pth")
    with pytest.raises(CheckpointError, match=named):
        load_published(tmp_path / "latest_net_G.pth")


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(200), b"<html>Not found</html>"])
def test_files_of_other_kinds_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"latest_net_G.{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"damaged or no PyTorch file|else than tensors"):
        load_published(path)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_download_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"latest_net_G.{suffix}"
    torch.save(layout(), path) if suffix == "pth" else save_file(layout(), path)
    whole = path.read_bytes()
    for share in (0.02, 0.3, 0.99):
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(CheckpointError):
            load_published(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 255), st.booleans())
def test_a_damaged_byte_gives_a_generator_or_one_clear_refusal(
    where: int, value: int, old: bool
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "latest_net_G.pth"
        torch.save(layout(width=1, blocks=1), path, _use_new_zipfile_serialization=not old)
        raw = bytearray(path.read_bytes())
        raw[where % len(raw)] = value
        path.write_bytes(raw)
        with suppress(CheckpointError):
            assert isinstance(load_published(path), ResnetGenerator)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*absent\.pth"):
        load_published(tmp_path / "absent.pth")


def test_addresses_of_the_published_generators() -> None:
    assert len(set(PUBLISHED)) == 18
    assert published_url("horse2zebra") == (
        "http://efrosgans.eecs.berkeley.edu/cyclegan/pretrained_models/horse2zebra.pth"
    )
    with pytest.raises(ValueError, match=r"'cat2dog' was published; choose from apple2orange"):
        published_url("cat2dog")
