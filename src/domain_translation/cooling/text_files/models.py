"""Translators and denoisers of sentences from files, and whether they belong together."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from domain_translation import runtime
from domain_translation.cooling.errors import RequestError, as_request, as_user_error
from domain_translation.cooling.text import text_points
from domain_translation.denoising.sequences import SequenceDenoiser
from domain_translation.language import model_file
from domain_translation.language.huggingface import load_huggingface
from domain_translation.language.translator import TextTranslator, Translates
from domain_translation.training import checkpoints
from domain_translation.training.model_files import load_model


@dataclass(frozen=True)
class Loaded:
    """A translator, and what tells it from others.

    Attributes:
        translator: ours or one of Hugging Face.
        source: the language that it reads; None where a model has one direction only.
        digest: of its numbers, in whichever precision they were stored.
        vocabulary: digest of its vocabulary.
        signs: what it would take for signs of its own if a sentence held it, such as ``</s>``.
        how: source, target, prefix and beam, as they were given.
        device: where it computes.
    """

    translator: Translates
    source: str | None
    digest: str
    vocabulary: str
    signs: tuple[str, ...]
    how: tuple[str | int | None, ...]
    device: torch.device

    def refused(self, sentences: Sequence[str], longest: int | None = None) -> dict[int, str]:
        """Why the translator cannot take a sentence, by its place; most often nothing.

        Args:
            longest: tokens that the denoiser can take.
        """
        found = {i: self._why(s, longest) for i, s in self._suspects(sentences, longest)}
        return {i: why for i, why in found.items() if why}

    def _suspects(self, sentences: Sequence[str], longest: int | None) -> Iterable[tuple[int, str]]:
        """All sentences if there is anything wrong with one; nobody is asked twice without need."""
        signs = any(sign in sentence for sentence in sentences for sign in self.signs)
        try:
            groups = self.translator.embed(sentences) if sentences and not signs else []
        except ValueError:
            return enumerate(sentences)
        long = longest is not None and any(group.x.shape[1] > longest for group in groups)
        return enumerate(sentences) if signs or long else ()

    def _why(self, sentence: str, longest: int | None) -> str:
        for sign in self.signs:
            if sign in sentence:
                return f"it holds {sign!r}, which this tokenizer takes for a sign; leave it out"
        try:
            (group,) = self.translator.embed([sentence])
        except ValueError as error:
            return re.sub(r"^sentence \d+ ", "it ", str(error))
        tokens = group.x.shape[1]
        if longest is not None and tokens > longest:
            return f"it has {tokens} tokens, and the denoiser takes {longest} at most: split it"
        return ""


def load_translator(
    model: Path | str,
    source: str | None = None,
    target: str | None = None,
    *,
    prefix: str = "",
    beam: int = 1,
    device: str = "cpu",
) -> Loaded:
    """Read a translator: our model file, or a local folder of Hugging Face.

    Args:
        model: the file or folder; nothing is ever downloaded.
        source, target: languages. A model file needs the source; without a target it can be
            cooled but should not be asked to translate. Models of one direction need neither.
        prefix: of every sentence, for T5; Hugging Face only.
        beam: prefixes kept in the search.
        device: "cpu", "cuda" ...

    Raises:
        UserError: no translator in it, or the package transformers is missing.
        RequestError: no such file, an unknown language, one language twice, a direction that the
            model was not trained for, or a device that is not there.
    """
    path = Path(model)
    with as_request():
        where = runtime.device(device)
        if beam < 1:
            raise ValueError(f"beam is {beam}; give 1 for the greedy search, or more")
    if source is not None and source == target:
        raise RequestError(f"source and target are both {source!r}; give two languages")
    if path.is_dir():
        return _of_hugging_face(path, source, target, prefix, beam, where)
    if not path.is_file():
        raise RequestError(
            f"the translator {str(model)!r} is neither a file nor a folder; give a model file of "
            f"this package or a folder that save_pretrained wrote (nothing is downloaded by name)"
        )
    if prefix:
        raise RequestError("a prefix is for models of Hugging Face; leave it out")
    return _of_ours(path, source, target, beam, where)


def _of_ours(
    path: Path, source: str | None, target: str | None, beam: int, device: torch.device
) -> Loaded:
    with as_user_error():
        model, vocabulary, card = model_file.load(path)
    known = model.config.languages
    if source is None:
        raise RequestError(f"give the source language; {path} has {', '.join(known)}")
    trained = [d.split("-") if isinstance(d, str) else d for d in card.get("directions", [])]
    if target is not None and trained and [source, target] not in [list(d) for d in trained]:
        told = ", ".join(f"{a} to {b}" for a, b in trained)
        if {source, target} <= set(known):
            raise RequestError(
                f"no step of the training of {path} went from {source} to {target}; it was trained "
                f"{told}"
            )
    others = [language for language in known if language != source]
    if target is None and not others:
        raise RequestError(f"{path} has the language {source} only; a translator has two")
    with as_request():
        translator = TextTranslator(
            model.to(device), vocabulary, source, target or others[0], beam=beam
        )
    how = (source, target, "", beam)
    return Loaded(translator, source, _digest(model), vocabulary.digest(), (), how, device)


def _of_hugging_face(
    path: Path,
    source: str | None,
    target: str | None,
    prefix: str,
    beam: int,
    device: torch.device,
) -> Loaded:
    how: dict[str, Any] = {"source": source, "target": target, "prefix": prefix, "beam": beam}
    with as_user_error():
        translator = load_huggingface(path, **how)
    translator.model.to(device)
    words = json.dumps(sorted(translator.tokenizer.get_vocab().items()))
    return Loaded(
        translator,
        source,
        _digest(translator.model),
        hashlib.sha256(words.encode()).hexdigest(),
        tuple(translator.tokenizer.all_special_tokens),
        (source, target, prefix, beam),
        device,
    )


def _digest(model: nn.Module) -> str:
    """Of the numbers in half precision: the same for a file and its copy of half the size."""
    return checkpoints.digest({k: v.detach().half() for k, v in model.state_dict().items()})


class LoadedDenoiser(NamedTuple):
    """A denoiser of sentences, the card and the sha256 of its file."""

    network: SequenceDenoiser
    card: Mapping[str, Any]
    digest: str


def load_denoiser(path: Path | str, translator: Loaded, space: str | None = None) -> LoadedDenoiser:
    """Read a denoiser that `train_denoiser_on_text` wrote, for this translator's points.

    Args:
        space: "feature" or "input", if it matters which one the denoiser has.

    Raises:
        UserError: no such file, or no model file.
        RequestError: no denoiser of sentences, or one of another space, width, vocabulary,
            translator or language.
    """
    with as_user_error():
        denoiser, card = load_model(path)
    if not isinstance(denoiser, SequenceDenoiser):
        raise RequestError(
            f"{path} holds a {type(denoiser).__name__} and no denoiser of sentences; train one "
            f"with train-text-denoiser"
        )
    if space is not None and space != denoiser.space:
        raise RequestError(
            f"{path} was trained in the {denoiser.space} space, and the {space} space is to be "
            f"cooled; leave the space out, or train another denoiser"
        )
    (point,) = text_points(translator.translator, ["a"], denoiser.space)
    if point.x.shape[2] != denoiser.dim:
        raise RequestError(
            f"{path} takes points of {denoiser.dim} numbers, and this translator's have "
            f"{point.x.shape[2]}; train a denoiser on this translator's points"
        )
    here = {
        "vocabulary": translator.vocabulary,
        "translator": translator.digest,
        "language": translator.source,
    }
    for what, mine in here.items():
        theirs = card.get(what, mine)
        if theirs != mine:
            named = f"{what} {theirs} (this one has {mine})" if what == "language" else what
            raise RequestError(
                f"{path} was trained on the points of another {named}; train one with "
                f"train-text-denoiser and this translator"
            )
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return LoadedDenoiser(denoiser.to(translator.device), card, digest)
