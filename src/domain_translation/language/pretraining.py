"""Masked language modelling: what a sentence's words say about those that are hidden.

Of each sentence 15 % of the pieces are chosen, and the network predicts them from the others
(Devlin et al. 2019; lcool.train.xlm). One network reads all languages, with shared pieces; that
the same lists of places and times stand around the same verbs is all that ties them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Generator, Tensor
from torch.nn.functional import cross_entropy

from domain_translation.language.batches import Ids, token_batches
from domain_translation.language.corruption import mask_tokens
from domain_translation.language.objective import fit_text
from domain_translation.language.vocabulary import Vocabulary
from domain_translation.language.xlm import XLM
from domain_translation.training import Batch, Losses, Player


def train_mlm(
    model: XLM,
    vocabulary: Vocabulary,
    ids: Mapping[str, Ids],
    *,
    steps: int,
    tokens: int = 600,
    learning_rate: float = 1.5e-3,
    seed: int = 0,
    stop: int | None = None,
    checkpoint: Path | str | None = None,
) -> Tensor:
    """Train the encoder of `model` to fill in hidden pieces; an update a language and step.

    Args:
        model: is changed.
        vocabulary: of its pieces.
        ids: monolingual text by language, in pieces.
        steps: minibatches, of each language.
        tokens: in a minibatch, about. Small ones are better: updates are what counts.
        learning_rate: Adam's, at its highest.
        seed: of minibatches and masks.
        stop: step to stop at, of `steps`; the same call with a later one and the same
            `checkpoint` goes on.
        checkpoint: file to resume from and to write to.

    Returns:
        Mean -log p of the hidden pieces, in nats (steps, languages).

    Raises:
        CheckpointError, TrainingError: see `training.fit`.
    """
    player = Player(model, learning_rate)

    def step(batch: Batch, generator: Generator) -> Losses:
        losses = {}
        for language, x in zip(ids, batch, strict=True):
            noisy, chosen = mask_tokens(x, len(vocabulary), generator)
            logits = model.source.logits(model.encode(noisy, language)[chosen])
            missed = cross_entropy(logits, x[chosen], reduction="sum")
            losses[language] = player.descend(missed / chosen.sum().clamp(min=1))
        return losses

    return fit_text(
        step, player, token_batches(*ids.values(), tokens=tokens), ids, "masked language model",
        steps=steps, stop=stop, seed=seed, checkpoint=checkpoint, tokens=tokens,
    )  # fmt: skip
