"""Cards: what they hold, the estimates that they give, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from domain_translation.notebook import card_files, cards, evidence
from domain_translation.notebook.cards import Card, CardError, Row
from domain_translation.notebook.criteria import HOLDS, at_least

RNG = np.random.default_rng(0)
A, B = RNG.normal(1.0, 0.1, 6), RNG.normal(0.5, 0.1, 6)


def rows(arm: str, name: str, values: object, networks: int = 6) -> list[Row]:
    """One row a seed, about one of so many networks."""
    return [
        Row(arm, s, name, float(v), (f"net{s % networks}", "judge"[: networks and 5]))
        if networks
        else Row(arm, s, name, float(v))
        for s, v in enumerate(values)  # type: ignore[call-overload]
    ]


@pytest.fixture
def card() -> Card:
    found = [*rows("swish", "gain", A), *rows("relu", "gain", B), *rows("", "count", A, 0)]
    origin = {"code": {"ais.py": "1"}, "data": {}, "seconds": 3.5}
    return Card("part/study", "quick", tuple(found), {("relu", 9): "DivergedError: lost"}, origin)


def test_an_estimate_is_the_mean_over_seeds(card):
    found = card["swish", "gain"]
    assert found.value == pytest.approx(A.mean())
    assert found.interval() == evidence.mean(A).interval()
    assert (found.n, card["count"].seeds) == (6, 0)


def test_a_network_that_all_seeds_share_is_one_training(card):
    """Each value is about its own translator and about one judge."""
    assert card["swish", "gain"].seeds == 1
    own = [Row("", s, "gain", float(v), (f"net{s // 2}",)) for s, v in enumerate(A)]
    assert Card("a", "quick", tuple(own))["gain"].seeds == 3
    rival = [Row("rival", s, "gain", float(v), ("shared",)) for s, v in enumerate(B)]
    assert Card("a", "quick", (*own, *rival)).paired(("", "gain"), ("rival", "gain")).seeds == 1


def test_seeds_that_share_a_training_are_one_unit():
    """Six sets of scenes of three trainings: a training's mean counts, not its scenes."""
    rows = [Row("", s, "gain", float(v), (f"net{s % 3}",)) for s, v in enumerate(A)]
    rows += [Row("", s, "loss", float(v), ("judge",)) for s, v in enumerate(B)]
    card = Card("a", "quick", tuple(rows))
    means = A.reshape(2, 3).mean(0)
    assert card["gain"].interval() == evidence.mean(means).interval()
    assert (card["gain"].n, card["gain"].seeds) == (3, 3)
    gaps = (A - B).reshape(2, 3).mean(0)
    assert card.paired("gain", "loss").interval() == evidence.mean(gaps, seeds=1).interval()
    # Net 2 holds with one of its two sets of scenes only.
    low = np.sort(A.reshape(2, 3)[:, 2]).mean()
    others = A.reshape(2, 3)[:, :2]
    least = card.share("gain", lambda v: v > low or v in others)
    assert (least.value, least.n) == (pytest.approx(2 / 3), 3)


def test_pairs_are_those_of_the_same_seeds(card):
    shorter = Card("a", "quick", tuple(r for r in card.rows if (r.arm, r.seed) != ("relu", 2)))
    found = shorter.paired(("swish", "gain"), ("relu", "gain"))
    left = [0, 1, 3, 4, 5]
    assert found.value == pytest.approx((A[left] - B[left]).mean())
    assert found.n == 5


def test_lost_runs_count_in_a_share(card):
    found = card.share(("relu", "gain"), lambda v: v > 0)
    assert (found.value, found.n) == (pytest.approx(6 / 7), 7)
    assert card.lost_of("relu") == 1
    assert card.lost_of("swish") == 0


def test_a_live_value_is_expected_within_the_pooled_spread(card):
    assert all(card.predicts(("swish", "gain"), v, seed=s) for s, v in enumerate(A))
    assert not card.predicts(("swish", "gain"), 3.0)
    # Leaving the own seed out matters: one value far from all others is not its own witness.
    far = Card("a", "quick", tuple(rows("", "gain", [*[0.0, 0.1, 0.2] * 3, 9.0])))
    assert not far.predicts("gain", 9.0, seed=9)


def test_what_is_written_is_read_again(card, tmp_path):
    path = tmp_path / "folder" / "card.json"
    card_files.write(path, card)
    assert card_files.read(path.read_text(), path.name) == card
    assert '  ["swish", "gain", [0, 1, 2, 3, 4, 5], 0, [' in path.read_text()


def test_a_shared_error_is_written_and_read(tmp_path):
    path = tmp_path / "card.json"
    found = Card("a", "quick", tuple(Row("", s, "gain", s + 0.5, error=0.25) for s in range(3)))
    card_files.write(path, found)
    assert card_files.read(path.read_text(), path.name) == found


def test_the_error_that_all_seeds_share_does_not_average_out():
    def of(error: float) -> Card:
        found = [
            Row(a, s, "gain", float(v), (f"{a}{s}",), error) for a in "ab" for s, v in enumerate(A)
        ]
        return Card("a", "quick", tuple(found))

    assert of(0.0)["a", "gain"].interval() == evidence.mean(A).interval()
    assert of(0.3)["a", "gain"].interval() == evidence.mean(A, shared=0.3).interval()
    assert of(0.3).mean(("a", "gain"), shared=0.4).error == pytest.approx(
        evidence.mean(A, shared=0.5).error
    )
    pair = of(0.3).paired(("a", "gain"), ("b", "gain"))
    assert pair.error == pytest.approx(0.3 * 2**0.5)


