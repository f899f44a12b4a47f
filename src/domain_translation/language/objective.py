"""What the trainings of a translator share: types, the learning rate, what identifies a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain_translation.language.batches import Ids
from domain_translation.language.vocabulary import PAD
from domain_translation.training import Batches, Player, Schedule, Step, fit, linear_decay
from domain_translation.training.checkpoints import digest

Direction = tuple[str, str]  # source and target language

WARM_UP = 50  # steps in which the learning rate rises; the same however long a training is


def schedule(steps: int) -> Schedule:
    """Learning-rate factor: up for `WARM_UP` steps, 1 up to half of `steps`, linearly down to 0.

    XLM's authors say "linear warm-up and linear learning rates"; their code's default falls with
    the inverse root of the step instead. Lengths are ours.
    """
    decay = linear_decay(steps)
    return lambda k: min((k + 1) / WARM_UP, 1.0) * decay(k)


def sayable(allowed: Tensor, y: Tensor) -> Tensor:
    """Pieces (V,) that the softmax runs over: those of the language, and of the targets y (B, m).

    A rare letter of a target may be missing in the text that the language's pieces are known from.
    """
    found = allowed.index_fill(0, y.flatten(), True)
    found[PAD] = False
    return found


def fit_text(
    step: Step,
    player: Player,
    batches: Batches,
    text: Mapping[str, Ids],
    stage: str,
    *,
    steps: int,
    stop: int | None,
    seed: int,
    checkpoint: Path | str | None,
    **told: Any,
) -> Tensor:
    """`training.fit` with the schedule that all stages have, on a card that names stage and text.

    Args:
        step, batches: of the stage.
        player: the translator.
        text: what it learns from.
        stage: its name, for the card and the progress line.
        steps: of the whole schedule.
        stop: step to stop at; None is the last.
        seed, checkpoint: see `training.fit`.
        told: settings of this stage, for the card.

    Returns:
        Losses (steps, losses of a step).

    Raises:
        CheckpointError, TrainingError: see `training.fit`.
    """
    card = {"stage": stage, "rate": player.learning_rate, "steps": steps, **told}
    return fit(
        step,
        {"model": player},
        batches,
        steps if stop is None else stop,
        seed=seed,
        schedule=schedule(steps),
        checkpoint=checkpoint,
        card=card | {"text_sha256": text_digest(text)},
        label=stage,
    )


def text_digest(ids: Mapping[str, Ids]) -> dict[str, str]:
    """SHA-256 of the sentences by language, for the card of a run."""
    return {
        name: digest(torch.tensor([piece for sentence in text for piece in sentence]))
        for name, text in ids.items()
    }
