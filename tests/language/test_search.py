"""Search: against all translations there are, against itself, and what it may not cost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from domain_translation import runtime
from domain_translation.language.batches import pad
from domain_translation.language.search import beam, greedy
from domain_translation.language.vocabulary import BOS, EOS, PAD, SPECIAL
from domain_translation.language.xlm import XLM, XLMConfig

WORDS = range(SPECIAL, SPECIAL + 5)
ALLOWED = torch.zeros(20, dtype=torch.bool)
ALLOWED[[*WORDS, EOS]] = True
IDS = pad([[9, 8, 7, 6, EOS], [5, EOS], [11, 12, 13, EOS], [7, 7, 7, EOS]])


def toy(dropout: float = 0.0) -> XLM:
    """A random network of 20 tokens, so strong that sentence and place decide what it writes."""
    with runtime.seeded(2):
        model = XLM(XLMConfig(20, ("en", "fr"), dim=16, heads=2, positions=30, dropout=dropout))
    with torch.no_grad():
        model.source.words.weight.mul_(2.5)
        model.source.positions.weight.mul_(10)
        model.source.bias[EOS] = 1.0
        for layer in model.decoder.layers:
            layer.cross.out.weight.mul_(4)
    return model.requires_grad_(False).eval()


MODEL = toy()
MASK = IDS != PAD
CODE = MODEL.encode(IDS, "en")


def log_p(i: int, sentences: list[list[int]]) -> Tensor:
    """Of whole translations of sentence i, without a cache."""
    y = pad(sentences)
    prefix = torch.cat([torch.full((len(y), 1), BOS), y[:, :-1]], 1)
    logits = MODEL.decode(CODE[[i] * len(y)], MASK[[i] * len(y)], prefix, "fr")
    steps = logits.masked_fill(~ALLOWED, -torch.inf).log_softmax(2)
    return steps.gather(2, y[..., None])[..., 0].where(y != PAD, 0).sum(1)


def all_translations(limit: int) -> Iterator[list[int]]:
    for n in range(limit):
        for words in itertools.product(WORDS, repeat=n):
            yield [*words, EOS]


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0])
def test_a_beam_of_full_width_finds_the_best_of_all(penalty: float) -> None:
    everything = list(all_translations(4))
    found = beam(MODEL, CODE[:3], MASK[:3], "fr", ALLOWED, len(everything), penalty, limit=4)
    lengths = torch.tensor([len(sentence) for sentence in everything])
    for i, sentence in enumerate(found):
        scores = log_p(i, everything) / lengths**penalty
        best, second = scores.topk(2).values.tolist()
        assert scores[everything.index(sentence)].item() == best
        assert best - second > 1e-3  # or another machine could take the other one


def step_by_step(i: int, limit: int) -> list[int]:
    """Greedy search for one sentence as one would write it down."""
    n, sentence = int(MASK[i].sum()), []
    while sentence[-1:] != [EOS]:
        prefix = torch.tensor([[BOS, *sentence]])
        logits = MODEL.decode(CODE[i : i + 1, :n], None, prefix, "fr")[0, -1]
        token = int(logits.masked_fill(~ALLOWED, -torch.inf).argmax())
        sentence.append(EOS if len(sentence) == limit - 1 else token)
    return sentence


@pytest.mark.parametrize("limit", [1, 3, 20])
def test_greedy_takes_the_likeliest_token_with_and_without_cache_and_padding(limit: int) -> None:
    found = greedy(MODEL, CODE, MASK, "fr", ALLOWED, limit)
    assert found == [step_by_step(i, limit) for i in range(len(IDS))]


@pytest.mark.parametrize("limit", [1, 3, 20, None])
def test_a_beam_of_one_is_greedy(limit: int | None) -> None:
    assert beam(MODEL, CODE, MASK, "fr", ALLOWED, 1, 1.0, limit) == greedy(
        MODEL, CODE, MASK, "fr", ALLOWED, limit
    )


def test_translations_differ_in_length_and_none_is_longer_than_its_limit() -> None:
    found = greedy(MODEL, CODE, MASK, "fr", ALLOWED)
    assert len({len(row) for row in found}) > 1  # or the tests above would show little
    for row, n in zip(found, MASK.sum(1).tolist(), strict=True):
        assert row.index(EOS) == len(row) - 1 < 10 + n + n // 2
        assert all(i in WORDS for i in row[:-1])


@pytest.mark.parametrize("width", [2, 3, 5])
def test_a_beam_does_not_mix_its_sentences(width: int) -> None:
    found = beam(MODEL, CODE, MASK, "fr", ALLOWED, width)
    for i, n in enumerate(MASK.sum(1).tolist()):
        assert beam(MODEL, CODE[i : i + 1, :n], None, "fr", ALLOWED, width) == [found[i]]


def test_a_wider_beam_finds_likelier_translations() -> None:
    found = {width: beam(MODEL, CODE, MASK, "fr", ALLOWED, width, 0.0, limit=6) for width in (1, 9)}
    for i, (narrow, wide) in enumerate(zip(found[1], found[9], strict=True)):
        before, after = log_p(i, [narrow, wide]).tolist()
        assert after >= before
    assert found[1] != found[9]


def test_short_translations_win_without_a_length_penalty() -> None:
    lengths = [
        sum(map(len, beam(MODEL, CODE, MASK, "fr", ALLOWED, 8, penalty))) for penalty in (0.0, 2.0)
    ]
    assert lengths[0] < lengths[1]


def rows_decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Sentences and tokens of every call of the decoder's layers."""
    seen: list[tuple[int, int]] = []
    decoder = MODEL.decoder.forward

    def counted(x: Tensor, *others: object) -> Tensor:
        seen.append((x.shape[0], x.shape[1]))
        return decoder(x, *others)

    monkeypatch.setattr(MODEL.decoder, "forward", counted)
    return seen


def test_finished_sentences_and_earlier_tokens_cost_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = rows_decoded(monkeypatch)
    found = greedy(MODEL, CODE, MASK, "fr", ALLOWED)
    assert sum(n * m for n, m in seen) == sum(map(len, found))
    assert len(seen) == max(map(len, found))
    seen.clear()
    found = beam(MODEL, CODE, MASK, "fr", ALLOWED, 3, limit=20)
    assert {m for _, m in seen} == {1}
    rows = [n for n, _ in seen]
    assert rows[0] == 3 * len(IDS)
    assert rows == sorted(rows, reverse=True)
    assert rows[-1] < rows[0]


def test_a_network_in_training_is_searched_without_dropout_and_left_in_training() -> None:
    model = toy(dropout=0.5).train()
    found = [greedy(model, CODE, MASK, "fr", ALLOWED) for _ in range(2)]
    assert found[0] == found[1]
    assert model.training
    assert model.decoder.layers[0].dropout.training


@pytest.mark.parametrize(("width", "penalty"), [(0, 1.0), (2, -1.0)])
def test_bad_beams_are_refused(width: int, penalty: float) -> None:
    with pytest.raises(ValueError, match="the width is at least 1, the penalty at least 0"):
        beam(MODEL, CODE, MASK, "fr", ALLOWED, width, penalty)
