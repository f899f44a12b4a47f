"""Estimates, criteria and verdicts: closed forms, the law of small numbers, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from domain_translation.notebook.criteria import (
    CANNOT_TELL,
    FAILS,
    HOLDS,
    any_of,
    at_least,
    at_most,
    exact,
    greater,
    identity,
    judge,
    within,
)
from domain_translation.notebook.evidence import (
    Estimate,
    bootstrap,
    mean,
    paired,
    share,
    shared_error,
)


def of(value: float, error: float = 1.0, seeds: int = 5) -> Estimate:
    return Estimate(value, error, 5, seeds, 4)


def word(*criteria, **more) -> str:
    named = {f"part {i}": c for i, c in enumerate(criteria)}
    return judge(named, **more).word


# --- estimates ---------------------------------------------------------------------------


def test_interval_of_a_mean_is_students():
    v = [1.0, 2.0, 4.0]
    low, high = mean(v).interval()
    expected = stats.t.interval(0.95, 2, np.mean(v), stats.sem(v))
    assert (low, high) == pytest.approx(expected)


def test_interval_of_a_share_is_wilsons():
    e = share(2, 8, seeds=0)
    expected = stats.binomtest(2, 8).proportion_ci(method="wilson")
    assert e.interval() == pytest.approx(tuple(expected))
    assert share(0, 11, seeds=0).interval()[0] == pytest.approx(0, abs=1e-12)


def test_pairing_removes_what_the_seeds_share():
    a, b = [10.1, 20.2, 30.1], [10.0, 20.0, 30.0]
    assert at_least(paired(a, b, seeds=3), 0.01).judge(0.05) == CANNOT_TELL
    apart = mean(a).minus(mean(b))
    assert paired(a, b, seeds=3).error < apart.error / 50


def test_difference_of_two_shares_is_newcombes():
    # Newcombe (1998), method 10, example (a): 56/70 - 48/80.
    d = share(56, 70, seeds=0).minus(share(48, 80, seeds=0))
    assert d.interval() == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_difference_of_normals_adds_variances():
    a, b = Estimate(1.0, 3.0, 99, 0), Estimate(0.0, 4.0, 99, 0)
    assert a.minus(b).interval() == pytest.approx((1 - 5 * 1.959964, 1 + 5 * 1.959964))


def test_bootstrap_agrees_with_the_normal_interval_of_a_mean():
    u = np.random.default_rng(1).standard_normal(400)
    low, high = bootstrap(u, np.mean, seeds=0).interval()
    half = 1.96 * u.std() / 20
    assert low == pytest.approx(u.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(u.mean() + half, abs=0.1 * half)
    assert bootstrap(u, np.mean, seeds=0).interval(1e-6) == (-np.inf, np.inf)


def test_what_all_seeds_share_does_not_average_out():
    alone, e = mean([0.3, 0.4, 0.35]), mean([0.3, 0.4, 0.35], shared=0.08)
    assert e.error == pytest.approx(np.hypot(alone.error, 0.08))
    halves = [stats.t.ppf(0.975, 2) * alone.error, stats.norm.ppf(0.975) * 0.08]
    assert e.interval()[1] - e.value == pytest.approx(np.hypot(*halves))
    equal = mean([1 / 3] * 3, shared=shared_error(1 / 3, 36))
    assert equal.interval() == pytest.approx((0.19, 0.48), abs=0.01)


def test_smallest_effect_is_decided_by_about_four_runs_in_five():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 10))
    effect = (stats.t.ppf(0.975, 9) + stats.t.ppf(0.8, 9)) / np.sqrt(10)
    decided = [at_least(mean(v + effect), 0).judge(0.05) == HOLDS for v in x]
    assert np.mean(decided) == pytest.approx(0.8, abs=0.05)
    e = Estimate(0.0, 1 / np.sqrt(10), 10, 10, 9)
    assert e.smallest_effect() == pytest.approx(effect)


# --- criteria ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "said"), [(9.0, HOLDS), (1.0, CANNOT_TELL), (0.0, CANNOT_TELL), (-9.0, FAILS)]
)
def test_only_an_interval_that_excludes_the_threshold_decides(value, said):
    assert at_least(of(value), 0).judge(0.05) == said
    assert at_most(of(-value), 0).judge(0.05) == said
    assert greater(of(value), of(0, 0.01)).judge(0.05) == said


def test_equivalence_needs_the_whole_interval():
    assert within(of(0, 0.1), -1, 1).judge(0.05) == HOLDS
    assert within(of(0, 1), -1, 1).judge(0.05) == CANNOT_TELL
    assert within(of(9, 1), -1, 1).judge(0.05) == FAILS


def test_one_or_two_trainings_decide_nothing():
    for seeds, said in ((1, CANNOT_TELL), (2, CANNOT_TELL), (3, HOLDS)):
        sure = Estimate(0.9, 1e-6, 10_000, seeds=seeds)
        assert at_least(sure, 0.5).judge(0.05) == said
    sure = Estimate(0.9, 1e-6, 10_000, seeds=2)
    assert greater(sure, Estimate(0.1, 1e-6, 10_000, 5)).judge(0.05) == CANNOT_TELL
    assert at_least(Estimate(0.9, 1e-6, 10_000, seeds=0), 0.5).judge(0.05) == HOLDS


def test_any_of_several_is_corrected_and_refuted_by_all():
    barely = of(2.9)  # p = 0.044: decides alone, not as the best of four
    assert at_least(barely, 0).judge(0.05) == HOLDS
    assert any_of(*[at_least(barely, 0)] * 4).judge(0.05) == CANNOT_TELL
    assert any_of(at_least(of(9), 0), at_least(of(-9), 0)).judge(0.05) == HOLDS
    assert any_of(at_least(of(-9), 0), at_least(of(-3), 0)).judge(0.05) == FAILS
    assert any_of(at_least(of(-9), 0), at_least(of(1), 0)).judge(0.05) == CANNOT_TELL


def test_an_identity_has_a_zone_of_rounding():
    assert [identity(g, 1e-12).judge(0.05) for g in (0, 1e-10, 1e-3)] == [
        HOLDS,
        CANNOT_TELL,
        FAILS,
    ]


def test_only_what_is_far_from_its_threshold_is_clear_enough_for_a_live_run():
    wide, far = Estimate(5.0, 1.0, 20_000, 0), Estimate(8.0, 1.0, 20_000, 0)
    assert at_least(far, 0).clear
    assert not at_least(wide, 0).clear
    assert not at_least(Estimate(0.0, 1.0, 20_000, 0), 0).clear  # undecided is never clear
    assert not at_least(of(9), 0).clear  # nor are five training seeds
    assert exact(True, "proof").clear


# --- verdicts ----------------------------------------------------------------------------


def test_the_words_of_a_run():
    yes, no, maybe = at_least(of(9), 0), at_least(of(-9), 0), at_least(of(1), 0)
    assert word(yes) == "confirmed"
    assert word(yes, reduced=True) == "confirmed at reduced scale"
    assert word(no, reduced=True) == "contradicted"
    assert word(yes, maybe) == "undecided"
    assert word(maybe, no) == "contradicted"


def test_a_precondition_that_does_not_hold_makes_undecided():
    no, maybe = at_least(of(-9), 0), at_least(of(1), 0)
    room = at_least(Estimate(0.0004, 0.001, 120, 0), 0.014)  # ceiling - plain >= claimed gain
    for given in (room, maybe):
        said = judge({"gain": no}, {"the judge has headroom": given})
        assert said.word == "undecided"
        assert said.marks == {"gain": FAILS}
        assert judge({"gain": at_least(of(9), 0)}, {"room": given}).word == "undecided"
    assert judge({"gain": at_least(of(9), 0)}, {"room": at_least(of(9), 0)}).word == "confirmed"


def test_confirming_all_needs_no_correction_and_contradicting_one_of_many_does():
    barely = [at_least(of(2.9), 0)] * 4
    assert word(*barely) == "confirmed"
    slightly = at_least(of(-2.9), 0)
    assert word(slightly) == "contradicted"
    assert word(slightly, *[at_least(of(1), 0)] * 3) == "undecided"


def test_holm_steps_down():
    worst, second = at_least(of(-4.5), 0), at_least(of(-3.2), 0)  # p = 0.011, 0.033
    marks = judge({"a": worst, "b": second, "c": at_least(of(9), 0)}).marks
    assert marks == {"a": FAILS, "b": CANNOT_TELL, "c": HOLDS}
    assert judge({"a": worst, "b": second}).marks["b"] == FAILS


def test_an_undecided_criterion_says_what_the_run_could_have_seen():
    said = judge({"gain": at_least(of(1), 0)}, reduced=True)
    assert said.word == "undecided"
    assert said.smallest["gain"] == pytest.approx(2.776 + 0.941, abs=1e-3)
    assert judge({"gain": at_least(of(9), 0)}).smallest == {}


def test_an_exact_claim_is_confirmed():
    assert judge({"4,592,769 parameters": exact(2 + 2 == 4, "count")}).word == "confirmed"
    assert judge({"4,592,769 parameters": exact(2 + 2 == 5, "count")}).word == "contradicted"


# --- bad input: one sentence each ----------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: at_least(of(1), float("nan")), "threshold"),
        (lambda: at_least(of(1), None), "threshold"),
        (lambda: within(of(1), 2, 1), "threshold"),
        (lambda: any_of(), "any_of"),
        (lambda: exact(True, ""), "how it is known"),
        (lambda: exact(0.3, "count"), "bool"),
        (lambda: identity(-1, 1e-9), "rounding"),
        (lambda: Estimate(1.0, 0.1, 0, 3), "n of at least 1"),
        (lambda: Estimate(1.0, 0.1, None, 3), "n = None"),
        (lambda: Estimate(1.0, 0.1, 3, None), "seeds = None"),
        (lambda: Estimate(float("inf"), 0.1, 3, 3), "finite"),
        (lambda: mean([1.0]), "at least two"),
        (lambda: mean([1.0, float("nan")]), "lost"),
        (lambda: mean([1.0, 1.0, 1.0]), "shared="),
        (lambda: paired([1, 2, 3], [1, 2], seeds=3), "no pairs"),
        (lambda: share(3, 2, seeds=1), "0 <= hits"),
        (lambda: bootstrap([1.0] * 12, np.mean, seeds=1), "30"),
    ],
)
def test_bad_input_is_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


# --- how often verdicts flip -----------------------------------------------------------------


def test_the_law_alone_moves_the_edge_and_a_stored_card_has_none():
    """Two fresh runs disagree half of the time at the critical effect, whatever the level."""
    rng = np.random.default_rng(0)
    effect = 3.63 / np.sqrt(3)  # three seeds: the worst place

    def said() -> str:
        e = mean(rng.standard_normal(3) + effect)
        return at_least(e, 0).judge(0.05)

    flips = np.mean([said() != said() for _ in range(1000)])
    assert flips == pytest.approx(0.5, abs=0.06)
    card = mean([1.1, 2.3, 3.4])
    assert len({at_least(card, 0).judge(0.05) for _ in range(10)}) == 1
