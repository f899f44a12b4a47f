"""Which stages a translator is trained in, by what it learns from."""

from __future__ import annotations

import signal
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
from domain_translation.runtime import seeded
from domain_translation.training import loop

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
            how["checkpoint"].touch()
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
    assert len({how["checkpoint"] for _, how in asked}) == 4


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


@pytest.mark.parametrize("tables", [TABLES, {}], ids=["words known", "no words"])
def test_a_training_that_was_stopped_shows_every_look_again(tmp_path, monkeypatch, tables) -> None:  # type: ignore[no-untyped-def]
    """Stopped between the second and the last look, by Ctrl-C in the fifth of six steps."""
    lessons = Lessons(TEXT, Vocabulary.train(TEXT, 300), WAYS, tables)

    def looks(folder: Path) -> list[tuple[str, int, torch.Tensor, torch.Tensor]]:
        folder.mkdir(exist_ok=True)
        config = XLMConfig(
            len(lessons.vocabulary), ("en", "fr"), dim=8, heads=2, layers=1, positions=12
        )
        with seeded(0):
            model = XLM(config)
        pace = Pace(steps=6)
        return [
            (s.name, s.steps, s.model.state_dict()["source.words.weight"].clone(), s.losses)
            for s in train_stages(model, lessons, pace, 0, folder, looks=3)
        ]

    whole = looks(tmp_path / "whole")
    enter = loop._Run.enter

    def stopping(self: loop._Run, step: int, losses: Any, steps: int) -> None:
        enter(self, step, losses, steps)
        if steps == 6 and step == 4:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(loop._Run, "enter", stopping)
            with pytest.raises(KeyboardInterrupt):
                looks(tmp_path / "stopped")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "stopped/last-3.safetensors").exists()
    again = looks(tmp_path / "stopped")
    assert [(name, steps) for name, steps, *_ in again] == [(n, s) for n, s, *_ in whole]
    for one, other in zip(again, whole, strict=True):
        torch.testing.assert_close(one[2:], other[2:], rtol=0, atol=0)
