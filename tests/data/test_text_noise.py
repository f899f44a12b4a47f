"""Typing errors and lost, exchanged and wrong words: how many, of which kind, drawn from what."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from domain_translation.data import text_noise

NOISES: list[Callable[..., list[str]]] = [
    text_noise.typos,
    text_noise.dropped,
    text_noise.swapped,
    lambda sentences, strength, **more: text_noise.wrong(sentences, strength, "xyz", **more),
]
SENTENCES = ["The young woman reads, slowly.", "a  b\tc", "", "Été : l'eau !", "(cat),"] * 3


@pytest.mark.parametrize("noise", NOISES)
def test_errors_depend_on_seed_and_id_alone(noise: Callable[..., list[str]]) -> None:
    whole = noise(SENTENCES, 0.6, seed=3)
    backwards = noise(SENTENCES[::-1], 0.6, seed=3, ids=reversed(range(len(SENTENCES))))
    assert backwards[::-1] == whole
    assert noise(SENTENCES[5:6], 0.6, seed=3, ids=[5]) == whole[5:6]
    assert noise(SENTENCES, 0.6, seed=4) != whole
    assert len({*noise(SENTENCES[:1] * 20, 0.6, seed=3)}) > 5  # equal sentences have other errors


@pytest.mark.parametrize("noise", NOISES)
def test_no_strength_changes_nothing(noise: Callable[..., list[str]]) -> None:
    assert noise(SENTENCES, 0.0) == SENTENCES
    assert noise([], 0.5) == []


def test_typos_hit_so_many_words_in_four_ways() -> None:
    words = ["abcdef"] * 4000
    (typed,) = text_noise.typos([" ".join(words)], 0.3, seed=1)
    changed = [word for word in typed.split(" ") if word != "abcdef"]
    assert 0.26 < len(changed) / 4000 < 0.34  # six standard errors
    longer = sum(len(word) == 7 for word in changed)
    shorter = sum(len(word) == 5 for word in changed)
    moved = sum(sorted(word) == list("abcdef") for word in changed)
    other = len(changed) - longer - shorter - moved
    assert min(longer, shorter, moved, other) > 0.18 * len(changed)
    assert all(re.search(r"(.)\1", word) for word in changed if len(word) == 7)
    assert text_noise.typos(["a 1 2,5 - I ,"], 1.0) == ["a 1 2,5 - I ,"]
    assert all(text_noise.typos(["ab"], 1.0, seed=k) != ["ab"] for k in range(20))


def test_a_larger_strength_adds_errors() -> None:
    sentence = " ".join(f"w{'abcdefghij'[k % 10]}{'klmnopqrst'[k // 10]}" for k in range(100))
    words = sentence.split()
    for noise in (NOISES[0], NOISES[3]):
        (weak,), (strong,) = (noise([sentence], s, seed=2) for s in (0.2, 0.5))
        pairs = list(zip(words, weak.split(), strong.split(), strict=True))
        assert all(w in (word, s) for word, w, s in pairs)
        assert sum(w != word for word, w, _ in pairs) < sum(s != word for word, _, s in pairs)
    (weak,), (strong,) = (text_noise.dropped([sentence], s, seed=2) for s in (0.2, 0.5))
    assert set(strong.split()) < set(weak.split()) < set(words)


def test_dropped_words() -> None:
    words = [str(k) for k in range(4000)]
    (left,) = text_noise.dropped([" ".join(words)], 0.25, seed=1)
    assert 0.71 < len(left.split()) / 4000 < 0.79
    assert [int(word) for word in left.split()] == sorted(int(word) for word in left.split())
    (one,) = text_noise.dropped(["three short words"], 1.0)
    assert one in ("three", "short", "words")


def test_swapped_words_are_neighbours() -> None:
    words = list(range(3001))
    (order,) = text_noise.swapped([" ".join(map(str, words))], 0.2, seed=1)
    moves = np.array([int(word) for word in order.split()]) - words
    assert set(moves) == {-1, 0, 1}
    # A pair is swapped with 0.2 and then takes two places: 0.2 / 1.2 swaps for each place.
    assert abs((moves == 1).mean() - 0.2 / 1.2) < 0.035
    assert text_noise.swapped(["a b c d e"], 1.0) == ["b a d c e"]


def test_wrong_words_come_from_the_list() -> None:
    (made,) = text_noise.wrong(["(cat), " * 3000 + "- dog"], 0.5, ["cat", "dog", "cow"], seed=1)
    parts = made.split()
    assert set(parts[:3000]) == {"(cat),", "(dog),", "(cow),"}
    counts = [parts[:3000].count(f"({word}),") / 3000 for word in ("cat", "dog", "cow")]
    np.testing.assert_allclose(counts, [0.5, 0.25, 0.25], atol=0.05)
    assert parts[3000] == "-"


@pytest.mark.parametrize("noise", NOISES)
def test_bad_requests(noise: Callable[..., list[str]]) -> None:
    for strength in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=r"strength is .*; give the share of the words"):
            noise(SENTENCES, strength)
    for more in ({"seed": -1}, {"ids": [1]}, {"ids": range(-1, len(SENTENCES) - 1)}):
        with pytest.raises(ValueError, match="give one id for each sentence"):
            noise(SENTENCES, 0.5, **more)
    with pytest.raises(ValueError, match="at least two different words"):
        text_noise.wrong(["a"], 0.5, ["b", "b"])
