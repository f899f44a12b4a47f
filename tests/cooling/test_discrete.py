"""Cooling of tokens: against a language model whose joint law of a sentence is a table."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from elsewhere import Run, To, assert_stays_there
from torch import Generator, Tensor

from domain_translation.cooling.discrete import cool_tokens, cool_words
from domain_translation.language.vocabulary import MASK as HIDDEN
from domain_translation.language.vocabulary import Vocabulary
from domain_translation.language.xlm import XLM, XLMConfig
from domain_translation.runtime import seeded

WORDS, MASK, END = 3, 3, 4  # tokens 0, 1, 2 are words
ALLOWED = torch.tensor([True, True, True, False, False])


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


class Table:
    """The exact masked language model of a joint law of n words and an end mark."""

    def __init__(self, n: int, seed: int = 0) -> None:
        self.log_p = 2 * torch.randn((WORDS,) * n, generator=gen(seed)).double()
        self.calls = 0

    def __call__(self, x: Tensor) -> Tensor:
        self.calls += 1
        logits = torch.full((*x.shape, len(ALLOWED)), -1.0, dtype=torch.float64)
        logits[..., MASK] = 50  # far likelier than any word, but never allowed
        for j in range(x.shape[1] - 1):
            rows = (x[:, j] == MASK).nonzero().flatten()
            others = [x[rows, k] for k in range(x.shape[1] - 1) if k != j]
            logits[rows, j, :WORDS] = self.log_p.movedim(j, -1)[tuple(others)]
        return logits

    def of(self, x: Tensor) -> Tensor:
        return self.log_p[tuple(x[:, :-1].unbind(1))]


def sentences(n: int) -> Tensor:
    """All of n words, with their end marks."""
    rows = list(itertools.product(range(WORDS), repeat=n))
    return torch.tensor([[*row, END] for row in rows])


def test_at_temperature_zero_it_climbs_to_a_local_maximum() -> None:
    table, x = Table(4), sentences(4)
    out = cool_tokens(table, x, mask=MASK, allowed=ALLOWED, steps=50)
    assert (table.of(out) >= table.of(x)).all()
    for j, word in itertools.product(range(4), range(WORDS)):
        other = out.clone()
        other[:, j] = word
        assert (table.of(other) <= table.of(out)).all()
    assert (out != x).any()
    assert (out[:, -1] == END).all()


def test_one_visit_replaces_what_another_beats_by_the_threshold() -> None:
    table = Table(1)
    log_p = table.log_p
    best = int(log_p.argmax())
    for threshold in (0.0, 0.5, 1.0, 2.0, 4.0):
        out = cool_tokens(table, sentences(1), mask=MASK, allowed=ALLOWED, threshold=threshold)
        wanted = [best if log_p[best] - log_p[w] > threshold else w for w in range(WORDS)]
        assert out[:, 0].tolist() == wanted


def test_a_sweep_that_changes_nothing_is_the_last() -> None:
    table = Table(3)
    done = cool_tokens(table, sentences(3), mask=MASK, allowed=ALLOWED, steps=50)
    table.calls = 0
    assert torch.equal(cool_tokens(table, done, mask=MASK, allowed=ALLOWED, steps=50), done)
    assert table.calls == 3  # one sweep over three words; the end mark stays


@pytest.mark.parametrize("temperature", [0.5, 0.9])
def test_below_one_it_samples_the_sharpened_law(temperature: float) -> None:
    """Gibbs sampling of p^(1/T): 4,000 chains of two words, 9 sentences."""
    table = Table(2)
    x = torch.tensor([[0, 0, END]]).repeat(4000, 1)
    out = cool_tokens(
        table, x, mask=MASK, allowed=ALLOWED, temperature=temperature, steps=12, seed=3
    )
    counts = torch.bincount(out[:, 0] * WORDS + out[:, 1], minlength=9)
    law = (table.log_p.flatten() / temperature).softmax(0)
    error = (counts / len(x) - law) / (law * (1 - law) / len(x)).sqrt()
    assert error.abs().max() < 4.5


def test_a_small_temperature_is_nearly_none() -> None:
    table, x = Table(3), sentences(3)
    request: dict[str, Any] = {"mask": MASK, "allowed": ALLOWED, "threshold": 0.3, "steps": 4}
    cold = cool_tokens(table, x, **request)
    assert torch.equal(cool_tokens(table, x, **request, temperature=1e-4), cold)


def test_a_sentence_does_not_depend_on_its_neighbours() -> None:
    table, x = Table(3), sentences(3)
    request: dict[str, Any] = {"mask": MASK, "allowed": ALLOWED, "temperature": 0.9, "steps": 3}
    whole = cool_tokens(table, x, **request, seed=4)
    chosen = [20, 3, 11]
    part = cool_tokens(table, x[chosen], **request, seed=4, ids=chosen)
    assert torch.equal(part, whole[chosen])
    assert not torch.equal(cool_tokens(table, x, **request, seed=5), whole)


def test_other_tokens_stay_and_the_input_is_left_alone() -> None:
    table, x = Table(2), torch.tensor([[0, 1, END], [2, 2, END]])
    before = x.clone()
    only = torch.tensor([True, True, False, False, False])
    out = cool_tokens(table, x, mask=MASK, allowed=only, steps=5)
    assert torch.equal(out[1], x[1])
    assert torch.equal(x, before)


def test_it_runs_on_another_device() -> None:
    def cooled(steps: int, to: To) -> Tensor:
        table = to(torch.randn(5, 5, generator=gen()))
        x = to(sentences(3))
        return cool_tokens(
            lambda y: table[y.roll(1, 1)] + table[y.roll(-1, 1)],
            x, mask=MASK, allowed=ALLOWED, temperature=0.5, steps=steps,
        )  # fmt: skip

    # A look at each sweep's logits is the one wait for three words.
    assert_stays_there(Run(cooled, lengths=(2, 12), waits=1.0, uploads=0.0))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"temperature": 1.0}, "temperature < 1"),
        ({"temperature": float("nan")}, "temperature < 1"),
        ({"threshold": -1.0}, "threshold of 0 or larger"),
        ({"threshold": float("inf")}, "finite threshold"),
        ({"steps": 0}, "at least one sweep"),
        ({"allowed": ~ALLOWED & ALLOWED}, "no token is allowed"),
        ({"allowed": ALLOWED[:-1]}, "for the whole vocabulary"),
        ({"masked_logits": lambda x: x}, r"give \(B, n, V\)"),
        ({"ids": [1]}, "1 ids for 9 samples"),
        ({"x": torch.zeros(0, 3, dtype=torch.int64)}, "at least one sentence"),
        ({"x": torch.zeros(2, 3)}, "give int64"),
        ({"masked_logits": lambda x: torch.full((*x.shape, 5), torch.nan)}, "NaN or infinite"),
    ],
)
def test_bad_requests_get_one_sentence(changed: dict[str, Any], message: str) -> None:
    request = {"masked_logits": Table(2), "x": sentences(2), "mask": MASK, "allowed": ALLOWED}
    with pytest.raises(ValueError, match=message) as caught:
        cool_tokens(**{**request, **changed})
    assert "\n" not in str(caught.value)


# A text


SENTENCES = ["the cat sees the dog", "the dog", "", "a cat", "ö dog"]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    text = ["the cat sees a dog", "a dog sees the cat"] * 3
    return Vocabulary.train({"en": text, "fr": [line.upper() for line in text]}, 320)


@pytest.fixture(scope="module")
def model(vocabulary: Vocabulary) -> XLM:
    with seeded(1):
        return XLM(XLMConfig(len(vocabulary), ("en", "fr"), dim=16, heads=2, layers=1, dropout=0.5))


def test_a_text_is_cooled_line_by_line(model: XLM, vocabulary: Vocabulary) -> None:
    request: dict[str, Any] = {"temperature": 0.9, "steps": 2, "seed": 3}
    whole = cool_words(model, vocabulary, SENTENCES, "en", **request)
    assert model.training
    assert whole[0] != SENTENCES[0]
    assert whole[2] == ""
    assert whole[4].startswith("ö")  # spelled in bytes, as no text the vocabulary saw has it
    for order in ([3], [4, 1, 0]):
        some = [SENTENCES[i] for i in order]
        part = cool_words(model, vocabulary, some, "en", **request, ids=order, batch=1)
        assert part == [whole[i] for i in order]
    assert not any(letter.isupper() for line in whole for letter in line)  # no French
    assert cool_words(model, vocabulary, SENTENCES, "en", threshold=99.0) == SENTENCES


def test_the_model_sees_what_the_vocabulary_hides(model: XLM, vocabulary: Vocabulary) -> None:
    seen: list[Tensor] = []

    def watch(x: Tensor, language: str, of: Any = model.masked_logits) -> Tensor:
        seen.append(x)
        assert language == "en"
        return of(x, language)

    model.masked_logits = watch  # type: ignore[method-assign]
    try:
        cool_words(model, vocabulary, ["the dog"], "en", threshold=99.0)
    finally:
        del model.masked_logits
    (tokens,) = vocabulary.encode(["the dog"])
    assert [(x == HIDDEN).sum().item() for x in seen] == [1] * (len(tokens) - 1)


def test_a_text_of_another_language_is_refused(model: XLM, vocabulary: Vocabulary) -> None:
    with pytest.raises(ValueError, match="unknown language"):
        cool_words(model, vocabulary, SENTENCES, "it")
    with pytest.raises(ValueError, match="at least one of each"):
        cool_words(model, vocabulary, [], "en")
