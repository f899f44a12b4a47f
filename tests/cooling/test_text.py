"""Cooling of sentences: a toy translator whose encoder and decoder are known, and one of ours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from elsewhere import To, assert_same_bits, here, pretend, there
from torch import Generator, Tensor

from domain_translation.cooling import cool, fringe_mask
from domain_translation.cooling.text import (
    by_length,
    cool_text,
    langevin,
    move_text,
    score_rms,
    text_points,
)
from domain_translation.cooling.text_fringe import fringe_measures, nll, rarity, word_counts
from domain_translation.cooling.text_moves import disturbance, in_turn, random_move
from domain_translation.denoising.sequences import (
    SequenceDenoiser,
    SequenceScore,
    mean_filter,
    sequence_score,
)
from domain_translation.language.translator import Points, TextTranslator
from domain_translation.language.vocabulary import BOS, EOS, Vocabulary
from domain_translation.language.xlm import XLM, XLMConfig
from domain_translation.runtime import seeded
from domain_translation.sampling.langevin import DivergenceError

SENTENCES = ["the cat", "a dog eats", "the", "", "a cat sees the dog", "dog eats", "the dog"]
WORDS = sorted({word for sentence in SENTENCES for word in sentence.split()})
SETTING: dict[str, Any] = {"step_size": 0.05, "temperature": 0.9, "steps": 8}


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


class Toy:
    """Words are far apart; the code is three times the embedding; a code reads as nearest words."""

    def __init__(self, dim: int = 16) -> None:
        self.table = torch.randn(len(WORDS), dim, generator=gen())
        self.decoded = 0

    def embed(self, sentences: Sequence[str]) -> list[Points]:
        rows: dict[int, list[int]] = {}
        for i, sentence in enumerate(sentences):
            rows.setdefault(len(sentence.split()), []).append(i)
        assert 0 not in rows, "blank lines are not for translators"
        return [
            Points(torch.stack([self.vectors(sentences[i]) for i in which]), which)
            for _, which in sorted(rows.items())
        ]

    def vectors(self, sentence: str) -> Tensor:
        return torch.stack([self.table[WORDS.index(word)] for word in sentence.split()])

    def code(self, points: Points) -> Points:
        return points._replace(x=3 * points.x)

    def decode(self, codes: Sequence[Points]) -> list[str]:
        lines = {}
        for group in codes:
            for row, x in zip(group.rows, group.x / 3, strict=True):
                lines[row] = " ".join(
                    WORDS[k].upper() for k in torch.cdist(x, self.table).argmin(1)
                )
        assert sorted(lines) == list(range(len(lines)))
        self.decoded += len(lines)
        return [lines[row] for row in range(len(lines))]

    def translate(self, sentences: Sequence[str]) -> list[str]:
        return self.decode([self.code(group) for group in self.embed(sentences)])


def shrink(x: Tensor) -> Tensor:
    return -x


def strong(x: Tensor) -> Tensor:
    """A score under which the toy's codes become other words."""
    return 4 * (x.roll(1, -1) - x)


TOY = Toy()


# One sentence, whatever its company


def test_alone_or_together_in_any_order_a_sentence_is_cooled_alike() -> None:
    whole = cool_text(TOY, strong, SENTENCES, **SETTING, seed=3)
    assert whole.changed.any()
    assert not whole.changed.all()
    for order in ([i] for i in range(len(SENTENCES))):
        compare(whole, order)
    compare(whole, [6, 2, 4, 3, 0, 5, 1])
    compare(whole, [4, 0, 1])


def compare(whole: Any, order: list[int]) -> None:
    sentences = [SENTENCES[i] for i in order]
    part = cool_text(TOY, strong, sentences, **SETTING, seed=3, ids=order, batch=2)
    assert part.plain == [whole.plain[i] for i in order]
    assert part.cooled == [whole.cooled[i] for i in order]
    for column in ("score_rms", "moved"):
        torch.testing.assert_close(getattr(part, column), getattr(whole, column)[order])


