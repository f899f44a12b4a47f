"""Published CycleGAN generators: files of the authors' layout, new and old, whole and hostile."""

from __future__ import annotations

import pickle
import re
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
from torch.nn.functional import conv2d, conv_transpose2d, instance_norm, leaky_relu, pad

from domain_translation.training.checkpoints import CheckpointError
from domain_translation.translators import layouts, published
from domain_translation.translators.cyclegan.antialiased import AntialiasedGenerator
from domain_translation.translators.cyclegan.networks import ResnetGenerator
from domain_translation.translators.cyclegan.published import (
    PUBLISHED,
    load_published,
    published_url,
)
from domain_translation.translators.pix2pix.networks import UnetGenerator

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


def with_prefix(name: str, state: State) -> State:
    return {f"{name}{k}": v for k, v in state.items()}


def module(state: State) -> State:
    return with_prefix("module.", state)


def with_dropout(state: State) -> State:
    """As it was saved from a generator that has a layer more in the middle of each block."""
    return {k.replace("conv_block.5", "conv_block.6"): v for k, v in state.items()}


def adam(state: State) -> dict[str, Any]:
    """State of an optimiser: mappings by number, which are no networks."""
    return {"state": {0: {"exp_avg": state["model.1.bias"]}}, "param_groups": [{"lr": 0.1}]}


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
        ("double.pth", lambda s: {k: v.double() for k, v in s.items()}, torch.save),
        ("dropout.pth", with_dropout, torch.save),
        ("compiled.pth", lambda s: with_prefix("_orig_mod.", s), torch.save),
        ("both.pth", lambda s: with_prefix("_orig_mod.module.", s), torch.save),
        ("part.safetensors", lambda s: with_prefix("netG.", s), save_file),
        ("other.pth", lambda s: {k.replace("model", "net"): v for k, v in s.items()}, torch.save),
        ("swa.pth", lambda s: {**module(s), "n_averaged": torch.tensor(7)}, torch.save),
        ("nested.pth", lambda s: {"epoch": 3, "state_dict": s}, torch.save),
        ("deep.pth", lambda s: {"nets": {"G": module(s)}, "opt": adam(s)}, torch.save),
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
        (
            lambda s: {**s, "model.7.weight": torch.ones(16, 8, 4, 4)},
            r"in another shape model\.7\.weight$",
        ),
        (lambda s: {**s, "model.1.weight": torch.ones(4)}, r"no convolution 'model\.1\.weight'"),
        (
            lambda s: {**s, "model.1.bias": torch.full((4,), torch.nan)},
            r"finite floating-point numbers model\.1\.bias$",
        ),
        (lambda s: {}, "no state_dict .* but a dict, and holds none"),
        (
            lambda s: {**s, "model.4.weight": torch.eye(8).to_sparse()},
            r"in another shape model\.4\.weight; .*finite floating-point numbers model\.4\.weight$",
        ),
        (
            lambda s: {k: v.to(torch.int32) for k, v in s.items()},
            r"finite floating-point numbers model\.1\.weight, .* and \d+ more$",
        ),
        (lambda s: without(s, "model.19.weight"), r"no convolution 'model\.19\.weight', it holds"),
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
        ({"epoch": 3, "loss": [1.0]}, "no state_dict .* but a dict"),
        (adam(layout()), "no state_dict .* but a dict"),
        (torch.ones(3), "no state_dict .* but a Tensor"),
        (
            {"netG": layout(), "ema": {"G": layout()}},
            r"holds 2 networks \(netG, ema\.G\); name one",
        ),
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


@pytest.mark.parametrize("key", ["netG", "ema.G"])
def test_a_key_chooses_among_networks(tmp_path: Path, key: str) -> None:
    two = {"netG": module(layout()), "ema": {"G": {k: -v for k, v in layout().items()}}}
    torch.save(two, tmp_path / "both.pth")
    flat = with_prefix("netG.", two["netG"]) | with_prefix("ema.G.", two["ema"]["G"])
    save_file(flat, tmp_path / "flat.safetensors")
    sign = 1 if key == "netG" else -1
    for name in ("both.pth", "flat.safetensors"):
        loaded = load_published(tmp_path / name, key).state_dict()
        assert torch.equal(loaded["model.1.weight"], sign * layout()["model.1.weight"])
        keys = "(netG, ema|ema, netG)"
        with pytest.raises(CheckpointError, match=f"no network 'netQ'; its keys are {keys}"):
            load_published(tmp_path / name, "netQ")


