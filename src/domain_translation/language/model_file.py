"""Model files of translators: the weights, the vocabulary they belong to, and a card, in one file.

A network's numbers mean nothing without its vocabulary, so that the two never travel apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import torch

from domain_translation.language.translator import check_vocabulary
from domain_translation.language.vocabulary import Vocabulary
from domain_translation.language.xlm import XLM, XLMConfig
from domain_translation.training import checkpoints
from domain_translation.training.checkpoints import CheckpointError


class Stored(NamedTuple):
    """A translator read from a file, frozen and in evaluation mode."""

    model: XLM
    vocabulary: Vocabulary
    card: dict[str, Any]


def save(
    path: Path | str,
    model: XLM,
    vocabulary: Vocabulary,
    card: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write model and vocabulary to `path`, by convention `*.safetensors`.

    Args:
        card: what else to record; "network", "arguments" and "vocabulary_sha256" are added.
        dtype: to store the weights in; float16 halves the file.

    Raises:
        ValueError: a vocabulary of another model.
        CheckpointError: the disk refuses.
    """
    check_vocabulary(model, vocabulary)
    weights = {f"model/{name}": w.to(dtype) for name, w in model.state_dict().items()}
    known = {
        "network": "XLM",
        "arguments": asdict(model.config),
        "vocabulary_sha256": vocabulary.digest(),
    }
    checkpoints.save(
        path, weights | {"vocabulary": vocabulary.to_bytes()}, {**(card or {}), **known}
    )


def load(path: Path | str, vocabulary: Vocabulary | None = None) -> Stored:
    """Read a file written by `save`; weights come back in float32, on the CPU.

    Args:
        vocabulary: the one that the file has to have, if that matters.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: not a translator's file, or one with another vocabulary.
    """
    tensors, card = checkpoints.load(path)
    if card.get("network") != "XLM" or "vocabulary" not in tensors:
        raise CheckpointError(
            f"{path} holds no translator of sentences; write one with language.model_file.save"
        )
    try:
        own = Vocabulary.from_bytes(tensors.pop("vocabulary"))
        languages = tuple(card["arguments"]["languages"])
        model = XLM(XLMConfig(**{**card["arguments"], "languages": languages}))
        model.load_state_dict({k.removeprefix("model/"): w.float() for k, w in tensors.items()})
        model.vocabulary_sha256 = card["vocabulary_sha256"]
        check_vocabulary(model, own)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} cannot be built as its card says ({error})") from error
    if vocabulary is not None and vocabulary.digest() != own.digest():
        raise CheckpointError(
            f"{path} was trained with another vocabulary; its tokens mean other words: "
            f"use the vocabulary in the file, or train again"
        )
    return Stored(model.requires_grad_(False).eval(), own, card)
