"""Claims: verdicts follow from the numbers, text is stable, bad calls are refused."""

from __future__ import annotations

import json
from typing import Any

import IPython.display
import numpy as np
import pytest
import torch

from domain_translation import ledger


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
    assert {r.source for r in rows.values()} == set(ledger.SOURCES.values())
    assert all(r.title and r.kind for r in rows.values())


@pytest.mark.parametrize(
    ("ours", "reduced", "verdict"),
    [
        (1.009, False, ledger.CONFIRMED),
        (1.009, True, ledger.REDUCED),
        (1.011, False, ledger.NOT_CONFIRMED),
        (0.989, True, ledger.NOT_CONFIRMED),
        (float("nan"), False, ledger.NOT_CONFIRMED),
    ],
)
def test_numeric_claim_is_decided_by_its_tolerance(shown, ours, reduced, verdict) -> None:
    ledger.claim("lcool.eq8", "a number", source=1.0, ours=ours, tolerance=0.01, reduced=reduced)
    assert shown[0][1]["verdict"] == verdict


@pytest.mark.parametrize(("holds", "verdict"), [(True, "confirmed"), (False, "not confirmed")])
def test_relation_is_decided_by_holds(shown, holds, verdict) -> None:
    ledger.claim(["lcool.eq8", "improveit.eq7"], "a relation", source="a", ours="b", holds=holds)
    text, record = shown[0]
    assert record["verdict"] == verdict
    assert record["rows"] == ["lcool.eq8", "improveit.eq7"]
    assert text.splitlines()[0] == f"{verdict.upper()}  lcool.eq8, improveit.eq7"


def test_text_does_not_depend_on_the_last_digits(shown) -> None:
    for ours in (1.0031, 1.0032):
        ledger.claim("lcool.eq8", "a number", source=1.0, ours=ours, tolerance=0.01)
    assert shown[0][0] == shown[1][0]
    assert shown[0][1]["measured"]["ours"] != shown[1][1]["measured"]["ours"]


def test_measured_tensors_become_json(shown) -> None:
    measured = {"a": torch.ones(2), "b": {1: np.float64(2.0)}, "c": [torch.tensor(3)]}
    ledger.claim("lcool.eq8", "s", source="a", ours="b", holds=True, measured=measured)
    record = json.loads(json.dumps(shown[0][1]))
    assert record["measured"] == {"a": [1.0, 1.0], "b": {"1": 2.0}, "c": [3]}


def test_not_run_names_what_it_needs(shown) -> None:
    ledger.not_run("lcool.tab2", "likeness", source="0.7385", needs="horse2zebra")
    assert shown[0][1]["verdict"] == ledger.NOT_RUN
    assert "needs horse2zebra" in shown[0][0]


@pytest.mark.parametrize(
    ("rows", "kwargs", "message"),
    [
        ("lcool.eq88", {"holds": True}, "unknown inventory row 'lcool.eq88'; did you mean lcool"),
        ("lcool.eq8", {}, "give either tolerance="),
        ("lcool.eq8", {"holds": True, "tolerance": 0.1}, "give either tolerance="),
        ("lcool.eq8", {"tolerance": 0.1}, "needs numbers"),
    ],
)
def test_bad_claims_are_refused(shown, rows, kwargs, message) -> None:
    with pytest.raises(ValueError, match=message):
        ledger.claim(rows, "s", source="a", ours="b", **kwargs)
    assert not shown


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
        ledger.parse_inventory(text)


def test_a_sound_inventory_is_read() -> None:
    assert ledger.parse_inventory(f"{HEADER}\n{GOOD}")["a.b"].source == "L-Cool"


def test_missing_data_file_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        ledger.data_file("nothing.csv")
