"""Judging results: significance, size of a change, and independent classifiers."""

from domain_translation.evaluation.judges.classical import Judge, accuracy, likeness, train_judges
from domain_translation.evaluation.pictures.change import Change, change
from domain_translation.evaluation.pictures.controls import blurred_as_far, moved_as_far
from domain_translation.evaluation.pictures.pixels import pixel_accuracy
from domain_translation.evaluation.statistics.forced_choice import Preference, forced_choice
from domain_translation.evaluation.statistics.significance import Comparison, compare

__all__ = [
    "Change",
    "Comparison",
    "Judge",
    "Preference",
    "accuracy",
    "blurred_as_far",
    "change",
    "compare",
    "forced_choice",
    "likeness",
    "moved_as_far",
    "pixel_accuracy",
    "train_judges",
]
