"""MUNIT: content shared between two domains, a style for each, as baseline of JD-BW."""

from domain_translation.translators.munit.config import (
    PAPER,
    PAPER_128,
    PAPER_SVHN,
    PAPER_WEIGHTED,
    QUICK,
    QUICK_WEIGHTED,
    MUNITConfig,
    WeightedConfig,
)
from domain_translation.translators.munit.training import Networks, train
from domain_translation.translators.munit.translation import restyle, translate

__all__ = [
    "PAPER",
    "PAPER_128",
    "PAPER_SVHN",
    "PAPER_WEIGHTED",
    "QUICK",
    "QUICK_WEIGHTED",
    "MUNITConfig",
    "Networks",
    "WeightedConfig",
    "restyle",
    "train",
    "translate",
]