def cut_layout(width: int = 4, blocks: int = 2) -> State:
    """Random tensors with the names and shapes of CUT's generators, and their binomial filters."""
    plain = layout(width, blocks)
    old = [1, 4, 7, *range(10, 10 + blocks), *(10 + blocks + i for i in (0, 3, 7))]
    new = [1, 4, 8, *range(12, 12 + blocks), *(12 + blocks + i for i in (1, 5, 9))]
    state: State = {}
    for k, v in plain.items():
        _, number, rest = k.split(".", 2)
        at = old.index(int(number))
        turned = v.transpose(0, 1) if rest == "weight" and at in (3 + blocks, 4 + blocks) else v
        state[f"model.{new[at]}.{rest}"] = turned.contiguous()  # convolutions, not transposed ones
    three, four = torch.tensor([1.0, 2, 1]) / 4, torch.tensor([1.0, 3, 3, 1]) / 4
    for i, maps, row in ((7, 2, three), (11, 4, three), (12 + blocks, 4, four),
                         (16 + blocks, 2, four)):  # fmt: skip
        state[f"model.{i}.filt"] = torch.outer(row, row).repeat(maps * width, 1, 1, 1)
    return state


def cut_by_hand(state: State, x: Tensor, blocks: int) -> Tensor:
    """CUT's generator as its paper's code computes it, from nothing but the tensors."""

    def at(name: str) -> tuple[Tensor, Tensor]:
        return state[f"model.{name}.weight"], state[f"model.{name}.bias"]

    def reflected(y: Tensor, by: int) -> Tensor:
        return pad(y, (by,) * 4, mode="reflect")

    y = instance_norm(conv2d(reflected(x, 3), *at("1"))).relu()
    for i in (4, 8):
        y = instance_norm(conv2d(y, *at(str(i)), padding=1)).relu()
        y = conv2d(reflected(y, 1), state[f"model.{i + 3}.filt"], stride=2, groups=y.shape[1])
    for i in range(12, 12 + blocks):
        inner = instance_norm(conv2d(reflected(y, 1), *at(f"{i}.conv_block.1"))).relu()
        y = y + instance_norm(conv2d(reflected(inner, 1), *at(f"{i}.conv_block.5")))
    for i in (12 + blocks, 16 + blocks):
        y = pad(y, (1,) * 4, mode="replicate")
        y = conv_transpose2d(y, state[f"model.{i}.filt"], stride=2, padding=2, groups=y.shape[1])
        y = instance_norm(conv2d(y[:, :, 1:-1, 1:-1], *at(str(i + 1)), padding=1)).relu()
    return conv2d(reflected(y, 3), *at(str(21 + blocks))).tanh()


def test_a_generator_of_cut(tmp_path: Path) -> None:
    state = cut_layout()
    torch.save(with_prefix("module.", state), tmp_path / "latest_net_G.pth")
    model = load_published(tmp_path / "latest_net_G.pth")
    assert isinstance(model, AntialiasedGenerator)
    x = torch.rand(2, 3, 16, 20, generator=Generator().manual_seed(1)) * 2 - 1
    assert model(x).shape == x.shape
    torch.testing.assert_close(model(x), cut_by_hand(state, x, 2))
    built = AntialiasedGenerator(width=4, blocks=2).state_dict()
    assert all(torch.equal(built[k], v) for k, v in state.items() if k.endswith("filt"))
    odd = {k: v[:, :, :2, :2] if k.endswith("filt") else v for k, v in state.items()}
    torch.save(odd, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="not a generator in CUT's layout"):
        load_published(tmp_path / "odd.pth")


