"""BLEU, chrF and the paired interval against sacreBLEU; the matrix of words; bad inputs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from domain_translation.evaluation import text

WORDS = [*"abcdefgh", "Hund", "l'eau,", "3.5", "(x)", "a-b", "été", "&amp;", "", "  ", "»Ja!«", "."]


def corpus(seed: int, sentences: int, longest: int = 9) -> list[str]:
    """Random sentences, some empty, with what a tokeniser has to decide about."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(longest))) for _ in range(sentences)]


def systems(seed: int, sentences: int = 60) -> tuple[list[str], list[str], list[str]]:
    """References and two systems that repeat most of their words."""
    rng = np.random.default_rng(seed)
    references = [
        " ".join(rng.choice(WORDS[:13], size=rng.integers(4, 12))) for _ in range(sentences)
    ]
    spoiled = [
        [" ".join(w if rng.random() > rate else "z" for w in r.split()) for r in references]
        for rate in (0.3, 0.2)
    ]
    return spoiled[0], spoiled[1], references


@pytest.mark.filterwarnings("ignore:.*tokenised text does")
@pytest.mark.parametrize("longest", [2, 4, 9, 30])
def test_bleu_is_sacrebleus(longest: int) -> None:
    """Of corpora whose sentences are empty, shorter than an n-gram, or match nothing."""
    for seed in range(30):
        hypotheses = corpus(seed, 1 + seed, longest)
        references = [r.strip() or "a b" for r in corpus(100 + seed, 1 + seed, longest)]
        metric = BLEU(force=True)
        expected = metric.corpus_score(hypotheses, [references])
        found = text.bleu(hypotheses, references)
        assert found.value == pytest.approx(expected.score, abs=1e-9)
        assert found.signature == str(metric.get_signature())
        summed = text.bleu_statistics(hypotheses, references).sum(0)
        lengths = [expected.sys_len, expected.ref_len]
        np.testing.assert_array_equal(summed, [*lengths, *expected.counts, *expected.totals])


def test_bleu_by_hand() -> None:
    """Four of five words, three of four pairs, ...: the fourth root of their product."""
    score = text.bleu(["the cat sat on mats"], ["the cat sat on it"])
    assert score.value == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
    assert "tok:13a" in score.signature
    assert "case:mixed" in score.signature
    short = text.bleu(["the cat sat on"], ["the cat sat on it today"])
    assert short.value == pytest.approx(100 * np.exp(1 - 6 / 4))
    assert text.bleu(["a b c d"], ["a b c d"]).value == pytest.approx(100)
    assert text.bleu([""], ["a b c d"]).value == 0
    assert text.bleu(["a b c"], ["a b c"]).value == 0  # no n-gram of four words


@pytest.mark.filterwarnings("ignore:.*tokenised text does")
@pytest.mark.parametrize("longest", [2, 9])
def test_chrf_is_sacrebleus(longest: int) -> None:
    for seed in range(30):
        hypotheses = corpus(seed, 1 + seed, longest)
        references = [r.strip() or "a" for r in corpus(100 + seed, 1 + seed, longest)]
        metric = CHRF()
        expected = metric.corpus_score(hypotheses, [references])
        found = text.chrf(hypotheses, references)
        assert found.value == pytest.approx(expected.score, abs=1e-9)
        assert found.signature == str(metric.get_signature())
        each = [
            metric.sentence_score(h, [r]).score for h, r in zip(hypotheses, references, strict=True)
        ]
        np.testing.assert_allclose(text.sentence_chrf(hypotheses, references), each, atol=1e-9)
    assert text.sentence_chrf(["un été"], ["un été"]) == pytest.approx(100)


