"""The study of translation without pairs, at toy size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from domain_translation.language.objective import Direction
from domain_translation.language.xlm import QUICK
from domain_translation.pretrained.recipes import language as recipe
from domain_translation.studies.language import grammar as study
from domain_translation.studies.language.grammar import Arm

TOY = replace(
    recipe.UNSUPERVISED, sentences=60, pieces=420, masked=2, word_pairs=2, steps=2, tokens=80
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "QUICK", replace(QUICK, dim=16, heads=2, layers=1))
    monkeypatch.setattr(study, "HELD_OUT", 4)
    monkeypatch.setattr(study, "WATCHED", 3)
    monkeypatch.setattr(study, "LOOKS", 2)


@pytest.mark.parametrize("supervised", [False, True])
def test_a_run_gives_its_numbers_and_curves(supervised: bool, tmp_path: Path) -> None:
    arm = Arm(replace(TOY, supervised=supervised))
    (tmp_path / "run").mkdir()
    found = study.run(arm, 0, tmp_path / "run")
    looks = found[study.LOOK]
    stages = [[1, 1], [1, 2]] if supervised else [[0, 2], [1, 1], [1, 2]]
    assert looks[:, :2].tolist() == stages
    assert looks.shape[1] == 2 + len(recipe.DIRECTIONS)
    assert found[study.MATRIX].shape == (len(stages), len(study.words()), len(study.words()))
    assert set(study.excerpt(arm, 0, found)) == {study.MATRIX, study.LOOK}
    numbers = {m.name: m for m in study.measure(arm, 0, found)}
    assert all(0 <= m.value <= 100 for name, m in numbers.items() if name.startswith("BLEU"))
    assert ("BLEU en-fr, word by word" in numbers) != supervised
    assert "BLEU de-en, round trip" in numbers
    if not supervised:
        assert numbers["BLEU en-fr, word by word"].networks == ()
    # The masked language model is trained once for all arms of a seed.
    assert (tmp_path / "masked-0.safetensors").exists()


def test_text_is_stored_as_bytes() -> None:
    lines = ["Où est-il ?", "", "Größe"]
    assert study.as_text(study.as_bytes(lines)) == lines
    assert study.as_bytes(lines).dtype == torch.uint8


def test_words_of_the_matrix_differ_between_the_languages() -> None:
    words = study.words()
    assert len(words) > 50
    assert all(english != french for english, french in words.items())


def test_no_test_sentence_is_among_the_pairs_to_learn_from() -> None:
    asked = {
        line
        for seed in (recipe.DEVELOPMENT, recipe.TEST)
        for line in recipe.held_out(recipe.HELD_OUT, seed, TOY)["en"]
    }
    _, vocabulary = recipe.text_of(TOY.sentences, TOY.pieces)
    sources, _ = recipe.true_pairs(TOY)["en", "fr"]
    assert not asked & set(vocabulary.decode(sources))
    assert len(sources) > 50


def test_dictionaries_are_given_in_part_found_or_unknown() -> None:
    direction: Direction = ("en", "fr")
    whole = recipe.dictionaries(TOY)[direction]
    quarter = recipe.dictionaries(replace(TOY, dictionary=0.25))[direction]
    assert 0.15 < len(quarter) / len(whole) < 0.35
    assert whole["dog"] == "chien"
    assert recipe.dictionaries(replace(TOY, dictionary=0.0)) == {}
    found = recipe.dictionaries(replace(TOY, found=1500))[direction]
    assert found["pizza"] == "pizza"