def unet_layout(depth: int = 5, width: int = 2) -> State:
    """Random tensors with the names and shapes of a U-Net of pix2pix."""
    maps = [min(2**i, 8) * width for i in range(depth)]
    generator = Generator().manual_seed(0)

    def kernel(a: int, b: int) -> Tensor:
        return 0.2 * torch.randn(a, b, 4, 4, generator=generator)

    state = {"0.weight": kernel(width, 3), "3.weight": kernel(2 * width, 3),
             "3.bias": torch.full((3,), 0.1)}  # fmt: skip
    inside = "1.model."
    for i in range(1, depth):
        innermost = i == depth - 1
        state[f"{inside}1.weight"] = kernel(maps[i], maps[i - 1])
        up = 3 if innermost else 5
        state[f"{inside}{up}.weight"] = kernel(maps[i] * (1 if innermost else 2), maps[i - 1])
        norms = {up + 1: maps[i - 1]} if innermost else {2: maps[i], up + 1: maps[i - 1]}
        for j, count in norms.items():
            state[f"{inside}{j}.weight"] = 1 + torch.rand(count, generator=generator)
            state[f"{inside}{j}.bias"] = torch.rand(count, generator=generator)
            state[f"{inside}{j}.running_mean"] = torch.full((count,), 9.0)
            state[f"{inside}{j}.num_batches_tracked"] = torch.tensor(5)
        inside += "3.model."
    return with_prefix("model.model.", state)


def unet_by_hand(state: State, x: Tensor, inside: str = "model.model.") -> Tensor:
    """One level of the U-Net, the next one within it, normalised by the picture itself."""

    def normed(y: Tensor, number: int) -> Tensor:
        return instance_norm(y, weight=state[f"{inside}{number}.weight"],
                             bias=state[f"{inside}{number}.bias"])  # fmt: skip

    if f"{inside}0.weight" in state:
        y = conv2d(x, state[f"{inside}0.weight"], stride=2, padding=1)
        y = unet_by_hand(state, y, f"{inside}1.model.").relu()
        up = state[f"{inside}3.weight"], state[f"{inside}3.bias"]
        return conv_transpose2d(y, *up, stride=2, padding=1).tanh()
    y = conv2d(leaky_relu(x, 0.2), state[f"{inside}1.weight"], stride=2, padding=1)
    up = 3
    if f"{inside}5.weight" in state:
        y, up = unet_by_hand(state, normed(y, 2), f"{inside}3.model."), 5
    y = conv_transpose2d(y.relu(), state[f"{inside}{up}.weight"], stride=2, padding=1)
    return torch.cat([x, normed(y, up + 1)], 1)


def test_a_u_net_of_pix2pix(tmp_path: Path) -> None:
    state = unet_layout()
    torch.save(with_prefix("module.", state), tmp_path / "latest_net_G.pth")
    model = published.load_published(tmp_path / "latest_net_G.pth")
    assert isinstance(model, UnetGenerator)
    assert not model.training
    x = torch.rand(2, 3, 32, 64, generator=Generator().manual_seed(1)) * 2 - 1
    torch.testing.assert_close(model(x), unet_by_hand(state, x))
    with pytest.raises(CheckpointError, match="the weights of a U-Net of pix2pix in a variant"):
        load_published(tmp_path / "latest_net_G.pth")
    without_norm = {k: v for k, v in state.items() if v.ndim == 4 or "model.3." in k}
    torch.save(without_norm, tmp_path / "instance.pth")
    with pytest.raises(CheckpointError, match=r"instance normalisation\); one with batch"):
        published.load_published(tmp_path / "instance.pth")
    torch.save(layout(), tmp_path / "resnet.pth")
    assert isinstance(published.load_published(tmp_path / "resnet.pth"), ResnetGenerator)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["model.0.weight", "model.2.weight", "model.3.weight"], "PatchGAN"),
        (["G.enc_style.model.0.conv.weight", "G.dec.model.1.weight"], "MUNIT"),
        (["model.1.weight", "model.16.conv_block.1.weight"], "pix2pixHD"),
        (["module.conv_first.weight", "module.RRDB_trunk.0.bias"], "ESRGAN"),
        (["conv1.conv2d.weight", "res1.conv1.conv2d.weight"], "fast style transfer"),
        (["features.0.weight", "classifier.1.weight"], "a classifier"),
        (["model.1.weight", "model.10.conv_block.0.weight"], "without reflected borders"),
        (["a.b", "a.c", "a.d", "a.e"], "^a.b, a.c, a.d and 1 more$"),
    ],
)
def test_other_networks_are_named(names: list[str], kind: str, tmp_path: Path) -> None:
    assert re.search(kind, layouts.kind(names))
    torch.save({name: torch.ones(2) for name in names}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=re.escape(layouts.kind(names))):
        published.load_published(tmp_path / "other.pth")


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
