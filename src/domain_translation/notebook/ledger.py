"""The ledger: what the sources say, row by row, against what the book measured.

`data/inventory.csv` lists every equation, theorem, figure, table and claim of the five
sources, `data/findings.csv` what the book found beside them. A chapter measures with `measure`,
which several seeds do for its card, and judges a row with `claim` by criteria over such cards.
A claim is a display output whose *text* has the verdict, the scale and the criteria with their
marks, and no number of a run (it is what continuous integration compares), and whose *metadata*
hold the numbers. What is claimed, and the source's words, stand in ``book/<part>/claims.toml``.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from domain_translation.files import data_file
from domain_translation.notebook import card_files, cards
from domain_translation.notebook.cards import Card, CardError
from domain_translation.notebook.claims import Claim, Mark
from domain_translation.notebook.criteria import (
    CLEAR,
    NOT_RUN,
    RECORDED,
    Criterion,
    judge,
)
from domain_translation.notebook.evidence import Estimate
from domain_translation.notebook.rows import findings, inventory, known

__all__ = [
    "AS_STATED",
    "Claim",
    "Mark",
    "card",
    "claim",
    "findings",
    "inventory",
    "lost",
    "measure",
]

# A scale that is the source's own; any other is a reduced one, and says what is smaller.
AS_STATED = "as stated"
# Set while a chapter runs for its card: there is no card to judge by.
MEASURING = "BOOK_MEASURING"

# Keyed in the metadata of a claim's display output; the press reads it back.
METADATA_KEY = "domain_translation_claim"


def claim(
    *rows: str,
    aspect: str = "",
    scale: str = "",
    criteria: Mapping[str, Criterion] | None = None,
    given: Mapping[str, Criterion] | None = None,
    needs: str = "",
    recorded: bool = False,
    measured: Mapping[str, Any] | None = None,
) -> None:
    """Judge rows of the ledger by criteria and display what comes out.

    A claim has exactly one of `criteria`, `recorded` and, not run, `needs` alone. Numbers with a
    training behind them come from a card; a number that this run has computed counts only where
    it lies seven standard errors from its threshold, so that every run says the same.

    Args:
        rows: ids, of the inventory or the findings.
        aspect: tells several claims about one row apart, e.g. ``toy`` and ``digits``.
        scale: `AS_STATED`, or what is smaller than the source's setting.
        criteria: sentences and their evidence; all have to hold.
        given: on which conditions it is judged at all; one that does not hold leaves it undecided.
        needs: what would decide it, should the numbers not; without criteria: what it takes to run.
        recorded: a definition or setting of the source that the package encodes.
        measured: numbers to look at, of any depth; not compared.

    Raises:
        ValueError: an unknown row, no or two kinds of evidence, criteria without a scale, numbers
            without `needs`, or a number with a training behind it that is from no card.
    """
    ids, name = known(rows), ", ".join(rows)
    if bool(criteria) + recorded + bool(needs and not criteria) != 1:
        raise ValueError(
            f"claim {name} has no evidence, or two kinds: give criteria=, recorded=True or, where "
            "nothing was run, needs= alone"
        )
    numbers = _plain(measured or {})
    if not criteria:
        word = RECORDED if recorded else NOT_RUN
        _show(Claim(ids, word, aspect, scale, needs=needs, measured=numbers))
        return
    if not scale:
        raise ValueError(
            f"claim {name} has no scale; give scale={AS_STATED!r}, or say what is smaller"
        )
    asked = {s: _settled(name, s, c) for s, c in criteria.items()}
    conditions = {s: _settled(name, s, c) for s, c in (given or {}).items()}
    estimates = [e for c in (*asked.values(), *conditions.values()) for e in c.estimates]
    if estimates and not needs:
        raise ValueError(f"claim {name} rests on numbers; say in needs= what would decide it")
    found = judge(asked, conditions, reduced=scale != AS_STATED)
    word = found.word
    if cards_to_make := sorted({e.card for e in estimates if e.unmeasured}):
        word, needs = NOT_RUN, f"the card {', '.join(cards_to_make)}"
    _show(
        Claim(
            ids,
            word,
            aspect,
            scale,
            tuple(_mark(s, c, found.marks[s], found.smallest.get(s)) for s, c in asked.items()),
            tuple(_mark(s, c, found.given[s]) for s, c in conditions.items()),
            needs,
            numbers,
        )
    )


def _settled(claim: str, sentence: str, criterion: Criterion) -> Criterion:
    """A criterion that every run decides alike: by a card, exactly, or far from its threshold."""
    live = [e for e in criterion.estimates if not e.card]
    if not live:
        return criterion
    if any(e.seeds for e in live):
        raise ValueError(
            f"claim {claim}: {sentence!r} has a training behind it; take its number from a card"
        )
    return replace(criterion, judge=lambda alpha: criterion.judge(CLEAR))


def _mark(sentence: str, criterion: Criterion, said: str, smallest: float | None = None) -> Mark:
    numbers = [
        {
            "value": e.value,
            "low": _finite(e.interval()[0]),
            "high": _finite(e.interval()[1]),
            "n": e.n,
            "seeds": e.seeds,
            "card": e.card,
            "origin": e.origin,
        }
        for e in criterion.estimates
        if not e.unmeasured
    ]
    low, high = _finite(criterion.low), _finite(criterion.high)
    seen = None if smallest is None else _finite(smallest)
    return Mark(sentence, said, criterion.how, low, high, numbers, seen)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def measure(
    name: str, value: Any, *, of: Sequence[Any] = (), arm: str = "", error: float = 0.0
) -> None:
    """Tell the press a number of this run: ten seeds of them make the chapter's card.

    Args:
        name: what was measured, in words, with its unit; once for each arm.
        value: a finite number; or the values of the test items that all seeds share, whose mean
            is then the number and whose standard error is added to that between the seeds.
        of: the networks that the number is about, in the order in which every seed names them;
            none where nothing was trained.
        arm: what is compared: a method, a setting; "" where there is one only.
        error: a standard error that all seeds share, of a number that is no mean.

    Raises:
        ValueError: a number that is not finite, or something in `of` without parameters.
    """
    values = np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float).ravel()
    number = float(values.mean()) if len(values) else math.nan
    error = float(error)
    if len(values) > 1:
        error = float(values.std(ddof=1)) / math.sqrt(len(values))
    if not name or not math.isfinite(number + error):
        raise ValueError(
            f"measure({name!r}, arm={arm!r}) was given {number}; give a name and finite numbers, "
            "or `lost(why, arm)` for a training that ended without one"
        )
    networks = tuple(cards.fingerprint(network) for network in of)
    sys.audit("domain_translation.measure", arm, name, number, networks, error)


def lost(why: str, arm: str = "") -> None:
    """Tell the press that this seed's training of an arm ended without a result.

    Args:
        why: in a few words.
        arm: what was trained.
    """
    sys.audit("domain_translation.lost", arm, why)


def card(name: str, profile: str = "quick") -> Card:
    """The stored measurements of a chapter's ten seeds, or of a study.

    Args:
        name: of the chapter or study, e.g. ``cooling/digits``.
        profile: that the card has to have.

    A card that is still to be made is empty, and so is every card while the press measures.

    Raises:
        CardError: the file is damaged, or belongs to another profile.
    """
    empty = Card(name, profile)
    if MEASURING in os.environ:
        return empty
    try:
        file = data_file(f"cards/{name}.json")
    except FileNotFoundError:
        return empty
    found = card_files.read(file.read_text(encoding="utf-8"), f"data/cards/{name}.json")
    if (found.study, found.profile) != (name, profile):
        raise CardError(
            f"data/cards/{name}.json holds {found.study} under the profile {found.profile}; "
            f"asked for was {name} under {profile}"
        )
    return found


def _plain(value: Any) -> Any:
    """Tensors, arrays and estimates, nested ones too, as what JSON knows."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Estimate):
        return str(value)
    return value.tolist() if hasattr(value, "tolist") else value


def _show(c: Claim) -> None:
    from IPython.display import display

    record = _plain(asdict(c))
    bundle = {"text/plain": c.text()}
    display(bundle, raw=True, metadata={METADATA_KEY: record})  # type: ignore[no-untyped-call]
