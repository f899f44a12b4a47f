"""Translators from files: this package's models, TorchScript, torch.export, or a state dict.

What a file holds is read from its content, not from its name. A TorchScript or exported program
is run as it is, so use files of people you trust; weights are read as tensors only.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import sys
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from domain_translation.cooling.pictures.errors import PicturesError, RequestError, out_of_memory
from domain_translation.training import checkpoints
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.model_files import load_model
from domain_translation.training.trained import freeze

Network = Callable[[Tensor], Tensor]
# Statistics that old PyTorch stored for instance normalisation, although it never uses them.
_UNUSED = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True, eq=False)
class Translator:
    """A translator G, batches (B, 3, H, W) in [-1, 1] to the like, and what is known of it."""

    network: Network
    digest: str  # of its file or of its weights
    accepts: tuple[int, int] | None = None  # the only (height, width) it takes; None: unknown
    values: tuple[float, float] = (
        -1.0,
        1.0,
    )  # black and white, as the network takes and gives them
    lowest: list[float] = field(default_factory=list)  # value of each translation

    def __call__(self, x: Tensor) -> Tensor:
        """Translate a batch in [-1, 1] without keeping a graph.

        Raises:
            RequestError: see `check`.
            PicturesError: the network fails, or returns another shape, values of another range,
                NaN or infinite ones.
        """
        self.check(*x.shape[2:])
        shown = f"a picture shown to it at {x.shape[3]}x{x.shape[2]}"
        black, white = self.values
        scale = (white - black) / 2
        try:
            with torch.no_grad():
                y = self.network(x if self.values == (-1, 1) else black + (x + 1) * scale)
        except (RuntimeError, ValueError, TypeError, AssertionError, IndexError) as error:
            if out_of_memory(error):
                raise PicturesError(
                    f"not enough memory to translate {shown}; give --size to scale pictures down"
                ) from error
            why = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise PicturesError(
                f"the translator failed on {shown} ({why}); if it takes one size only, give that "
                f"size, if its layers halve a picture more than twice, a larger multiple"
            ) from error
        if not isinstance(y, Tensor) or y.shape != x.shape:
            what = "x".join(map(str, y.shape)) if isinstance(y, Tensor) else type(y).__name__
            raise PicturesError(
                f"the translator turned {shown} ({'x'.join(map(str, x.shape))}) into {what}; it "
                f"has to return a picture of the same size in three channels"
            )
        if not y.isfinite().all():
            raise PicturesError(f"the translator returned NaN or infinite values for {shown}")
        low, high = (float(v) for v in torch.aminmax(y))
        if low < black - scale / 2 or high > white + scale / 2:
            raise PicturesError(
                f"the translator returned values from {low:.3g} to {high:.3g} for {shown}, where "
                f"pictures are in {black:g}:{white:g}; say its range, e.g. --range 0:255"
            )
        self.lowest.append(low)
        return y if self.values == (-1, 1) else (y - black) / scale - 1

    def notes(self) -> list[str]:
        """What is odd about all translations so far, in sentences."""
        if self.values != (-1, 1) or not self.lowest or min(self.lowest) < 0:
            return []
        return ["no translation is darker than middle grey; for a network of values in 0:1 give "
                "--range 0:1"]  # fmt: skip

    def check(self, height: int, width: int) -> None:
        """Raise RequestError where it is known to take another size only."""
        if self.accepts in (None, (height, width)):
            return
        assert self.accepts is not None
        h, w = self.accepts
        raise RequestError(
            f"the translator takes {w}x{h} only and would see a picture of {width}x{height}; "
            + (f"give size {w} to scale pictures for it" if w == h else _EXPORT)
        )

    def to(self, device: torch.device) -> Translator:
        """The same translator on `device`."""
        if isinstance(self.network, nn.Module):
            self.network.to(device)
        return self


_EXPORT = "export it for any size (dynamic_shapes)"


def value_range(text: str) -> tuple[float, float]:
    """The values of black and white from "BLACK:WHITE", e.g. "0:255".

    Raises:
        RequestError: not two rising numbers.
    """
    black, _, white = text.partition(":")
    try:
        found = float(black), float(white)
    except ValueError:
        found = 0.0, 0.0
    if not found[0] < found[1] < float("inf"):
        raise RequestError(f"the range is {text!r}; give black and white, as -1:1, 0:1 or 0:255")
    return found


def as_translator(network: Network | Translator) -> Translator:
    """Any callable as a translator; a module is told by its weights, a function by its name."""
    return network if isinstance(network, Translator) else Translator(network, identity(network))


def identity(network: Network) -> str:
    """Digest of a module's weights and layers, or of the name of any other callable."""
    if isinstance(network, nn.Module):
        return checkpoints.digest(dict(network.state_dict()), repr(network))
    name = f"{getattr(network, '__module__', '')}.{getattr(network, '__qualname__', network)}"
    return hashlib.sha256(name.encode()).hexdigest()


