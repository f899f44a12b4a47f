"""A translator trained on pairs: least squares on in-distribution examples.

Unpaired training hopes to find the map that pairs would show it. Where a procedural domain has
pairs, regression on them is the best that any training on these samples could do, and it leaves
out what makes an adversarial translator vary from run to run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Generator, Tensor, nn

from domain_translation.runtime import seeded
from domain_translation.sampling.inputs import examples, tried
from domain_translation.training import Batch, unpaired
from domain_translation.training.checkpoints import digest
from domain_translation.training.trained import train_alone


def train_on_pairs(
    make: Callable[[], nn.Module],
    source: Tensor,
    target: Tensor,
    *,
    steps: int,
    batch: int = 128,
    learning_rate: float = 2e-3,
    seed: int = 0,
    checkpoint: Path | str | None = None,
) -> nn.Module:
    """Train the network that `make` builds to turn source[i] into target[i].

    The same arguments give the same weights, bit for bit on a CPU.

    Args:
        make: builds the untrained network, (B, *source event) -> (B, *target event).
        source, target: training pairs (n, *event) each.
        steps: minibatches.
        batch: pairs per minibatch.
        learning_rate: of Adam; constant for half the steps, then linearly to 0.
        seed: of the initial weights and the minibatches.
        checkpoint: file to resume from and to write to; None keeps nothing.

    Raises:
        ValueError: no pairs, or not as many targets as sources.
        CheckpointError, TrainingError: see `training.fit`.
    """
    source = examples(source, "source").float()
    target = examples(target, "target", like=source)
    if len(source) != len(target) or len(source) == 0:
        raise ValueError(
            f"{len(source)} sources and {len(target)} targets; give as many of both, at least one"
        )
    with seeded(seed):
        model = make().to(source.device)
    made = tried(model, source, "the translator").shape[1:]
    if made != target.shape[1:]:
        raise ValueError(
            f"the translator makes {tuple(made)} and the targets are {tuple(target.shape[1:])}; "
            "give a translator of their shape"
        )
    pick = unpaired(batch, torch.arange(len(source), device=source.device))

    def pairs(generator: Generator) -> Batch:
        (rows,) = pick(generator)
        return source[rows], target[rows]

    def loss(pair: Batch, _: Generator) -> Tensor:
        x, y = pair
        return (model(x) - y).square().flatten(1).sum(1).mean()

    return train_alone(
        "translator",
        model,
        loss,
        pairs,
        steps,
        learning_rate,
        seed=seed,
        checkpoint=checkpoint,
        card={
            "batch": batch,
            "learning_rate": learning_rate,
            "data_sha256": digest({"source": source, "target": target}),
        },
    )
