"""Which stages a translator is trained in, by what it learns from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from domain_translation.language import stages
from domain_translation.language.objective import Direction
from domain_translation.language.stages import Lessons, train_stages
from domain_translation.language.vocabulary import Vocabulary
from domain_translation.language.xlm import XLM, XLMConfig

TEXT = {"en": ["a dog", "the cat sleeps"], "fr": ["un chien", "le chat dort"]}
WAYS: tuple[Direction, ...] = (("en", "fr"), ("fr", "en"))
TABLES = {("en", "fr"): {"dog": "chien"}, ("fr", "en"): {"chien": "dog"}}


@dataclass(frozen=True)
class Pace:
    masked: int = 2
    word_pairs: int = 3
    steps: int = 4
    tokens: int = 50
    learning_rate: float = 1e-3
    refining_rate: float = 1e-4


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Trainings that were asked for; none takes place."""
    found: list[tuple[str, dict[str, Any]]] = []

    def noted(name: str) -> Any:
        def train(model: XLM, vocabulary: Vocabulary, text: Any, **how: Any) -> torch.Tensor:
            found.append((name, how))
            return torch.zeros(how["steps"], 1)

        return train

    for name in ("mlm", "supervised", "unsupervised"):
        monkeypatch.setattr(stages, f"train_{name}", noted(name))
    return found


def passed(lessons: Lessons, pace: Pace, folder: Path) -> list[tuple[str, int]]:
    model = XLM(XLMConfig(len(lessons.vocabulary), ("en", "fr"), dim=8, heads=2, layers=1))
    return [(s.name, s.steps) for s in train_stages(model, lessons, pace, 0, folder, looks=2)]


def test_words_that_are_known_are_learnt_first_and_then_refined(asked, tmp_path) -> None:  # type: ignore[no-untyped-def]
    lessons = Lessons(TEXT, Vocabulary.train(TEXT, 300), WAYS, TABLES)
    told = passed(lessons, Pace(), tmp_path)
    assert told == [("masked", 2), ("word pairs", 3), ("last", 2), ("last", 4)]
    assert [name for name, _ in asked] == ["mlm", "supervised", "unsupervised", "unsupervised"]
    assert asked[1][1]["noise"]
    assert asked[1][1]["learning_rate"] == 1e-3
    for _, how in asked[2:]:
        assert (how["denoised"], how["learning_rate"], how["steps"]) == ((), 1e-4, 4)
    assert [how["stop"] for _, how in asked[2:]] == [2, 4]
    assert len({how["checkpoint"] for _, how in asked}) == 3


def test_without_words_sentences_are_mended_too(asked, tmp_path) -> None:  # type: ignore[no-untyped-def]
    lessons = Lessons(TEXT, Vocabulary.train(TEXT, 300), WAYS)
    assert passed(lessons, Pace(masked=0), tmp_path) == [("last", 2), ("last", 4)]
    assert all(how["learning_rate"] == 1e-3 and "denoised" not in how for _, how in asked)


def test_pairs_take_the_place_of_words(asked, tmp_path) -> None:  # type: ignore[no-untyped-def]
    vocabulary = Vocabulary.train(TEXT, 300)
    ids = {language: vocabulary.encode(lines) for language, lines in TEXT.items()}
    pairs = {(s, t): (ids[s], ids[t]) for s, t in WAYS}
    lessons = Lessons(TEXT, vocabulary, WAYS, TABLES, pairs)
    assert passed(lessons, Pace(), tmp_path) == [("masked", 2), ("last", 2), ("last", 4)]
    assert [name for name, _ in asked] == ["mlm", "supervised", "supervised"]
