"""Translation without pairs: denoising and online back-translation (Lample et al. 2018; XLM).

Each language is learnt from its own text, by mending sentences whose words were dropped and
shuffled. Each direction is learnt from the other one: what the present network makes of a real
sentence y is an imperfect source x, from which it must find back to y. Targets are always real.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Generator, Tensor

from domain_translation.language.batches import Ids, pad, token_batches
from domain_translation.language.corruption import word_noise
from domain_translation.language.objective import Direction, fit_text, sayable
from domain_translation.language.search import greedy
from domain_translation.language.vocabulary import PAD, Vocabulary
from domain_translation.language.xlm import XLM, translation_loss
from domain_translation.training import Batch, Losses, Player


@torch.no_grad()
def back_translate(model: XLM, y: Tensor, target: str, source: str, allowed: Tensor) -> Tensor:
    """Sentences of the source language (B, n) that the present network makes of y (B, m).

    Greedy search, without gradients: the translation is data, not a path for them.
    """
    return pad(greedy(model, model.encode(y, target), y != PAD, source, allowed), y.device)


def train_unsupervised(
    model: XLM,
    vocabulary: Vocabulary,
    ids: Mapping[str, Ids],
    *,
    directions: Sequence[Direction],
    steps: int,
    denoised: Sequence[str] | None = None,
    tokens: int = 600,
    learning_rate: float = 1.5e-3,
    seed: int = 0,
    stop: int | None = None,
    checkpoint: Path | str | None = None,
) -> Tensor:
    """Train `model` on monolingual text; a step is an update a denoised language and a direction.

    Whatever the network knows before, from masked language modelling or a dictionary, decides
    which of all consistent translations it arrives at: round trips cannot tell them apart.

    Args:
        model: is changed.
        vocabulary: of its pieces.
        ids: monolingual text by language, in pieces.
        directions: (source, target), each with its way back.
        steps: minibatches, of each language and direction.
        denoised: languages that are also learnt by denoising; None: all. XLM's code fades it out:
            a network that can translate unlearns to trust its sources by mending broken ones.
        tokens: in a minibatch, about.
        learning_rate: Adam's, at its highest.
        seed: of minibatches and noise.
        stop: step to stop at, of `steps`; see `pretraining.train_mlm`.
        checkpoint: file to resume from and to write to.

    Returns:
        Mean -log p of a piece, in nats (steps, denoised languages + directions).

    Raises:
        ValueError: a direction without its way back; a language without text.
        CheckpointError, TrainingError: see `training.fit`.
    """
    denoised = tuple(ids) if denoised is None else denoised
    _check(directions, denoised, ids)
    player, device = Player(model, learning_rate), next(model.parameters()).device
    allowed = {language: vocabulary.allowed(language).to(device) for language in ids}
    starts = vocabulary.starts().to(device)

    def learn(x: Tensor, source: str, y: Tensor, target: str) -> Tensor:
        code = model.encode(x, source)
        pieces = sayable(allowed[target], y)
        loss = translation_loss(model, code, x != PAD, y, target, pieces)
        return player.descend(loss)

    def step(batch: Batch, generator: Generator) -> Losses:
        text, losses = dict(zip(ids, batch, strict=True)), {}
        for language in denoised:
            y = text[language]
            noisy = word_noise(y, generator, starts=starts)
            losses[language] = learn(noisy, language, y, language)
        for source, target in directions:  # online back-translation
            y = text[target]
            x = back_translate(model, y, target, source, allowed[source])
            losses[f"{source}-{target}"] = learn(x, source, y, target)
        return losses

    return fit_text(
        step, player, token_batches(*ids.values(), tokens=tokens), ids, "back-translation",
        steps=steps, stop=stop, seed=seed, checkpoint=checkpoint, tokens=tokens,
        denoised=list(denoised), directions=list(directions),
    )  # fmt: skip


def _check(
    directions: Sequence[Direction], denoised: Sequence[str], ids: Mapping[str, Ids]
) -> None:
    if missing := [language for language in denoised if language not in ids]:
        raise ValueError(
            f"{missing[0]} is to be denoised, and there is text in {', '.join(ids)} only; give "
            f"some, or leave out {missing[0]}"
        )
    for source, target in directions:
        if (target, source) not in directions:
            raise ValueError(
                f"{source}-{target} is to be learnt without {target}-{source}, which makes its "
                "sources; give both directions"
            )
        if source not in ids:
            raise ValueError(
                f"there is no text in {source!r}, only in {', '.join(ids)}; give some, or leave "
                f"out {source}-{target}"
            )
