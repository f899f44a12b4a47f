"""Checkpoints: tensors and a JSON card in one safetensors file, written whole or not at all.

The card travels in the header of the file, so that weights and card cannot come apart; a
digest over both is checked whenever the file is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as _serialise
from torch import Tensor

from domain_translation.files import write_atomically

_ENTRY = "domain_translation"  # of the file's header


class CheckpointError(RuntimeError):
    """A checkpoint could not be written, read, or does not belong to this run."""


class Checkpoint(NamedTuple):
    """What a checkpoint file holds."""

    tensors: dict[str, Tensor]
    card: dict[str, Any]


def digest(tensors: Mapping[str, Tensor] | Tensor, text: str = "") -> str:
    """SHA-256 (hex) over names, types, shapes and bytes of tensors, and an accompanying text."""
    named = {"": tensors} if isinstance(tensors, Tensor) else tensors
    seen = hashlib.sha256(text.encode())
    for name in sorted(named):
        t = named[name].detach().cpu().contiguous()
        seen.update(f"{name}|{t.dtype}|{tuple(t.shape)}|".encode())
        seen.update(t.flatten().view(torch.uint8).numpy().tobytes())
    return seen.hexdigest()


def save(path: Path | str, tensors: Mapping[str, Tensor], card: Mapping[str, Any]) -> None:
    """Write tensors and card to `path`, replacing an older checkpoint in one step.

    Args:
        path: file to write; its folder must exist.
        tensors: any names, dtypes and shapes.
        card: what JSON can hold: configuration, seed, data digests, versions, metrics.

    Raises:
        CheckpointError: the disk refuses (full, read-only, folder missing); the older
            checkpoint, if any, is intact and no partial file remains.
    """
    path = Path(path)
    text = json.dumps(card, sort_keys=True)
    # Copies, because safetensors refuses tensors that share storage (tied weights).
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    # One entry, because safetensors writes several in random order.
    header = json.dumps({"card": text, "sha256": digest(plain, text)})
    content = _serialise(plain, {_ENTRY: header})
    try:
        write_atomically(path, content)
    except OSError as error:
        kept = "the previous checkpoint is intact" if path.exists() else "nothing was left behind"
        raise CheckpointError(
            f"checkpoint {path} could not be written ({error.strerror}); {kept}: "
            f"make room or choose another folder, then run again"
        ) from error


def load(path: Path | str) -> Checkpoint:
    """Read a checkpoint written by `save` and verify its digest.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated, altered, or not a checkpoint of this package.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_ENTRY])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = header["card"]
        intact = digest(tensors, text) == header["sha256"]
        card = json.loads(text) if intact else {}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is no checkpoint of this package, or cut short ({error}); give another file"
        ) from error
    if not intact:
        raise CheckpointError(
            f"{path} was altered after it was written (its SHA-256 does not match); "
            f"take it from its source again, or train again under another name"
        )
    return Checkpoint(tensors, card)
