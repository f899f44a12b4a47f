"""Judging results: significance, size of a change, and independent classifiers."""

from domain_translation.evaluation.distances import Change, change
from domain_translation.evaluation.judges import Judge, accuracy, likeness, train_judges
from domain_translation.evaluation.significance import Comparison, compare

__all__ = [
    "Change",
    "Comparison",
    "Judge",
    "accuracy",
    "change",
    "compare",
    "likeness",
    "train_judges",
]
