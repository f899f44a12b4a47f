"""Claims: verdicts follow from the numbers, text is stable, bad calls are refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import IPython.display
import numpy as np
import pytest
import torch

from domain_translation.notebook import card_files, cards, evidence, ledger
from domain_translation.notebook.cards import Card, CardError, Row
from domain_translation.notebook.criteria import at_least, at_most, exact, greater
from domain_translation.notebook.rows import SOURCES, every_row, parse_inventory


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Every displayed claim as (text, record)."""
    out: list[tuple[str, dict[str, Any]]] = []

    def display(bundle: dict[str, str], *, raw: bool, metadata: dict[str, Any]) -> None:
        assert raw
        out.append((bundle["text/plain"], metadata[ledger.METADATA_KEY]))

    monkeypatch.setattr(IPython.display, "display", display)
    return out


def test_inventory_holds_all_rows_of_the_five_sources() -> None:
    rows = ledger.inventory()
    assert len(rows) == 305
    assert {r.source for r in rows.values()} == set(SOURCES.values()) - {"Book"}
    assert all(r.title and r.kind for r in rows.values())


SURE = evidence.share(990, 1000, seeds=0)  # nothing trained, and far from a half
CARD = Card(
    "part/one",
    "quick",
    tuple(
        Row(arm, seed, "kept", level + 0.001 * (seed % 3), (f"{arm}{seed}",))
        for arm, level in {"weighted": 0.9, "plain": 0.4, "between": 0.6}.items()
        for seed in range(10)
    ),
)
EMPTY = Card("part/one", "quick")


def test_a_claim_is_judged_by_its_criteria(shown) -> None:
    ledger.claim(
        *("jdbw.fig2", "jdbw.claim.match"),
        aspect="digits",
        scale="16x16 pixels",
        given={"the networks translate": at_least(CARD["between", "kept"], 0.5)},
        criteria={
            "weights keep the zeros": at_least(CARD["weighted", "kept"], 0.85),
            "without them they are lost": at_most(CARD["plain", "kept"], 0.5),
        },
        needs="more seeds",
        measured={"gap": CARD.paired(("weighted", "kept"), ("plain", "kept"))},
    )
    ((text, record),) = shown
    assert text.splitlines() == [
        "CONFIRMED AT REDUCED SCALE  jdbw.fig2, jdbw.claim.match (digits)",
        "  scale: 16x16 pixels",
        "  given ✓ the networks translate",
        "  ✓ weights keep the zeros",
        "  ✓ without them they are lost",
    ]
    kept = json.loads(json.dumps(record))
    assert ledger.Claim.read(kept).text() == text
    (number,) = kept["criteria"][0]["numbers"]
    assert (number["n"], number["seeds"], number["card"]) == (10, 10, "part/one")
    assert number["low"] < number["value"] < number["high"]
    assert kept["criteria"][0]["low"] == 0.85
    assert kept["measured"]["gap"].startswith("0.5 [")


def test_an_undecided_claim_says_what_it_needs(shown) -> None:
    few = Card("part/one", "quick", CARD.rows[:3] + CARD.rows[10:13])
    criteria = {"far apart": at_least(few.paired(("weighted", "kept"), ("plain", "kept")), 0.5)}
    ledger.claim("lcool.eq8", scale=ledger.AS_STATED, criteria=criteria, needs="more seeds")
    text = shown[0][0]
    assert text.splitlines()[0] == "UNDECIDED  lcool.eq8"
    assert text.splitlines()[-1] == "  needs: more seeds"
    assert "  ? far apart" in text


def test_the_text_of_a_claim_has_no_number_of_the_run(shown) -> None:
    for hits in (990, 991):
        criteria = {"most do": at_least(evidence.share(hits, 1000, seeds=0), 0.5)}
        ledger.claim("lcool.eq8", scale=ledger.AS_STATED, criteria=criteria, needs="more")
    assert shown[0][0] == shown[1][0]
    numbers = [record["criteria"][0]["numbers"][0]["value"] for _, record in shown]
    assert numbers == [0.99, 0.991]


