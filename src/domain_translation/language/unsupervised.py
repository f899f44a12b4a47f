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
from domain_translation.language.objective import Direction, sayable, schedule, text_digest
from domain_translation.language.search import greedy
from domain_translation.language.vocabulary import PAD, Vocabulary
from domain_translation.language.xlm import XLM, translation_loss
from domain_translation.training import Batch, Losses, Player, fit


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
    tokens: int = 600,
    learning_rate: float = 1.5e-3,
    seed: int = 0,
    stop: int | None = None,
    checkpoint: Path | str | None = None,
) -> Tensor:
    """Train `model` on monolingual text; a step is an update a language and one a direction.

    Whatever the network knows before, from masked language modelling or a dictionary, decides
    which of all consistent translations it arrives at: round trips cannot tell them apart.

    Args:
        model: is changed.
        vocabulary: of its pieces.
        ids: monolingual text by language, in pieces.
        directions: (source, target), each with its way back.
        steps: minibatches, of each language and direction.
        tokens: in a minibatch, about.
        learning_rate: Adam's, at its highest.
        seed: of minibatches and noise.
        stop: step to stop at, of `steps`; see `pretraining.train_mlm`.
        checkpoint: file to resume from and to write to.

    Returns:
        Mean -log p of a piece, in nats (steps, languages + directions).

    Raises:
        ValueError: a direction without its way back, or of a language without text.
        CheckpointError, TrainingError: see `training.fit`.
    """
    _check(directions, ids)
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
        for language, y in text.items():  # denoising
            noisy = word_noise(y, generator, starts=starts)
            losses[language] = learn(noisy, language, y, language)
        for source, target in directions:  # online back-translation
            y = text[target]
            x = back_translate(model, y, target, source, allowed[source])
            losses[f"{source}-{target}"] = learn(x, source, y, target)
        return losses

    return fit(
        step,
        {"model": player},
        token_batches(*ids.values(), tokens=tokens),
        steps if stop is None else stop,
        seed=seed,
        schedule=schedule(steps),
        checkpoint=checkpoint,
        card={"stage": "back-translation", "rate": learning_rate, "tokens": tokens}
        | {"directions": list(directions), "steps": steps, "text_sha256": text_digest(ids)},
        label="back-translation",
    )


def _check(directions: Sequence[Direction], ids: Mapping[str, Ids]) -> None:
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
