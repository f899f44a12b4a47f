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
from domain_translation.training.trained import Trained, freeze, identity, train_alone

__all__ = [
    "LOOK",
    "Batch",
    "Batches",
    "Losses",
    "Player",
    "Schedule",
    "Stateful",
    "Step",
    "Trained",
    "TrainingError",
    "constant",
    "fit",
    "freeze",
    "identity",
    "linear_decay",
    "train_alone",
    "unpaired",
]
