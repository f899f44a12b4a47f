"""Dictionaries: word by word, as training pairs, and found in two clouds of word vectors."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from domain_translation.language.lexicon import (
    csls,
    dictionary_sentences,
    induce,
    procrustes,
    word_by_word,
    word_vectors,
)

FRENCH = {"the": "le", "cat": "chat", "sleeps": "dort", "here": "ici", "very": ""}


def test_words_are_translated_in_their_order() -> None:
    assert word_by_word(FRENCH, "The cat sleeps, here.") == "Le chat dort, ici."
    assert word_by_word(FRENCH, "cat sleeps very here ?") == "chat dort ici?"


def test_unknown_words_stay_and_written_forms_come_first() -> None:
    assert word_by_word({**FRENCH, "Cat": "Minou"}, "The Cat Anna") == "Le Minou Anna"


def test_an_elided_article_is_a_word() -> None:
    assert word_by_word({"l'": "the", "homme": "man"}, "L'homme dort.") == "The man dort."
    assert word_by_word({"the": "l'", "man": "homme"}, "the man.") == "l'homme."


def test_pairs_of_a_dictionary_have_real_targets() -> None:
    tables = {("fr", "en"): {"chat": "cat"}, ("en", "fr"): {"cat": "chat"}}
    text = {"en": ["a cat", "one"], "fr": ["un chat"]}
    pairs = dictionary_sentences(tables, text, [("en", "fr"), ("fr", "en")])
    assert pairs["en", "fr"] == (["un cat"], ["un chat"])
    assert pairs["fr", "en"] == (["a chat", "one"], ["a cat", "one"])
    with pytest.raises(ValueError, match="takes a dictionary from fr to en"):
        dictionary_sentences({("en", "fr"): {}}, text, [("en", "fr")])


def cloud(n: int, dim: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, dim, generator=Generator().manual_seed(seed))


def test_procrustes_finds_a_rotation_exactly() -> None:
    x = cloud(30, 6)
    rotation = torch.linalg.qr(cloud(6, 6, 1)).Q
    torch.testing.assert_close(procrustes(x, x @ rotation), rotation, rtol=1e-4, atol=1e-4)


def test_csls_by_its_definition() -> None:
    x, y = cloud(5, 3), cloud(4, 3, 1)
    cosine = torch.nn.functional.cosine_similarity(x[:, None], y[None], dim=2)
    for i in range(5):
        for j in range(4):
            r_x = cosine[i].sort(descending=True).values[:2].mean()
            r_y = cosine[:, j].sort(descending=True).values[:2].mean()
            expected = 2 * cosine[i, j] - r_x - r_y
            torch.testing.assert_close(csls(x, y, 2)[i, j], expected)


def test_a_dictionary_is_found_from_a_few_pairs() -> None:
    """Vectors of one language are those of the other, turned, shuffled and a little off."""
    x = cloud(60, 12)
    order = torch.randperm(60, generator=Generator().manual_seed(2))
    y = torch.empty_like(x)
    y[order] = x @ torch.linalg.qr(cloud(12, 12, 1)).Q + 0.05 * cloud(60, 12, 3)
    seeds = torch.stack([torch.arange(8), order[:8]], dim=1)
    found, margin = induce(x, y, seeds)
    assert (found == order).all()
    assert (margin > 0).all()


def test_induction_needs_a_pair_and_one_width() -> None:
    with pytest.raises(ValueError, match="no pair of words"):
        induce(cloud(5, 3), cloud(5, 3), torch.empty(0, 2, dtype=torch.long))
    with pytest.raises(ValueError, match="3 and 4 coordinates"):
        induce(cloud(5, 3), cloud(5, 4), torch.tensor([[0, 0]]))


def test_words_of_like_use_have_like_vectors() -> None:
    animals = [f"the {w} eats grass" for w in ("cow", "horse")] * 4
    things = [f"she opens a {w} slowly" for w in ("door", "box")] * 4
    words, vectors = word_vectors(animals + things, dim=4, window=2)
    assert words[:2] == ["a", "eats"]
    assert len(words) == len(vectors) == 11
    at = {w: vectors[i] for i, w in enumerate(words)}

    def like(a: str, b: str) -> float:
        return float(torch.cosine_similarity(at[a], at[b], dim=0))

    assert like("cow", "horse") > 0.99 > like("cow", "door") + 0.5