def test_a_live_number_counts_only_far_from_its_threshold(shown) -> None:
    """Four standard errors decide a card, and no run that computes the number anew."""
    close = evidence.mean(np.linspace(0.0, 1.0, 50), seeds=0)
    assert at_least(close, 0.3).judge(0.05) == "holds"
    ledger.claim("lcool.eq8", scale="8x8", criteria={"a": at_least(close, 0.3)}, needs="chains")
    ledger.claim("lcool.eq8", scale="8x8", criteria={"a": at_least(SURE, 0.3)}, needs="chains")
    assert [record["verdict"] for _, record in shown] == ["undecided", "confirmed at reduced scale"]


def test_what_has_no_card_yet_was_not_run(shown) -> None:
    criteria = {
        "weights keep the zeros": greater(EMPTY["weighted", "kept"], EMPTY["plain", "kept"], 0.2),
        "no training is lost": at_most(EMPTY.share_lost("plain"), 0.1),
        "five parameters": exact(True, "count"),
    }
    ledger.claim("lcool.eq8", scale="8x8", criteria=criteria, needs="more seeds")
    text, record = shown[0]
    assert record["verdict"] == "not run"
    assert text.splitlines()[-1] == "  needs: the card part/one"
    assert record["criteria"][0]["numbers"] == []


def test_a_definition_is_recorded_and_gets_no_tick(shown) -> None:
    ledger.claim("lcool.metric.fringe", recorded=True, measured={"share": 0.2})
    assert shown[0][0] == "RECORDED  lcool.metric.fringe"


def test_not_run_names_what_it_needs(shown) -> None:
    ledger.claim("lcool.tab2", needs="the photographs of horse2zebra")
    assert shown[0][0] == "NOT RUN  lcool.tab2\n  needs: the photographs of horse2zebra"


def test_measured_tensors_become_json(shown) -> None:
    measured = {"a": torch.ones(2), "b": {1: np.float64(2.0)}, "c": [torch.tensor(3)]}
    ledger.claim("lcool.eq8", recorded=True, measured=measured)
    record = json.loads(json.dumps(shown[0][1]))
    assert record["measured"] == {"a": [1.0, 1.0], "b": {"1": 2.0}, "c": [3]}


HELD = {"a count": exact(True, "count")}
TRAINED = {"a": at_least(evidence.mean([1.0, 1.1, 1.2]), 0.5)}


@pytest.mark.parametrize(
    ("rows", "kwargs", "message"),
    [
        (
            "lcool.eq88",
            {"recorded": True},
            "unknown inventory row 'lcool.eq88'; did you mean",
        ),
        ("book.no.such", {"recorded": True}, "unknown inventory row 'book.no.such'"),
        ("lcool.eq8", {}, "has no evidence, or two kinds: give criteria="),
        ("lcool.eq8", {"criteria": {}}, "has no evidence"),
        ("lcool.eq8", {"criteria": HELD, "recorded": True, "scale": "a"}, "two kinds"),
        ("lcool.eq8", {"needs": "time", "recorded": True}, "two kinds"),
        ("lcool.eq8", {"criteria": HELD}, "no scale; give scale='as stated'"),
        ("lcool.eq8", {"criteria": {"a": at_least(SURE, 0)}, "scale": "8x8"}, "say in needs="),
        ("lcool.eq8", {"criteria": TRAINED, "scale": "8x8", "needs": "b"}, "number from a card"),
        (
            "lcool.eq8",
            {"criteria": HELD, "given": TRAINED, "scale": "8x8", "needs": "b"},
            "'a' has a training behind it",
        ),
    ],
)
def test_bad_claims_are_one_sentence(shown, rows, kwargs, message) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        ledger.claim(rows, **kwargs)
    assert "\n" not in str(caught.value)
    assert not shown


# ---- measurements


@pytest.fixture
def heard() -> Iterator[list[tuple[str, tuple[Any, ...]]]]:
    """What is told to the press while a test runs."""
    out: list[tuple[str, tuple[Any, ...]]] = []
    on = [True]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if on and event in ("domain_translation.measure", "domain_translation.lost"):
            out.append((event, arguments))

    sys.addaudithook(hook)  # for good: it cannot be taken out again
    yield out
    on.clear()


def test_a_number_is_told_with_its_networks(heard) -> None:
    network = torch.nn.Linear(2, 1)
    ledger.measure("gain", torch.tensor(0.25), of=[network], arm="weighted")
    ledger.lost("diverged at step 3", "plain")
    (_, (arm, name, value, networks, error)), lost = heard
    assert (arm, name, value, error) == ("weighted", "gain", 0.25, 0.0)
    assert networks == (cards.fingerprint(network),)
    assert lost == ("domain_translation.lost", ("plain", "diverged at step 3"))


