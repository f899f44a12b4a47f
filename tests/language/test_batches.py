"""Minibatches of sentences, and what training does to sentences."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Generator, Tensor

from domain_translation.language import batches
from domain_translation.language.corruption import mask_tokens, word_noise
from domain_translation.language.vocabulary import EOS, MASK, PAD, SPECIAL


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def sentences(count: int, seed: int = 0) -> list[list[int]]:
    """Sentence i is i in base 10, then 1 to 30 words, then EOS."""
    lengths = torch.randint(1, 31, (count,), generator=seeded(seed)).tolist()
    return [[10 + int(c) for c in f"{i:04d}"] + [9] * n + [EOS] for i, n in enumerate(lengths)]


def number(row: Tensor) -> int:
    return int("".join(str(int(i) - 10) for i in row[:4]))


def test_padding_and_lengths() -> None:
    ids = [[5, EOS], [6, 7, EOS], [8, EOS]]
    assert batches.pad(ids).tolist() == [[5, EOS, PAD], [6, 7, EOS], [8, EOS, PAD]]
    assert batches.by_length(ids) == {2: [0, 2], 3: [1]}
    with pytest.raises(ValueError, match="no sentences"):
        batches.pad([])


def test_batches_are_full_and_hardly_padded() -> None:
    text = sentences(1000)
    draw, generator = batches.token_batches(text, tokens=200), seeded()
    drawn = [draw(generator)[0] for _ in range(200)]
    assert max(x.numel() for x in drawn) <= 200
    assert sum(x.numel() for x in drawn) > 0.85 * 200 * len(drawn)
    assert sum(int((x == PAD).sum()) for x in drawn) < 0.03 * 200 * len(drawn)
    for x in drawn:
        for row in x:
            assert row[row != PAD].tolist() == text[number(row)]


@pytest.mark.parametrize("tokens", [60, 300])
def test_every_sentence_is_equally_likely(tokens: int) -> None:
    text = sentences(40)
    draw, generator = batches.token_batches(text, tokens=tokens), seeded(1)
    counts = Counter(number(row) for _ in range(4000) for row in draw(generator)[0])
    mean = counts.total() / len(text)
    # Variance of a count: Poisson's, and at most twofold in one batch (drawn with replacement).
    assert all(abs(counts[i] - mean) < 5 * math.sqrt(2 * mean) for i in range(len(text)))


def test_paired_texts_keep_their_lines_together_and_unpaired_ones_do_not() -> None:
    texts = sentences(300), sentences(300, seed=1)
    together = batches.token_batches(*texts, tokens=300, paired=True)
    apart, generator = batches.token_batches(*texts, tokens=300), seeded()
    for _ in range(20):
        x, y = together(generator)
        assert [number(row) for row in x] == [number(row) for row in y]
        assert max(x.numel(), y.numel()) <= 300
        x, y = apart(generator)
        assert [number(row) for row in x] != [number(row) for row in y]


def test_draws_follow_from_the_generator() -> None:
    draw = batches.token_batches(sentences(100), sentences(50), tokens=100)
    first, again = seeded(3), seeded(3)
    run = [draw(first) for _ in range(5)]
    state = again.get_state()
    assert all(torch.equal(a, b) for a, b in zip(run[0], draw(again), strict=True))
    again.set_state(state)
    for wanted in run:
        assert all(torch.equal(a, b) for a, b in zip(wanted, draw(again), strict=True))
    assert len({tuple(x.shape) for x, _ in run}) > 1


def test_one_long_sentence_comes_alone_and_bad_texts_are_refused() -> None:
    draw = batches.token_batches([[7] * 50 + [EOS]] * 3, tokens=10)
    assert draw(seeded())[0].shape == (1, 51)
    with pytest.raises(ValueError, match="without sentences"):
        batches.token_batches([[5, EOS]], [])
    with pytest.raises(ValueError, match="at least 1"):
        batches.token_batches([[5, EOS]], tokens=0)
    with pytest.raises(ValueError, match="have 1, 2 sentences; give equally many"):
        batches.token_batches([[5, EOS]], [[5, EOS]] * 2, paired=True)


# Masked words


def within(count: Tensor, n: int, p: float) -> bool:
    """Whether a binomial count lies within 4 standard deviations of its mean."""
    return abs(int(count) - n * p) < 4 * math.sqrt(n * p * (1 - p))


def test_masks_have_the_shares_of_the_source() -> None:
    size = SPECIAL + 45
    x = torch.randint(SPECIAL, size, (10_000, 22), generator=seeded())
    x[:, -2], x[:, -1] = EOS, PAD
    noisy, chosen = mask_tokens(x, size, seeded(1))
    n, picked = 200_000, int(chosen.sum())
    assert within(chosen.sum(), n, 0.15)
    assert within((noisy[chosen] == MASK).sum(), picked, 0.8)
    # A random token may be the same: of the chosen, 0.1 stay and 0.1 / 45 look as if.
    assert within((noisy == x)[chosen].sum(), picked, 0.1 + 0.1 / 45)
    assert torch.equal(noisy[~chosen], x[~chosen])
    assert not chosen[:, -2:].any()
    other = chosen & (noisy != MASK) & (noisy != x)
    assert set(noisy[other].tolist()) == set(range(SPECIAL, size))


# Noise for denoising

TEXT = st.lists(st.integers(1, 12), min_size=1, max_size=6)


@given(TEXT, st.integers(0, 4), st.integers(0, 99))
def test_shuffled_words_move_by_no_more_than_was_asked(
    lengths: list[int], shuffle: int, seed: int
) -> None:
    x = batches.pad([[*range(SPECIAL, SPECIAL + n), EOS] for n in lengths])
    y = word_noise(x, seeded(seed), drop=0, blank=0, shuffle=shuffle)
    for n, row in zip(lengths, y, strict=True):
        assert row[n] == EOS
        assert row[n + 1 :].eq(PAD).all()
        assert sorted(row[:n].tolist()) == list(range(SPECIAL, SPECIAL + n))
        assert (row[:n] - torch.arange(SPECIAL, SPECIAL + n)).abs().max() <= shuffle


def test_a_shuffle_of_three_moves_words_as_far_as_three() -> None:
    x = batches.pad([[*range(SPECIAL, SPECIAL + 20), EOS]] * 1000)
    moved = (word_noise(x, seeded(), drop=0, blank=0)[:, :20] - x[:, :20]).abs()
    assert moved.max() == 3
    assert moved.float().mean() > 0.7


def test_words_are_dropped_and_blanked_at_their_rates() -> None:
    n = 50
    x = batches.pad([[*range(SPECIAL, SPECIAL + n), EOS]] * 2000)
    y = word_noise(x, seeded(), drop=0.1, blank=0.2, shuffle=0)
    left = (y != PAD) & (y != EOS)
    assert within(left.sum(), 2000 * n, 0.9)
    assert within((y == MASK).sum(), int(left.sum()), 0.2)
    for row in y[:100]:
        words = row[row != PAD].tolist()
        assert words[-1] == EOS
        assert words.count(EOS) == 1
        plain = [w for w in words[:-1] if w != MASK]
        assert plain == sorted(plain)


@given(TEXT, st.integers(0, 99))
def test_one_word_is_always_left(lengths: list[int], seed: int) -> None:
    x = batches.pad([[*range(SPECIAL, SPECIAL + n), EOS] for n in lengths])
    y = word_noise(x, seeded(seed), drop=1.0, blank=0.0)
    assert y.shape == x.shape
    assert ((y >= SPECIAL).sum(1) == 1).all()
    assert (y[:, 1] == EOS).all()


def test_an_empty_sentence_stays_empty() -> None:
    x = torch.tensor([[EOS, PAD, PAD], [7, 8, EOS]])
    assert word_noise(x, seeded(), drop=1.0)[0].tolist() == [EOS, PAD, PAD]


def test_pieces_of_a_word_stay_together() -> None:
    starts = torch.arange(60) % 3 == SPECIAL % 3  # every word has three pieces
    x = torch.arange(SPECIAL, SPECIAL + 30)[None].repeat(500, 1)
    x = torch.cat([x, torch.full((500, 1), EOS)], 1)
    y = word_noise(x, seeded(), drop=0.3, blank=0.3, starts=starts)
    seen: Counter[bool] = Counter()
    for row in y:
        pieces = row[row >= MASK].tolist()
        words = [pieces[i : i + 3] for i in range(0, len(pieces), 3)]
        for a, b, c in words:
            assert (a, b, c) == (MASK, MASK, MASK) or (starts[a] and (b, c) == (a + 1, a + 2))
            seen[a == MASK] += 1
    assert within(torch.tensor(seen[True]), seen.total(), 0.3)
