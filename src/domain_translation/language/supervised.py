"""A translator from sentence pairs: the ceiling of what the same network can learn without.

The pairs may be true ones, or those that a dictionary makes of monolingual text
(`lexicon.dictionary_sentences`): word by word in, real sentences out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Generator, Tensor

from domain_translation.language.batches import Ids, token_batches
from domain_translation.language.corruption import word_noise
from domain_translation.language.objective import Direction, fit_text, sayable
from domain_translation.language.vocabulary import PAD, Vocabulary
from domain_translation.language.xlm import XLM, translation_loss
from domain_translation.training import Batch, Losses, Player


def train_supervised(
    model: XLM,
    vocabulary: Vocabulary,
    pairs: Mapping[Direction, tuple[Ids, Ids]],
    *,
    steps: int,
    noise: bool = False,
    tokens: int = 600,
    learning_rate: float = 1.5e-3,
    seed: int = 0,
    stop: int | None = None,
    checkpoint: Path | str | None = None,
) -> Tensor:
    """Train `model` on pairs, an update a direction and step.

    Args:
        model: is changed.
        vocabulary: of its pieces.
        pairs: sources and targets by direction, row by row.
        steps: minibatches, of each direction.
        noise: disturb the sources, as in denoising (for sources that a dictionary made).
        tokens: in a minibatch, about, of either side.
        learning_rate: Adam's, at its highest.
        seed: of minibatches and noise.
        stop: step to stop at, of `steps`; see `pretraining.train_mlm`.
        checkpoint: file to resume from and to write to.

    Returns:
        Mean -log p of a target piece, in nats (steps, directions).

    Raises:
        ValueError: a direction whose sources and targets differ in number.
        CheckpointError, TrainingError: see `training.fit`.
    """
    player, device = Player(model, learning_rate), next(model.parameters()).device
    allowed = {target: vocabulary.allowed(target) for _, target in pairs}
    for (_, target), (_, y) in pairs.items():  # a target that may not be written has no finite loss
        allowed[target][sorted({piece for line in y for piece in line})] = True
    allowed = {target: mask.to(device) for target, mask in allowed.items()}
    starts = vocabulary.starts().to(device)
    draws = [token_batches(x, y, tokens=tokens, paired=True) for x, y in pairs.values()]

    def batches(generator: Generator) -> Batch:
        return tuple(side for draw in draws for side in draw(generator))

    def step(batch: Batch, generator: Generator) -> Losses:
        losses = {}
        for (source, target), x, y in zip(pairs, batch[::2], batch[1::2], strict=True):
            if noise:
                x = word_noise(x, generator, starts=starts)
            code = model.encode(x, source)
            pieces = sayable(allowed[target], y)
            loss = translation_loss(model, code, x != PAD, y, target, pieces)
            losses[f"{source}-{target}"] = player.descend(loss)
        return losses

    text = {f"{s}-{t}, {side}": ids for (s, t), both in pairs.items()
            for side, ids in zip(("source", "target"), both, strict=True)}  # fmt: skip
    return fit_text(
        step, player, batches, text, "translation from pairs",
        steps=steps, stop=stop, seed=seed, checkpoint=checkpoint, tokens=tokens, noise=noise,
    )  # fmt: skip
