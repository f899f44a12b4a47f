"""Training: the loop that runs the step of a paper, checkpoints, model files, perceptrons."""

from domain_translation.training.loop import (
    LOOK,
    Batch,
    Batches,
    Losses,
    Player,
    Schedule,
    Stateful,
    Step,
    TrainingError,
    constant,
    fit,
    linear_decay,
    unpaired,
)

__all__ = [
    "LOOK",
    "Batch",
    "Batches",
    "Losses",
    "Player",
    "Schedule",
    "Stateful",
    "Step",
    "TrainingError",
    "constant",
    "fit",
    "linear_decay",
    "unpaired",
]