def test_a_sentence_of_a_text_ends_where_its_own_chain_ends() -> None:
    """Padded to its neighbours' length, it would see other noise from the second step on."""
    ends: dict[int, Tensor] = {}

    def listening(x: Tensor, ids: Sequence[int]) -> Tensor:
        moved = langevin(shrink, **SETTING, seed=5)(x, ids)
        ends.update(zip(ids, moved, strict=True))
        return moved

    move_text(TOY, listening, SENTENCES)
    for i, sentence in enumerate(SENTENCES):
        if sentence:
            x = 3 * TOY.vectors(sentence)[None]
            alone = cool(shrink, x, **SETTING, seed=5, ids=[i]).x[0]
            torch.testing.assert_close(ends[i], alone)
    assert set(ends) == {i for i, sentence in enumerate(SENTENCES) if sentence}


def test_equal_sentences_have_noise_of_their_own() -> None:
    result = cool_text(TOY, shrink, ["the cat"] * 4, **SETTING)
    assert len(result.moved.unique()) == 4


# What is measured


@pytest.mark.parametrize(("space", "scale"), [("feature", 3.0), ("input", 1.0)])
def test_the_columns_of_a_text_that_shrinks(space: str, scale: float) -> None:
    result = cool_text(TOY, shrink, SENTENCES, space=space, step_size=0.2, temperature=0.0, steps=3)
    assert result.plain == [sentence.upper() for sentence in SENTENCES]
    for i, sentence in enumerate(SENTENCES):
        moved, rms = (
            (1 - 0.8**3, TOY.vectors(sentence).square().mean().sqrt()) if sentence else 2 * (0,)
        )
        assert result.moved[i].item() == pytest.approx(moved, abs=1e-5)
        assert result.score_rms[i].item() == pytest.approx(scale * float(rms), rel=1e-5)
    assert result.changed.tolist() == [
        a != b for a, b in zip(result.plain, result.cooled, strict=True)
    ]
    table = result.table()
    assert list(table) == ["plain", "cooled", "score_rms", "moved", "changed"]
    assert len(table) == len(SENTENCES)


def test_what_is_translated_is_what_was_cooled() -> None:
    """One step of length 1 to the code of another word, in either space."""
    goal = TOY.table[WORDS.index("sees")]
    for space, scale in (("feature", 3), ("input", 1)):
        result = cool_text(
            TOY, lambda x, s=scale: s * goal - x, SENTENCES, space=space, step_size=1.0,
            temperature=0.0, steps=1,
        )  # fmt: skip
        assert result.cooled == [" ".join(["SEES"] * len(s.split())) for s in SENTENCES]


def test_only_the_fringe_is_cooled() -> None:
    whole = cool_text(TOY, strong, SENTENCES, **SETTING)
    norms = score_rms(strong, text_points(TOY, SENTENCES), len(SENTENCES))
    threshold = norms.median().item()
    for how in ({"share": 0.3}, {"threshold": threshold}):
        fringe = fringe_mask(norms, **how)
        part = cool_text(TOY, strong, SENTENCES, **SETTING, **how)
        torch.testing.assert_close(part.moved, torch.where(fringe, whole.moved, 0.0))
        for i, cooled in enumerate(fringe.tolist()):
            assert part.cooled[i] == (whole.cooled if cooled else whole.plain)[i]


def test_known_translations_are_not_made_again() -> None:
    toy = Toy()
    whole = cool_text(toy, strong, SENTENCES, **SETTING)
    toy.decoded = 0
    again = cool_text(toy, strong, SENTENCES, **SETTING, plain=whole.plain)
    assert toy.decoded == 6
    assert (again.plain, again.cooled) == (whole.plain, whole.cooled)
    assert torch.equal(again.changed, whole.changed)


def test_a_text_of_blank_lines_stays_one() -> None:
    result = cool_text(TOY, shrink, ["", "  "], **SETTING)
    assert result.plain == result.cooled == ["", ""]
    assert result.score_rms.tolist() == result.moved.tolist() == [0.0, 0.0]


def test_points_by_length_hold_every_sentence() -> None:
    found = by_length(text_points(TOY, SENTENCES, "input", batch=2))
    assert {n: len(x) for n, x in found.items()} == {1: 1, 2: 3, 3: 1, 5: 1}
    torch.testing.assert_close(found[5][0], TOY.vectors(SENTENCES[4]))


# Controls


def posterior_mean(x: Tensor, sigma: float) -> Tensor:
    """The exact denoiser of the toy's codes, if the text's sentences are all there are."""
    known = by_length(text_points(TOY, SENTENCES))[x.shape[1]].flatten(1)
    weight = (-torch.cdist(x.flatten(1), known).square() / (2 * sigma**2)).softmax(-1)
    return (weight @ known).view_as(x)


