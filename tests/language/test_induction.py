"""A dictionary from two texts that do not say the same."""

from __future__ import annotations

import pytest
import torch

from domain_translation.language.induction import alike, company, dictionary_of_text, profiles

WORDS = 12


def texts(language: str, seed: int, count: int = 1500) -> list[str]:
    """Two words a sentence, a thing and one of three places; things differ in where they are.

    Places are international; things are called otherwise in every language.
    """
    generator = torch.Generator().manual_seed(seed)
    where = torch.rand(WORDS, 3, generator=torch.Generator().manual_seed(9)).pow(3)
    often = 1.0 / torch.arange(1, WORDS + 1)
    lines = []
    for i in often.multinomial(count, replacement=True, generator=generator).tolist():
        (j,) = where[i].multinomial(1, generator=generator).tolist()
        lines.append(f"{language}{i} {('hotel', 'radio', 'taxi')[j]}")
    return lines


X, Y = company(texts("x", 1)), company(texts("y", 2))


def test_words_and_pairs_are_counted() -> None:
    found = company(["The cat sleeps.", "the Cat, the cat!", "A dog sleeps."], rarest=1)
    assert found.words == ["cat", "sleeps", "the", "a", "dog"]
    assert found.often.tolist() == [2, 2, 2, 1, 1]
    assert found.together[0].tolist() == [2, 1, 2, 0, 0]
    assert found.sentences == 3
    assert company(["a b", "a c"], rarest=2).words == ["a"]


def test_words_are_written_as_within_a_sentence() -> None:
    text = ["Der Hund schläft.", "Ein Hund, der schläft.", "Hunde schlafen."]
    assert company(text, rarest=1).words == ["der", "Hund", "schläft", "ein", "hunde", "schlafen"]


def test_profiles_are_log_ratios_to_chance() -> None:
    found = company(["cat here", "cat here", "dog there", "dog here"], rarest=1)
    at = [found.words.index(word) for word in ("here", "there", "cat", "dog")]
    (cat, dog) = profiles(found, torch.tensor(at[:2]))[at[2:]]
    # Cats: with "here" 2 of 1.5 expected, with "there" 0 of 0.5.
    raw = torch.tensor([3 / 2.5, 1 / 1.5]).log()
    torch.testing.assert_close(cat, (raw - raw.mean()) / (raw - raw.mean()).norm())
    assert cat @ dog == pytest.approx(-1)


def test_words_that_are_written_alike_are_the_beginning() -> None:
    x, y = company(["pizza a taxi xx"], rarest=1), company(["taxi a Pizza yy"], rarest=1)
    pairs = {(x.words[i], y.words[j]) for i, j in alike(x, y).tolist()}
    assert pairs == {("pizza", "Pizza"), ("taxi", "taxi")}  # "a" is too short to tell


def test_a_dictionary_is_found_without_a_pair_of_sentences() -> None:
    found = dictionary_of_text(X, Y, rounds=3)
    right = [found[f"x{i}"] == f"y{i}" for i in range(WORDS) if f"x{i}" in found]
    assert len(right) >= 10
    assert sum(right) >= 0.7 * len(right)  # chance is one in twelve
    assert found["taxi"] == "taxi"


def test_what_cannot_be_found_is_said() -> None:
    with pytest.raises(ValueError, match="no word is written alike"):
        dictionary_of_text(company(["one two"] * 9), company(["three four"] * 9))
    with pytest.raises(ValueError, match="no word stands in 5 of 1 sentences"):
        company(["one two"])
