"""State dicts that others wrote: whatever they are wrapped in, as plain tensors by plain names.

Checkpoints differ in what stands around the weights. Some hold a network beside its optimiser,
some several networks, some were saved through a wrapper that puts a name before each key
(`module.` of DataParallel, `_orig_mod.` of torch.compile, `netG.` of a model with several parts).
Files are read as tensors; code in them is never run.
"""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from domain_translation.training.checkpoints import CheckpointError

# Statistics that old PyTorch stored for normalisations that never use them, and a counter.
UNUSED = ("running_mean", "running_var", "num_batches_tracked", "n_averaged")


def read(path: Path | str, key: str | None = None) -> dict[str, Tensor]:
    """The one state dict in a file, its tensors by name, as they were stored.

    Args:
        path: `.pth`, `.ckpt`, `.bin` ... as `torch.save` writes them, or safetensors; the content
            tells which.
        key: where several state dicts are inside: the name of the one that is wanted, or the
            first part of its tensors' names; "a.b" is the entry b of the entry a.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is damaged, holds code, no state dict or several, or no `key`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    content = _content(path)
    found = dict(_inside(content, "")) if isinstance(content, Mapping) else {}
    if key is not None:
        return _named(found, key, path)
    if not found:
        kind = type(content).__name__
        raise CheckpointError(
            f"{path} is no state_dict (names with one tensor each) but a {kind}, and holds none; "
            f"save the network's state_dict alone"
        )
    if len(found) > 1:
        raise CheckpointError(
            f"{path} holds {len(found)} networks ({some(found, 8)}); name one as the key (--key)"
        )
    return next(iter(found.values()))


def _content(path: Path) -> Any:
    raw = path.read_bytes()
    try:
        return safetensors.torch.load(raw)
    except SafetensorError:
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the pickle's age; what matters is raised
            return torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is damaged or holds something else than tensors, and code in a file is never "
            f"run; save the network's state_dict alone"
        ) from error
    except Exception as error:  # a damaged file trips the reader in a dozen ways
        raise CheckpointError(
            f"{path} is damaged or no PyTorch file; fetch it again from where it came"
        ) from error


def _inside(content: Mapping[Any, Any], where: str) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Every state dict within nested dicts, by its path; optimisers count, and have no names."""
    if content and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in content.items()):
        yield where, dict(content)
        return
    for name, value in content.items():
        if isinstance(name, str) and isinstance(value, Mapping):
            yield from _inside(value, f"{where}.{name}" if where else name)


def _named(found: Mapping[str, dict[str, Tensor]], key: str, path: Path) -> dict[str, Tensor]:
    if key in found:
        return found[key]
    for tensors in found.values():
        part = {k: v for k, v in tensors.items() if k.startswith(f"{key}.")}
        if part:
            return part
    names = [name for name in found if name] or {
        name.partition(".")[0]: None for tensors in found.values() for name in tensors
    }
    raise CheckpointError(f"{path} holds no network {key!r}; its keys are {some(names, 8)}")


def renamed(tensors: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """The tensors under the names of a network, whatever wrapper either was in.

    What all stored names have in common at their start is replaced by what the wanted ones have
    in common, unless all wanted ones are there; statistics that the network does not use are left
    out.
    """
    before, after = prefix(tensors), prefix(wanted)
    if all(name in tensors for name in wanted if not _unused(name)):
        before = after = ""
    plain = {after + name.removeprefix(before): tensor for name, tensor in tensors.items()}
    return {k: v for k, v in plain.items() if k in wanted or not _unused(k)}


def prefix(names: Iterable[str]) -> str:
    """The longest start of whole parts, "a.b.", that all names share; unused statistics aside."""
    parts = [name.split(".")[:-1] for name in names if not _unused(name)]
    common: list[str] = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    return "".join(f"{part}." for part in common)


def check(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], what: str) -> None:
    """Refuse names, shapes or values that are not those of the network with state `wanted`.

    Args:
        what: the beginning of the sentence that refuses, e.g. "x.pth is not a generator".

    Raises:
        CheckpointError: with the first few names of each fault.
    """
    faults = {
        "lacks": [k for k in wanted if k not in tensors],
        "has besides": [k for k in tensors if k not in wanted],
        "has in another shape": [
            k for k in wanted if k in tensors and tensors[k].shape != wanted[k].shape
        ],
        "has not as finite floating-point numbers": [
            k for k, v in tensors.items() if not _plain(v, wanted.get(k))
        ],
    }
    found = "; ".join(f"{fault} {some(names)}" for fault, names in faults.items() if names)
    if found:
        raise CheckpointError(f"{what}: it {found}")


def _plain(stored: Tensor, wanted: Tensor | None) -> bool:
    """Whether these are finite numbers in rows, of any width; counters may be whole numbers."""
    if stored.layout != torch.strided or stored.is_quantized or stored.is_meta:
        return False
    if wanted is not None and not wanted.is_floating_point():
        return not stored.is_floating_point()
    return stored.is_floating_point() and bool(stored.float().isfinite().all())


def _unused(name: str) -> bool:
    return name.rpartition(".")[2] in UNUSED


def some(names: Iterable[str], most: int = 3) -> str:
    """The first few of these names, and how many more there are."""
    listed = list(names)
    rest = f" and {len(listed) - most} more" if len(listed) > most else ""
    return (", ".join(listed[:most]) or "nothing") + rest