def test_equal_values_are_as_sure_as_their_seeds_are_alike():
    found = Card("a", "quick", tuple(Row("", s, "kept", 1.0, (f"n{s}",)) for s in range(10)))
    assert found["kept"].interval() == (1.0, 1.0)
    assert found["kept"].seeds == 10
    assert found.mean("kept", shared=0.1).error == pytest.approx(0.1)


def test_lost_runs_have_a_share_of_their_own(card):
    found = card.share_lost("relu")
    assert (found.value, found.n, found.seeds) == (pytest.approx(1 / 7), 7, 7)
    assert card.share_lost("swish").value == 0
    assert card.arms == ("swish", "relu", "")


def test_estimates_name_the_card_that_they_come_from(card):
    a, b = card["swish", "gain"], card.share(("relu", "gain"), lambda v: v > 0)
    assert (a.card, b.card, a.minus(b).card) == ("part/study",) * 3
    other = Card("part/two", "quick", tuple(rows("", "gain", B)))
    assert a.minus(other["gain"]).card == "part/study, part/two"
    assert a.minus(evidence.mean(B)).card == "part/study"
    made = Card("a", "quick", card.rows, origin={"made": "2026-11-29", "machine": ["one", "two"]})
    assert made["swish", "gain"].origin == "2026-11-29, one, two"
    assert made["swish", "gain"].minus(a).origin == "2026-11-29, one, two"


def test_an_empty_card_knows_nothing_and_stops_nothing():
    empty = Card("part/one", "quick")
    asked = [
        empty["swish", "gain"],
        empty.paired("a", "b"),
        empty.share("a", bool),
        empty.share_lost("a"),
        -empty["gain"],
        empty["gain"].minus(evidence.mean(A)),
    ]
    for found in asked:
        assert found.unmeasured
        assert found.card == "part/one"
        assert found.interval() == (-np.inf, np.inf)
        assert str(found) == "not measured"
    assert empty.values("gain") == {}
    assert empty.lost_of("a") == 0


def test_cards_are_pooled_for_equal_code_data_and_profile(card):
    more = Card("part/study", "quick", (Row("swish", 6, "gain", 1.0),), {}, card.origin)
    assert cards.pooled([card, more]).values(("swish", "gain"))[6] == 1.0
    for other in (
        Card("part/study", "full", more.rows, {}, card.origin),
        Card("part/study", "quick", more.rows, {}, {**card.origin, "code": {"ais.py": "2"}}),
        Card("part/study", "quick", more.rows, {}, {**card.origin, "data": {"a": "2"}}),
    ):
        with pytest.raises(CardError, match="not pooled"):
            cards.pooled([card, other])
    with pytest.raises(CardError, match="twice"):
        cards.pooled([card, card])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda c: c["swish", "gian"], "not measured 'gian' of 'swish'; it has gain"),
        (lambda c: c["gain"], "of relu, swish; name one"),
        (lambda c: c.share_lost("tanh"), "no arm 'tanh'; it has swish, relu"),
        (lambda c: c.paired(("swish", "gain"), "nothing"), "not measured"),
        (lambda c: Card("a", "q", (Row("", 0, "x", float("nan")),)), "nan .*count it as lost"),
        (lambda c: Card("a", "q", (Row("", 0, "x", 1.0),) * 2), "twice; give each its own name"),
        (lambda c: Card("a", "q", (Row("", 0, "x", 1.0),)).predicts("x", 1.0), "too few seeds"),
    ],
)
def test_what_a_card_has_not_is_one_sentence(card, call, said):
    with pytest.raises(CardError, match=said) as caught:
        call(card)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("networks", [("net",), ()])
@pytest.mark.parametrize("error", [0.0, 0.1])
def test_one_run_says_nothing_of_others(networks, error):
    """Not where it has trained a network, nor where nothing is known of its spread."""
    found = Card(
        "a",
        "q",
        tuple(Row(arm, 0, "n", v, networks, error) for arm, v in {"x": 3.0, "y": 1.0}.items()),
    )
    for estimate, value in ((found["x", "n"], 3.0), (found.paired(("x", "n"), ("y", "n")), 2.0)):
        assert (estimate.value, estimate.n, estimate.seeds) == (value, 1, len(networks))
        decided = bool(error) and not networks  # the test items are all that chance there is
        assert (at_least(estimate, 0.5).judge(0.05) == HOLDS) == decided
        assert np.isfinite(estimate.interval()).all() == bool(error)


def test_pairs_need_a_seed_in_common(card):
    alone = Card("a", "q", (Row("x", 0, "n", 1.0), Row("x", 1, "n", 2.0), Row("y", 5, "n", 1.0)))
    with pytest.raises(CardError, match="no seed in common"):
        alone.paired(("x", "n"), ("y", "n"))


@pytest.mark.parametrize("damage", [lambda t: t[:-40], lambda t: "[]", lambda t: "", str.upper])
def test_a_damaged_card_is_named(card, tmp_path: Path, damage):
    path = tmp_path / "card.json"
    card_files.write(path, card)
    with pytest.raises(CardError, match=r"card.json is damaged \("):
        card_files.read(damage(path.read_text()), "card.json")


def test_a_card_of_another_format_is_named(card, tmp_path: Path):
    path = tmp_path / "card.json"
    card_files.write(path, card)
    text = json.dumps({**json.loads(path.read_text()), "format": 99})
    with pytest.raises(CardError, match="has the format 99"):
        card_files.read(text, "card.json")