def test_cooling_undoes_the_noise_of_its_denoiser() -> None:
    """The positive control: with the exact denoiser, cooling repairs what its noise broke."""
    sigma = 6.0
    text = [sentence for sentence in SENTENCES if sentence] * 12
    noise = disturbance(sigma, seed=1)
    score = SequenceScore(lambda x: posterior_mean(x, sigma), sigma, "feature")
    cooling = langevin(score, step_size=0.25 * sigma**2, temperature=0.0, steps=12)

    def wrong(*moves: Any) -> int:
        lines = zip(move_text(TOY, in_turn(*moves), text).cooled, text, strict=True)
        pairs = [zip(line.split(), s.upper().split(), strict=True) for line, s in lines]
        return sum(a != b for pair in pairs for a, b in pair)

    assert wrong(cooling) == 0
    assert wrong(noise) > 20
    assert wrong(noise, cooling) < 0.5 * wrong(noise)
    assert wrong(noise, random_move(cooling, seed=2)) > 0.8 * wrong(noise)


def test_a_random_move_goes_as_far_with_every_token() -> None:
    like = langevin(shrink, **SETTING)
    x = torch.randn(3, 4, 50, generator=gen())
    moved, far = (move(x, [5, 0, 9]) - x for move in (random_move(like, seed=1), like))
    torch.testing.assert_close(moved.norm(dim=2), far.norm(dim=2))
    assert torch.cosine_similarity(moved, far, dim=2).abs().max() < 0.6
    assert torch.cosine_similarity(moved[:1], moved[1:], dim=2).abs().max() < 0.6
    alone = random_move(like, seed=1)(x[2:], [9]) - x[2:]
    torch.testing.assert_close(alone, moved[2:])


def test_a_disturbance_has_its_size_and_belongs_to_the_sentence() -> None:
    x = torch.zeros(40, 5, 50)
    noise = disturbance(0.7, seed=2)(x, range(40))
    assert noise.std().item() == pytest.approx(0.7, rel=0.03)
    torch.testing.assert_close(disturbance(0.7, seed=2)(x[:1], [7]), noise[7:8])
    with pytest.raises(ValueError, match="0 or larger"):
        disturbance(math.nan)


def test_the_mean_score_points_to_the_mean_token() -> None:
    points = by_length(text_points(TOY, SENTENCES))
    tokens = torch.cat([3 * TOY.vectors(sentence) for sentence in SENTENCES if sentence])
    x = points[3]
    score = SequenceScore(mean_filter(points), 0.5, "feature")
    torch.testing.assert_close(score(x), (tokens.mean(0) - x) / 0.25)


def test_a_text_is_cooled_on_another_device() -> None:
    class Elsewhere(Toy):
        def __init__(self, to: To) -> None:
            super().__init__()
            self.table = to(self.table)

    def cooled(to: To) -> Any:
        toy = Elsewhere(to)
        move = in_turn(disturbance(0.1), random_move(langevin(strong, **SETTING)))
        result = cool_text(toy, strong, SENTENCES, **SETTING)
        return (*result, *move_text(toy, move, SENTENCES)[:2])

    with pretend.accelerator(float64=False):
        found = cooled(there)
    assert_same_bits(found, cooled(here))


# Bad requests


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sentences": []}, "at least one sentence"),
        ({"sentences": "the cat"}, "give a list"),
        ({"space": "output"}, "choose one of feature, input"),
        ({"temperature": 1.0}, "temperature < 1"),
        ({"step_size": 0.0}, "step"),
        ({"ids": [1, 2]}, "2 ids for 7 samples"),
        ({"plain": ["X"]}, "1 translations for 7 sentences"),
        ({"batch": 0}, "batches of at least one"),
        ({"share": 0.5, "threshold": 1.0}, "either threshold"),
        (
            {"score": sequence_score(SequenceDenoiser(16, 1.0, "input"))},
            "score is one of the input",
        ),
        (
            {"score": sequence_score(SequenceDenoiser(8, 1.0))},
            "trained on this translator's points",
        ),
    ],
)
def test_bad_requests_get_one_sentence(changed: dict[str, Any], message: str) -> None:
    request = {"score": shrink, "sentences": SENTENCES, **SETTING, **changed}
    with pytest.raises(ValueError, match=message) as caught:
        cool_text(TOY, **request)
    assert "\n" not in str(caught.value)


