"""Tables of a chapter: frames as the page shows them, means of runs, estimates of a card."""

import numpy as np
import pandas as pd
import pytest

from domain_translation.notebook import tables
from domain_translation.notebook.cards import Card, CardError, Row

PM = "\u00a0±\u00a0"
RUNS = pd.DataFrame(
    {
        "method": ["late", "early", "late", "early"],
        "seed": [0, 0, 1, 1],
        "kept": [0.5, 0.8, 0.7, 0.9],
        "gap": [np.nan, 0.1234, np.nan, np.nan],
        "nowhere": [np.nan] * 4,
    }
)
CARD = Card(
    "part/test",
    "full",
    tuple(
        Row(arm, seed, name, value, (f"{arm} {seed}",))
        for arm, name, values in (
            ("ours", "kept", (0.8, 0.9, 1.0)),
            ("ours", "gap", (0.1, 0.1, 0.4)),
            ("theirs", "kept", (0.1, 0.2, 0.3)),
        )
        for seed, value in enumerate(values)
    ),
)


def cells(table) -> list[list[str]]:
    lines = [line for line in table.data.split("\n") if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_frame_is_shown_as_it_reads():
    frame = pd.DataFrame(
        {"name": ["a", None], "n": [1234, 5], "x": [0.12345, np.nan], "steps": [2000.0, 3.0]},
        index=["first", "second"],
    )
    head, rule, *lines = cells(tables.show(frame, "row", below="*Told* below."))
    assert head == ["row", "name", "n", "x", "steps"]
    assert rule[0].startswith(":")
    assert all(cell.endswith(":") for cell in rule[1:])
    assert lines == [["first", "a", "1,234", "0.123", "2,000"], ["second", "", "5", "", "3"]]
    assert tables.show(frame, below="*Told* below.").data.endswith("\n\n*Told* below.")


def test_runs_of_one_method_make_a_line_in_their_order():
    found = tables.of_runs(RUNS, {"share kept": "kept", "mass gap": ("gap", 3), "none": "nowhere"})
    assert list(found.index) == ["late", "early"]
    assert list(found.columns) == ["share kept", "mass gap"]  # what nobody has measured is left out
    assert found["share kept"].tolist() == [f"0.60{PM}0.14", f"0.85{PM}0.07"]
    assert found["mass gap"].tolist() == ["", "0.123"]
    by_seed = tables.of_runs(RUNS, {"kept": ("kept", 1)}, by="seed")
    assert list(by_seed.index) == [0, 1]


def test_mean_sd():
    assert tables.mean_sd([0.8, 0.9], 2) == f"0.85{PM}0.07"
    assert tables.mean_sd([1234.5], 0) == "1234"
    assert tables.mean_sd([]) == ""


def test_a_frame_of_a_card_has_a_row_a_run():
    frame = CARD.frame()
    assert frame.columns.tolist() == ["arm", "seed", "kept", "gap"]
    assert frame[["arm", "seed"]].to_numpy().tolist()[0] == ["ours", 0]
    assert len(frame) == 6
    assert frame[frame.arm == "theirs"].gap.isna().all()
    assert frame.pivot_table("kept", "arm").kept["theirs"] == pytest.approx(0.2)
    assert Card("part/test", "full").frame().empty


def test_estimates_of_a_card_under_titles():
    head, _, ours, theirs = cells(
        tables.of_card(
            CARD, {"us": "ours", "them": "theirs"}, {"share": "kept", "gap": "gap"}, "who"
        )
    )
    assert head == ["who", "share", "gap"]
    assert ours == ["us", str(CARD["ours", "kept"]), str(CARD["ours", "gap"])]
    assert theirs == ["them", str(CARD["theirs", "kept"]), ""]  # measured of the others only


def test_what_no_arm_has_measured_is_named():
    with pytest.raises(CardError, match="'cept'"):
        tables.of_card(CARD, ["ours"], ["cept"])
    with pytest.raises(CardError, match="'hers'"):
        tables.of_card(CARD, ["hers"], ["distance"])