def load_translator(
    path: Path | str,
    factory: str | None = None,
    values: tuple[float, float] = (-1.0, 1.0),
) -> Translator:
    """Read a translator from a file.

    Args:
        path: a file of `models.save_model`, a TorchScript file (`torch.jit.save`), an exported
            program (`torch.export.save`), or a state dict (`.pth`, `.safetensors`). A state dict
            without a factory is taken for one of CycleGAN's published generators.
        factory: "package.module:name" of a function or class that takes no argument and returns
            the module into which the state dict is loaded; modules in the current folder count.
        values: black and white, as the network takes and gives them.

    Raises:
        PicturesError: no such file, none of these kinds, or weights that do not fit.
        RequestError: a factory that cannot be imported, or one for a file that needs none.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PicturesError(f"cannot read the translator {path}: {error.strerror}") from error
    network, accepts = _network(content, path, factory)
    return Translator(network, hashlib.sha256(content).hexdigest(), accepts, values)


def _network(
    content: bytes, path: Path, factory: str | None
) -> tuple[nn.Module, tuple[int, int] | None]:
    """The network in a file, and the only height and width that it takes, if that is known."""
    kind = _kind(content)
    if factory is not None:
        if kind != "state dict":
            raise RequestError(f"{path} is a {kind} and builds itself; leave the factory out")
        return _filled(_made(factory), _tensors(content, path), path), None
    try:
        if kind == "TorchScript program":
            return _scripted(content), None
        if kind == "exported program":
            return _exported(content)
        if kind == "model file":
            model = load_model(path)
            if "sigma" in model.card:
                raise RequestError(
                    f"{path} is a denoiser; were the translator and the denoiser swapped?"
                )
            return model.network, None
    except RequestError:
        raise
    except (RuntimeError, ValueError, OSError, KeyError) as error:
        why = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise PicturesError(f"{path} is a {kind} that cannot be read ({why})") from error
    return _published(path), None


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
        return "state dict"


def _scripted(content: bytes) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is old; its files are around
        module: nn.Module = torch.jit.load(io.BytesIO(content), map_location="cpu")  # type: ignore[no-untyped-call]
    return module.eval()


def _exported(content: bytes) -> tuple[nn.Module, tuple[int, int] | None]:
    """The program, and the only height and width it was exported for, if it was."""
    program = torch.export.load(io.BytesIO(content))
    first = program.graph_signature.user_inputs[0]
    (node,) = (n for n in program.graph.nodes if n.op == "placeholder" and n.name == first)
    sides = node.meta["val"].shape[2:]
    fixed = len(sides) == 2 and all(type(side) is int for side in sides)
    return program.module(), (sides[0], sides[1]) if fixed else None


def _published(path: Path) -> nn.Module:
    from domain_translation.translators.cyclegan.published import load_published

    try:
        return load_published(path)
    except CheckpointError as error:
        raise PicturesError(f"{error}; for other networks give a factory, module:name") from error


def _tensors(content: bytes, path: Path) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(content)
    except SafetensorError:
        pass
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file trips the reader in a dozen ways
        raise PicturesError(
            f"{path} is damaged or holds more than tensors, and code in it is never run; "
            f"save the network's state_dict alone"
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise PicturesError(f"{path} is no state dict; save the network's state_dict alone")
    return dict(state)


def _made(factory: str) -> nn.Module:
    """What the factory returns."""
    module, _, name = factory.partition(":")
    if "" not in sys.path:
        sys.path.append("")  # the current folder: where a reader keeps their network
    try:
        make: Any = getattr(importlib.import_module(module), name)
        network = make()
    except (Exception, SystemExit) as error:  # it is somebody else's code
        raise RequestError(
            f"the factory {factory!r} cannot be used ({type(error).__name__}: {error}); give "
            f"package.module:name of a function or class that takes no argument and returns the "
            f"network"
        ) from error
    if not isinstance(network, nn.Module):
        raise RequestError(
            f"the factory {factory!r} made no module but a {type(network).__name__}; give one that "
            f"returns the network"
        )
    return network


def _filled(network: nn.Module, tensors: dict[str, Tensor], path: Path) -> nn.Module:
    """The network with these weights, frozen and in evaluation mode."""
    wanted = network.state_dict()
    kept = {k: v for k, v in tensors.items() if k in wanted or k.rpartition(".")[2] not in _UNUSED}
    try:
        network.load_state_dict(kept)
    except RuntimeError as error:
        why = " ".join(str(error).split())[:300]
        raise PicturesError(
            f"the weights in {path} do not fit the factory's network ({why})"
        ) from error
    return freeze(network)
