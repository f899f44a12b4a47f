"""Train a denoiser on files of sentences: its only need is text of the source language."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from domain_translation import runtime
from domain_translation.cooling.errors import (
    RequestError,
    UserError,
    as_request,
    as_user_error,
)
from domain_translation.cooling.text import by_length, score_rms, text_points
from domain_translation.cooling.text_files.models import Loaded
from domain_translation.data.sentences import fingerprint, read_lines
from domain_translation.denoising.sequences import (
    SPACES,
    SequenceDenoiser,
    residual_share,
    sequence_score,
    train_sequence_denoiser,
    wiener_filter,
)
from domain_translation.training.checkpoints import CheckpointError
from domain_translation.training.model_files import save_model

LONGEST = 512  # tokens of a sentence
# Variance of the noise over that of the points: the tenth that L-Cool recommends
# (lcool.train.dae_lang). Its own variances, 1 and 0.1, are tenths of points of one scale only.
SHARE = 0.1
_CHECKED = 256  # sentences that the denoiser is measured on
_FILTERED = 2000  # sentences that the linear filter is fitted to


class Training(NamedTuple):
    """What a training did.

    Attributes:
        card: of the file that was written.
        skipped: lines that could not be used, by file and number, and why.
    """

    card: dict[str, Any]
    skipped: dict[str, str]


def train_denoiser_on_text(
    files: Sequence[Path | str],
    out_file: Path | str,
    translator: Loaded,
    *,
    space: str = "feature",
    sigma: float | None = None,
    sentences: int = 10_000,
    layers: int = 1,
    heads: int = 4,
    steps: int = 1000,
    tokens: int = 600,
    learning_rate: float = 3e-3,
    seed: int = 0,
) -> Training:
    """Train a denoiser of a translator's points on the sentences of files, one a line.

    The file that is written is what `load_denoiser` and ``domain-translation cool-text`` read. A
    run that was stopped leaves `out_file`.part and goes on from it. Every tenth sentence is held
    out: the card says what the denoiser and the best linear filter leave of the noise on those, as
    a share of the points' variance, of which an answer with the mean point leaves all.

    Args:
        files: plain text or gzip, UTF-8; sentences of the translator's source language.
        out_file: model file to write, by convention ``*.safetensors``; must not exist.
        translator: see `load_translator`.
        space: "feature" or "input".
        sigma: std of the noise to remove, in units of the points. Points differ from model to
            model: by default its square is `SHARE` of the variance of a coordinate, which is the
            card's `variance`. (L-Cool has 1 for features and 0.316 for input.)
        sentences: how many at most, drawn from the different ones; their points are in memory.
        layers, heads: of the denoiser.
        steps, tokens: minibatches, and about how many tokens in each.
        learning_rate: Adam's, falling to 0 over the second half.
        seed: of sentences, weights, minibatches and noise.

    Raises:
        RequestError: `out_file` exists, or a setting out of range.
        UserError: no usable sentence, or a disk that refuses.
        TrainingError: the loss is not finite.
    """
    out = Path(out_file)
    _check(out, space, sentences, steps, tokens, learning_rate)
    text, skipped = _read(files, translator, sentences, seed)
    held_out, train = (
        (text[::10], [s for i, s in enumerate(text) if i % 10]) if len(text) > 9 else (text, text)
    )
    how = {"steps": steps, "tokens": tokens, "learning_rate": learning_rate, "seed": seed}
    with as_request():
        points = by_length(text_points(translator.translator, train, space))
        noise = math.sqrt(SHARE * _variance(points)) if sigma is None else sigma
        denoiser = _train(points, out, noise, space, layers, heads, how)
    card = {
        "space": space,
        "language": translator.source,
        "translator": translator.digest,
        "vocabulary": translator.vocabulary,
        "sigma": noise,
        "sentences": len(train),
        "held_out": len(text) - len(train),
        "training_sentences": _fingerprints(train),
        "versions": runtime.versions(),
        **how,
        **_measured(denoiser, translator, train, held_out, noise, seed),
    }
    try:
        save_model(out, denoiser, card)
    except CheckpointError as error:
        raise UserError(str(error)) from error
    _part(out).unlink(missing_ok=True)
    return Training(card, skipped)


def _variance(points: dict[int, torch.Tensor]) -> float:
    """Of a coordinate over the tokens, averaged over coordinates."""
    tokens = torch.cat([x.flatten(0, 1) for x in points.values()])
    return float((tokens - tokens.mean(0)).square().mean())


def _check(
    out: Path, space: str, sentences: int, steps: int, tokens: int, learning_rate: float
) -> None:
    if out.exists():
        raise RequestError(f"{out} exists and is not overwritten; choose another name or delete it")
    if space not in SPACES:
        raise RequestError(f"the space is {space!r}; choose one of {', '.join(SPACES)}")
    if min(sentences, steps, tokens) < 1 or not learning_rate > 0:
        raise RequestError(
            f"sentences {sentences}, steps {steps}, tokens {tokens} and learning_rate "
            f"{learning_rate}: give counts from 1 on and a positive rate"
        )


def _part(out: Path) -> Path:
    """Where a training that was stopped goes on from."""
    return out.with_name(f"{out.name}.part")


def _read(
    files: Sequence[Path | str], translator: Loaded, count: int, seed: int
) -> tuple[list[str], dict[str, str]]:
    """Different sentences in the order of the files, and lines that cannot be used."""
    found: dict[str, str] = {}  # sentence -> where it is
    skipped: dict[str, str] = {}
    for file in files:
        with as_user_error():
            lines = read_lines(file)
        skipped |= {f"{file}, line {number}": why for number, why in lines.reasons.items()}
        for number, sentence in enumerate(lines.sentences, 1):
            if sentence.strip():
                found.setdefault(sentence, f"{file}, line {number}")
    text = list(found)
    if len(text) > count:
        drawn = np.random.default_rng(seed).permutation(len(text))[:count]
        text = [text[i] for i in sorted(drawn)]
    refused = {text[i]: why for i, why in translator.refused(text, LONGEST).items()}
    skipped |= {found[sentence]: why for sentence, why in refused.items()}
    text = [sentence for sentence in text if sentence not in refused]
    if not text:
        why = "; {}: {}".format(*next(iter(skipped.items()))) if skipped else ""
        raise UserError(f"none of the sentences in {', '.join(map(str, files))} can be used{why}")
    return text, skipped


def _train(
    points: dict[int, torch.Tensor],
    out: Path,
    sigma: float,
    space: str,
    layers: int,
    heads: int,
    how: dict[str, Any],
) -> SequenceDenoiser:
    try:
        return train_sequence_denoiser(
            points,
            sigma,
            space=space,
            layers=layers,
            heads=heads,
            longest=LONGEST,
            checkpoint=_part(out),
            **how,
        )
    except CheckpointError as error:
        raise UserError(str(error)) from error


def _fingerprints(sentences: Sequence[str]) -> str:
    """What tells the training sentences when a text to be cooled has them, too."""
    numbers = np.array(sorted(map(fingerprint, sentences)), dtype="<u4")
    return base64.b64encode(numbers.tobytes()).decode()


def _measured(
    denoiser: SequenceDenoiser,
    translator: Loaded,
    train: Sequence[str],
    held_out: Sequence[str],
    sigma: float,
    seed: int,
) -> dict[str, Any]:
    """The noise that is left of sentences that it did not see, and how long their scores are."""
    groups, fitted = (
        [
            group._replace(x=group.x.cpu())
            for group in text_points(translator.translator, some, denoiser.space)
        ]
        for some in (held_out[:_CHECKED], train[:_FILTERED])
    )
    denoiser = denoiser.cpu()
    points, known = by_length(groups), by_length(fitted)
    lengths = score_rms(sequence_score(denoiser), groups, len(held_out[:_CHECKED]))
    quantiles = torch.quantile(lengths, torch.tensor([0.5, 0.8, 0.95])).tolist()
    return {
        "variance": _variance(points),
        "residual": residual_share(denoiser, points, sigma, seed),
        "linear_residual": residual_share(wiener_filter(known, sigma, seed), points, sigma, seed),
        "score_rms": dict(zip(("50 %", "80 %", "95 %"), quantiles, strict=True)),
    }
