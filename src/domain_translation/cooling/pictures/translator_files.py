"""Translators from files: this package's models, TorchScript, torch.export, ONNX, state dicts.

What a file holds is read from its content, not from its name. A TorchScript, exported or ONNX
program is run as it is, so use files of people you trust; weights are read as tensors only.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from domain_translation.cooling.errors import RequestError, UserError
from domain_translation.cooling.pictures.noiseless import Noiseless
from domain_translation.cooling.pictures.onnx_files import OnnxNetwork
from domain_translation.cooling.pictures.translators import Network, Translator
from domain_translation.reweighting.generators import StochasticGenerator
from domain_translation.training import state_dicts
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.model_files import load_model
from domain_translation.training.trained import freeze
from domain_translation.translators.published import load_published

_Size = tuple[int, int] | None


def load_translator(
    path: Path | str,
    factory: str | None = None,
    values: tuple[float, float] = (-1.0, 1.0),
    key: str | None = None,
) -> Translator:
    """Read a translator from a file.

    Args:
        path: a file of `models.save_model`, a TorchScript file (`torch.jit.save`), an exported
            program (`torch.export.save`), an ONNX file, or a state dict (`.pth`, `.safetensors`),
            see `state_dicts.read`. A state dict without a factory is taken for a generator of
            CycleGAN, pix2pix or CUT.
        factory: "package.module:name" of a function or class that takes no argument and returns
            the module into which the state dict is loaded; modules in the current folder count.
        values: black and white, as the network takes and gives them.
        key: which state dict, where several are in the file.

    Raises:
        UserError: no such file, none of these kinds, or weights that do not fit.
        RequestError: a factory that cannot be used, or a factory or key for a file that needs
            none.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the translator {path}: {error.strerror}") from error
    kind = _kind(content)
    network: Network
    if kind == "state dict":
        network, accepts = _from_state(path, factory, key), None
    elif factory is not None or key is not None:
        raise RequestError(f"{path} is a {kind} and builds itself; leave the factory and key out")
    else:
        network, accepts = _program(content, path, kind)
    return Translator(network, hashlib.sha256(content).hexdigest(), accepts, values)


def _kind(content: bytes) -> str:
    """Which kind of file these bytes are; whatever is left counts as a state dict."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()}
        if "constants.pkl" in names:
            return "TorchScript program"
        if "archive_format" in names or "models/model.json" in names:
            return "exported program"
        return "state dict"
    length = int.from_bytes(content[:8], "little")
    try:
        header = json.loads(content[8 : 8 + length])
        return "model file" if "domain_translation" in header["__metadata__"] else "state dict"
    except (ValueError, KeyError, TypeError):
        pass
    # The first field of an ONNX file is the version of its format, a small number.
    onnx = content[:1] == b"\x08" and content[1:2] < b"\x80" and content[8:9] != b"{"
    return "program in ONNX" if onnx else "state dict"


def _program(content: bytes, path: Path, kind: str) -> tuple[Network, _Size]:
    """The network in a file that builds it, and the only height and width it takes, if known."""
    try:
        if kind == "TorchScript program":
            return _scripted(content), None
        if kind == "exported program":
            return _exported(content)
        if kind == "program in ONNX":
            network = OnnxNetwork(content)
            return network, network.accepts
        model = load_model(path)
    except RequestError:
        raise
    except Exception as error:  # readers of programs fail in a dozen ways
        why = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(f"{path} is a {kind} that cannot be read ({why})") from error
    if "sigma" in model.card:
        raise RequestError(f"{path} is a denoiser; were the translator and the denoiser swapped?")
    if isinstance(model.network, StochasticGenerator):
        return Noiseless(model.network), None
    return model.network, None


def _scripted(content: bytes) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is old; its files are around
        module: nn.Module = torch.jit.load(io.BytesIO(content), map_location="cpu")  # type: ignore[no-untyped-call]
    return module.eval()


def _exported(content: bytes) -> tuple[nn.Module, _Size]:
    """The program, and the only height and width it was exported for, if it was."""
    program = torch.export.load(io.BytesIO(content))
    first = program.graph_signature.user_inputs[0]
    (node,) = (n for n in program.graph.nodes if n.op == "placeholder" and n.name == first)
    sides = node.meta["val"].shape[2:]
    fixed = len(sides) == 2 and all(type(side) is int for side in sides)
    return program.module(), (sides[0], sides[1]) if fixed else None


def _from_state(path: Path, factory: str | None, key: str | None) -> nn.Module:
    """The network of a state dict: what the factory makes, or one of a published layout."""
    network = None if factory is None else _made(factory)
    try:
        if network is not None:
            return _filled(network, path, key)
        found = load_published(path, key)
    except CheckpointError as error:
        hint = "" if factory else "; for other networks give a factory, module:name"
        raise UserError(f"{error}{hint}") from error
    channels = {name: found.arguments()[name] for name in ("in_channels", "out_channels")}  # type: ignore[operator]
    if not {1, 3} >= set(channels.values()):
        raise UserError(
            f"{path} is a generator from {channels['in_channels']} to {channels['out_channels']} "
            f"channels; pictures have three, or one where a network is for greys"
        )
    return found


def _made(factory: str) -> nn.Module:
    """What the factory returns."""
    module, _, name = factory.partition(":")
    if "" not in sys.path:
        sys.path.append("")  # the current folder: where a reader keeps their network
    try:
        make: Any = getattr(importlib.import_module(module), name)
        network = make()
    except (Exception, SystemExit) as error:  # it is somebody else's code
        why = " ".join(str(error).split())
        raise RequestError(
            f"the factory {factory!r} cannot be used ({type(error).__name__}: {why}); give "
            f"package.module:name of a function or class that takes no argument and returns the "
            f"network"
        ) from error
    if not isinstance(network, nn.Module):
        raise RequestError(
            f"the factory {factory!r} made no module but a {type(network).__name__}; give one that "
            f"returns the network"
        )
    return network


def _filled(network: nn.Module, path: Path, key: str | None) -> nn.Module:
    """The network with the weights in the file, frozen and in evaluation mode."""
    wanted = network.state_dict()
    tensors = state_dicts.renamed(state_dicts.read(path, key), wanted)
    # Files of old versions lack this counter, which only training uses.
    counters = {k: v for k, v in wanted.items() if k.endswith("num_batches_tracked")}
    tensors = counters | tensors
    state_dicts.check(tensors, wanted, f"the weights in {path} do not fit the factory's network")
    network.load_state_dict({k: v.to(wanted[k].dtype) for k, v in tensors.items()})
    return freeze(network)