def test_the_error_of_shared_test_items_is_measured_too(heard) -> None:
    values = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    ledger.measure("gain", values)
    ledger.measure("median", 2.5, error=torch.tensor(0.5))
    (_, (*_, value, _, error)), (_, (*_, given)) = heard
    assert value == 2.5
    assert error == pytest.approx(np.std([1, 2, 3, 4], ddof=1) / 2)
    assert given == 0.5


def test_a_fingerprint_is_one_of_parameters_and_buffers() -> None:
    network, other = torch.nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    assert cards.fingerprint(network) == cards.fingerprint(other)
    other.running_mean += 1
    assert cards.fingerprint(network) != cards.fingerprint(other)
    assert cards.fingerprint(network.bfloat16()) != cards.fingerprint(torch.nn.BatchNorm1d(3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gain", float("nan")), "was given nan; give a name and finite numbers, or `lost"),
        (("gain", torch.tensor([1.0, float("inf")])), "finite numbers"),
        (("gain", []), "finite numbers"),
        (("", 1.0), "give a name"),
    ],
)
def test_bad_measurements_are_one_sentence(heard, arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        ledger.measure(*arguments)
    assert not heard


def test_a_measurement_is_about_networks_with_parameters() -> None:
    for thing in (torch.nn.ReLU(), lambda x: x):
        with pytest.raises(ValueError, match="which has no parameters; name networks in of="):
            ledger.measure("gain", 1.0, of=[thing])


# ---- cards


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the stored card of part/one is looked for."""
    path = tmp_path / "cards" / "part" / "one.json"

    def data_file(name: str) -> Path:
        if not (tmp_path / name).is_file():
            raise FileNotFoundError(name)
        return tmp_path / name

    monkeypatch.setattr(ledger, "data_file", data_file)
    return path


def test_a_stored_card_is_read(stored) -> None:
    card_files.write(stored, CARD)
    assert ledger.card("part/one") == CARD


def test_a_missing_card_is_empty_and_so_is_every_card_of_a_run_that_measures(
    stored, monkeypatch
) -> None:
    assert ledger.card("part/one").empty
    card_files.write(stored, CARD)
    monkeypatch.setenv(ledger.MEASURING, "1")
    assert ledger.card("part/one").empty


def test_a_damaged_card_or_one_of_another_profile_is_one_sentence(stored) -> None:
    card_files.write(stored, replace(CARD, profile="full"))
    with pytest.raises(CardError, match="part/one under the profile full; asked for was part/one"):
        ledger.card("part/one")
    assert ledger.card("part/one", profile="full").profile == "full"
    stored.write_text(stored.read_text()[:100])
    with pytest.raises(CardError, match=r"data/cards/part/one.json is damaged \("):
        ledger.card("part/one")


HEADER = "id,seed,kind,title,content,needs,section,note"
GOOD = "a.b,000,claim,title,content,,1,"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        (HEADER, 1),
        (f"{HEADER[:-5]}\n{GOOD}", 2),  # a column is gone
        (f"{HEADER}\n{GOOD}\na.c,000,claim,cut sh", 3),
        (f"{HEADER}\n{GOOD},one too many", 2),
        (f"{HEADER}\n{GOOD}\n{GOOD}", 3),
        (f"{HEADER}\n{GOOD.replace('000', '999')}", 2),
    ],
)
def test_a_damaged_inventory_is_one_sentence(text: str, line: int) -> None:
    with pytest.raises(ValueError, match=f"damaged at line {line}: .*restore the file"):
        parse_inventory(text)


def test_a_sound_inventory_is_read() -> None:
    assert parse_inventory(f"{HEADER}\n{GOOD}")["a.b"].source == "L-Cool"


def test_missing_data_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        ledger.data_file("nothing.csv")


def test_findings_are_the_books_own_and_named_by_part() -> None:
    parts = {"cooling", "energies", "language", "weights", "record"}
    for row in ledger.findings().values():
        book, part, _ = row.id.split(".")
        assert (book, part in parts, row.seed, row.ours) == ("book", True, "book", True), row.id
        assert row.title
        assert row.content
    assert ledger.findings()
    assert len(every_row()) == 305 + len(ledger.findings())