def test_a_diverging_sentence_is_named_by_its_place() -> None:
    def explosive(x: Tensor) -> Tensor:
        return torch.full_like(x, torch.inf) if x.shape[1] == 5 else -x

    with pytest.raises(DivergenceError, match="chain 4 ") as caught:
        cool_text(TOY, explosive, SENTENCES, **SETTING)
    assert caught.value.chains == [4]


# A translator of ours, and what says that a sentence is hard


@pytest.fixture(scope="module")
def ours() -> TextTranslator:
    upper = [sentence.upper() for sentence in SENTENCES]
    vocabulary = Vocabulary.train({"en": SENTENCES, "fr": upper}, 320)
    with seeded(4):
        model = XLM(XLMConfig(len(vocabulary), ("en", "fr"), dim=16, heads=2, layers=1))
        for p in model.parameters():
            torch.nn.init.normal_(p, std=0.4)
    return TextTranslator(model, vocabulary, "en", "fr")


@pytest.mark.parametrize("space", ["feature", "input"])
def test_a_translator_of_ours_is_cooled(ours: TextTranslator, space: str) -> None:
    still = move_text(ours, lambda x, _: x, SENTENCES, space=space)
    assert still.plain == still.cooled == ours.translate(SENTENCES)
    assert not still.moved.any()
    denoiser = SequenceDenoiser(16, 1.0, space)
    torch.nn.init.normal_(denoiser.step.weight, generator=gen())
    result = cool_text(ours, sequence_score(denoiser), SENTENCES, space=space, **SETTING)
    assert result.plain == still.plain
    assert (result.moved > 0).tolist() == [bool(sentence) for sentence in SENTENCES]


def test_the_likelihood_is_that_of_the_greedy_search(ours: TextTranslator) -> None:
    """Written again token by token, without a cache."""
    (codes,) = text_points(ours, ["the dog"])
    prefix, total, n = [BOS], 0.0, codes.x.shape[1]
    most = 10 + n + n // 2  # an end that is forced counts with its probability
    while prefix[-1] != EOS:
        with torch.no_grad():
            logits = ours.model.decode(codes.x, None, torch.tensor([prefix]), "fr")[0, -1]
        log_p = logits.masked_fill(~ours.allowed, -math.inf).log_softmax(0)
        prefix.append(int(log_p.argmax()) if len(prefix) < most else EOS)
        total -= float(log_p[prefix[-1]])
    assert nll(ours, codes).item() == pytest.approx(total / (len(prefix) - 1), rel=1e-4)


def test_the_measures_of_the_fringe_stand_in_the_order_of_the_text(ours: TextTranslator) -> None:
    counts = word_counts(["The dog, the cat.", "l'homme et la dog"])
    assert counts == {"the": 2, "dog": 2, "cat": 1, "l'homme": 1, "et": 1, "la": 1}
    assert rarity("the unseen", counts) == pytest.approx((math.log(9 / 3) + math.log(9)) / 2)
    table = fringe_measures(ours, shrink, SENTENCES, counts, space="input")
    assert list(table) == ["score_rms", "nll", "rarity", "tokens"]
    assert table.isna().any(axis=1).tolist() == [not sentence for sentence in SENTENCES]
    groups = text_points(ours, SENTENCES, "input")
    norms = score_rms(shrink, groups, len(SENTENCES)).numpy()
    for group in groups:
        assert (table["tokens"][group.rows] == group.x.shape[1]).all()
    full = [i for i, sentence in enumerate(SENTENCES) if sentence]
    np.testing.assert_allclose(table["score_rms"][full], norms[full], rtol=1e-6)
    (alone,) = text_points(ours, [SENTENCES[4]])
    assert table["nll"][4] == pytest.approx(nll(ours, alone).item(), rel=1e-4)
    assert table["rarity"][2] == pytest.approx(math.log(9 / 3))
    with pytest.raises(ValueError, match="counts are empty"):
        rarity("the", {})
    with pytest.raises(ValueError, match="a Toy does not say"):
        fringe_measures(TOY, shrink, SENTENCES, counts)
