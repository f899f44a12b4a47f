"""Sentences made worse by a known amount: typing errors, lost, exchanged and wrong words.

Errors under which translators break (Belinkov & Bisk 2018), each with a strength from 0 to 1. A
sentence's errors depend on the seed and its own id alone: not on its neighbours, its place or the
number of sentences.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.random import Generator

# The words of a sentence and its generator -> the words that are written.
Change = Callable[[list[str], Generator], list[str]]


def typos(
    sentences: Sequence[str], strength: float, *, seed: int = 0, ids: Iterable[int] | None = None
) -> list[str]:
    """In each word, with probability `strength`, one letter is doubled, lost, moved or another.

    The four are equally likely. Words of one letter stay as they are, spaces and signs everywhere.
    A larger strength keeps the errors of a smaller one and adds others.

    Args:
        sentences: any text.
        strength: in [0, 1].
        seed: of the errors.
        ids: a whole number, 0 or larger, for each sentence; None counts them from 0.

    Raises:
        ValueError: strength outside [0, 1], a negative seed or id, not one id for each sentence.
    """

    def change(words: list[str], rng: Generator) -> list[str]:
        draws = rng.random((len(words), 4))
        return [
            _mistyped(word, *rest) if hit < strength else word
            for word, (hit, *rest) in zip(words, draws.tolist(), strict=True)
        ]

    return _each(sentences, change, strength, seed, ids)


def dropped(
    sentences: Sequence[str], strength: float, *, seed: int = 0, ids: Iterable[int] | None = None
) -> list[str]:
    """Each word is lost with probability `strength`, but never all of them.

    A larger strength loses what a smaller one loses, and more. Arguments and errors as for `typos`.
    """

    def change(words: list[str], rng: Generator) -> list[str]:
        draws = rng.random(len(words))
        kept = [word for word, draw in zip(words, draws, strict=True) if draw >= strength]
        return kept or [words[int(draws.argmax())]]

    return _each(sentences, change, strength, seed, ids)


def swapped(
    sentences: Sequence[str], strength: float, *, seed: int = 0, ids: Iterable[int] | None = None
) -> list[str]:
    """From left to right, a word changes places with the next one with probability `strength`.

    A pair that was swapped is not touched again. Arguments and errors as for `typos`.
    """

    def change(words: list[str], rng: Generator) -> list[str]:
        order, i = list(words), 0
        while i + 1 < len(order):
            if rng.random() < strength:
                order[i : i + 2] = order[i + 1], order[i]
                i += 1
            i += 1
        return order

    return _each(sentences, change, strength, seed, ids)


def wrong(
    sentences: Sequence[str],
    strength: float,
    words: Sequence[str],
    *,
    seed: int = 0,
    ids: Iterable[int] | None = None,
) -> list[str]:
    """Each word becomes another one of `words` with probability `strength`, all equally likely.

    The signs around it stay: "(cat)," becomes "(dog),". A larger strength keeps the wrong words of
    a smaller one. Arguments and errors as for `typos`; `words` are two different ones at least.
    """
    listed = sorted(set(words))
    if len(listed) < 2:
        raise ValueError(f"the word list is {listed}; give at least two different words")

    def change(given: list[str], rng: Generator) -> list[str]:
        draws = rng.random((len(given), 2))
        return [
            _replaced(word, listed, which) if hit < strength else word
            for word, (hit, which) in zip(given, draws.tolist(), strict=True)
        ]

    return _each(sentences, change, strength, seed, ids)


def _each(
    sentences: Sequence[str],
    change: Change,
    strength: float,
    seed: int,
    ids: Iterable[int] | None,
) -> list[str]:
    """Every sentence's words, changed with a generator of its own."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}; give the share of the words, in [0, 1]")
    numbers = list(range(len(sentences)) if ids is None else ids)
    if len(numbers) != len(sentences) or min([seed, *numbers]) < 0:
        raise ValueError(
            f"there are {len(sentences)} sentences, {len(numbers)} ids and seed {seed}; give one "
            f"id for each sentence, and no negative number"
        )
    return [
        " ".join(change(sentence.split(" "), np.random.default_rng([seed, number])))
        for sentence, number in zip(sentences, numbers, strict=True)
    ]


def _mistyped(word: str, where: float, kind: float, which: float) -> str:
    """The word with one typing error; the numbers in [0, 1) say which."""
    letters = [i for i, sign in enumerate(word) if sign.isalpha()]
    if len(letters) < 2:
        return word
    i = letters[int(where * len(letters))]
    before, letter, after = word[:i], word[i], word[i + 1 :]
    if kind < 0.25:
        return before + letter + letter + after
    if kind < 0.5:
        return before + after
    if kind < 0.75:
        others = string.ascii_lowercase.replace(letter.lower(), "")
        return before + others[int(which * len(others))] + after
    # With its neighbour to the right, the last letter with that to the left.
    i = min(i, len(word) - 2)
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def _replaced(word: str, listed: Sequence[str], which: float) -> str:
    """Another word of the list in the place of this one, with the signs around it."""
    parts = re.fullmatch(r"(\W*)(.*?)(\W*)", word, re.DOTALL)
    if parts is None or not parts[2]:
        return word
    others = [other for other in listed if other != parts[2]]
    return parts[1] + others[int(which * len(others))] + parts[3]