@pytest.mark.parametrize(
    ("metric", "paired", "statistics", "score"),
    [
        (BLEU(), text.paired_bleu, text.bleu_statistics, text.bleu_from_statistics),
        (CHRF(), text.paired_chrf, text.chrf_statistics, text.chrf_from_statistics),
    ],
    ids=["BLEU", "chrF"],
)
def test_the_bootstrap_is_that_of_sacrebleu(
    metric: BLEU | CHRF,
    paired: Callable[..., text.Paired],
    statistics: Callable[..., text.Floats],
    score: Callable[..., text.Floats],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Same draws, same differences: its p value follows from ours, digit for digit."""
    plain, cooled, references = systems(1)
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    pair = [("plain", plain), ("cooled", cooled)]
    signatures, scores = PairedTest(pair, {"": metric}, [references], "bs", 200)()
    (name,) = signatures
    found = paired(plain, cooled, references, resamples=200, seed=7)
    counts = (statistics(h, references) for h in (plain, cooled))
    drawn = text.bootstrap_differences(*counts, resamples=200, seed=7, score=score)
    before, after = scores[name]
    assert found.cooled == pytest.approx(after.score, abs=1e-9)
    assert found.plain == pytest.approx(before.score, abs=1e-9)
    above = np.abs(drawn) - np.abs(drawn).mean() > abs(found.difference)
    assert after.p_value == (1 + above.sum()) / 201
    assert set(found.signature.split("|")) == set(str(signatures[name]).split("|"))


def test_the_interval_holds_the_difference() -> None:
    plain, cooled, references = systems(2, 200)
    found = text.paired_bleu(plain, cooled, references, resamples=300)
    assert found.low < found.difference < found.high
    assert found.difference == pytest.approx(found.cooled - found.plain)
    assert found.low > 0  # a tenth of the words more
    assert found.p < 0.05
    back = text.paired_bleu(cooled, plain, references, resamples=300)
    assert back.difference == pytest.approx(-found.difference)
    assert (back.low, back.high, back.p) == pytest.approx((-found.high, -found.low, found.p))


def test_what_is_equal_is_not_different() -> None:
    plain, _, references = systems(3)
    found = text.paired_bleu(plain, plain, references, resamples=50)
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_p_values_of_equal_systems_are_even() -> None:
    """Two systems that spoil as many words: about one p value in five is below 0.2."""
    rng = np.random.default_rng(0)
    below = 0
    for seed in range(60):
        _, _, references = systems(seed, 40)
        h, g = (
            [" ".join(w if rng.random() > 0.3 else "z" for w in r.split()) for r in references]
            for _ in range(2)
        )
        below += text.paired_bleu(h, g, references, resamples=100, seed=seed).p < 0.2
    assert 3 <= below <= 24  # twelve, with four standard errors


def test_the_matrix_of_words() -> None:
    """A translator that exchanges two words, alone and within sentences."""
    permuted = {"cat": "Hund", "dog": "Katze", "bird": "Vogel"}

    def translate(sentences: list[str]) -> list[str]:
        for english, german in permuted.items():
            sentences = [s.replace(english, german) for s in sentences]
        return sentences

    words = {"Cat": "Katze", "dog": "Hund", "bird": "Vogel", "cow": "Kuh"}
    np.testing.assert_array_equal(
        text.translation_matrix(translate, {k.lower(): v for k, v in words.items()}),
        [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]],
    )
    sentences = ["the cat, the cat!", "a bird and a cat", "catbird"]
    np.testing.assert_array_equal(
        text.translation_matrix(translate, words, sentences),
        [[0, 1, 0.5, 0], [np.nan] * 4, [0, 1, 1, 0], [np.nan] * 4],
    )


@pytest.mark.parametrize(
    ("hypotheses", "references", "message"),
    [
        ([], [], "there are no hypotheses"),
        (["a"], ["a", "b"], "1 hypotheses and 2 references; give one reference for each"),
        (["a", "b"], [["a", "b"]], r"references\[0\] is a list and not a string"),
        (["a", "b"], [["a"], ["b"]], "in one flat list"),
        (["a", None], ["a", "b"], r"hypotheses\[1\] is a NoneType"),
        ("a", ["a"], "hypotheses is one string"),
        (["a"], "a", "references is one string"),
        (["a", "b", "c"], ["a", " ", ""], r"references\[1\] is empty, as 2 of 3 are"),
    ],
)
def test_bad_inputs_are_answered_with_a_sentence(
    hypotheses: list[str], references: list[str], message: str
) -> None:
    for score in (text.bleu, text.chrf, text.sentence_chrf, text.bleu_statistics):
        with pytest.raises(ValueError, match=message) as caught:
            score(hypotheses, references)
        assert "\n" not in str(caught.value)


def test_tokenised_text_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.warns(UserWarning, match=r"2 of 3 hypotheses end in ' \.', as tokenised text does"):
        text.bleu(["a b .", "c d .", "e f"], ["a b.", "c d.", "e f"])
    with pytest.warns(UserWarning, match=r"1 of 1 references end in ' \.'"):
        text.chrf(["a b."], ["a b ."])
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        text.bleu(["a b ."] + ["c d."] * 200, ["a b."] * 201)
        text.sentence_chrf(["a b ?", "Wer ?"], ["a b ?", "Wer?"])
    assert not caplog.records


def test_wrong_requests_of_the_bootstrap_and_the_matrix() -> None:
    statistics = text.bleu_statistics(["a"], ["a"])
    with pytest.raises(ValueError, match="resamples is 0"):
        text.bootstrap_differences(statistics, statistics, resamples=0)
    with pytest.raises(ValueError, match="of the same sentences"):
        text.bootstrap_differences(statistics, np.zeros((2, 10)))
    with pytest.raises(ValueError, match="there are no words"):
        text.translation_matrix(lambda s: s, {})
    with pytest.raises(ValueError, match="1 sentences gave 0 translations"):
        text.translation_matrix(lambda s: [], {"a": "b"})
