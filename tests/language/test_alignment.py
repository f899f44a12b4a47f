"""A dictionary that is counted in sentence pairs."""

from __future__ import annotations

import pytest

from domain_translation.language.alignment import dictionary_of_pairs
from domain_translation.synthetic import grammar


def test_words_that_stand_together_belong_together() -> None:
    x = ["Das Haus ist rot.", "Das Buch ist blau.", "Ein Haus.", "Ein Buch ist rot."]
    y = ["The house is red.", "The book is blue.", "A house.", "A book is red."]
    table = dictionary_of_pairs(x, y)
    expected = {"das": "the", "haus": "house", "buch": "book", "ein": "a", "ist": "is"}
    assert expected.items() <= (table | {"das": table["das"].lower()}).items()
    assert table["."] == "."
    back = dictionary_of_pairs(y, x)
    assert (back["house"], back["book"], back["red"]) == ("Haus", "Buch", "rot")


def test_one_round_more_is_one_step_of_expectation_and_maximisation() -> None:
    """By hand: "b" stands with "y" in both its sentences, "x" and "z" in one each."""
    x, y = ["a b", "b c"], ["x y", "y z"]
    assert dictionary_of_pairs(x, y, rounds=1)["b"] == "y"
    assert dictionary_of_pairs(x, y) == {"a": "x", "b": "y", "c": "z"}


def test_most_words_of_the_grammar_are_found() -> None:
    pairs = grammar.pairs(400, 0)
    table = dictionary_of_pairs(pairs["en"], pairs["fr"])
    known = grammar.dictionary("en", "fr")
    names = [w for w in grammar.lemmas("animal") if w in table and w in known]
    assert len(names) > 10
    assert sum(table[w] == known[w] for w in names) / len(names) > 0.6


def test_what_is_refused_and_what_is_empty() -> None:
    with pytest.raises(ValueError, match="2 and 1 sentences are no pairs"):
        dictionary_of_pairs(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="give as many of each"):
        dictionary_of_pairs([], [])
    assert dictionary_of_pairs(["", "a"], ["b", ""]) == {}
