"""Runs of long experiments, stored as JSON, laid out as cards that claims are judged by.

An entry of such a file is one training: its seed, its arm, its numbers. Each seed of each arm was
trained by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from domain_translation import ledger
from domain_translation.notebook import evidence
from domain_translation.notebook.cards import Card, Key, Row
from domain_translation.notebook.evidence import Estimate

Run = Mapping[str, Any]


def read(name: str) -> dict[str, Any]:
    """The stored file `results/full/weights/<name>.json`.

    Raises FileNotFoundError: it does not come with this installation.
    """
    text = ledger.data_file(f"results/full/weights/{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def as_card(
    study: str,
    runs: Iterable[Run],
    origin: Mapping[str, Any],
    *,
    arm: Callable[[Run], str] = lambda run: str(run["method"]),
    items: Callable[[str], int] = lambda name: 0,
) -> Card:
    """The card of stored runs: all numbers of each, beside the fingerprint of its training.

    Args:
        study: name of the card.
        runs: one a training.
        origin: of the file; its date and machine go on.
        arm: of a run.
        items: how many test items a number is a share of, all of them the same for all runs; 0
            for a number that is no share. An item's part of a share lies between 0 and 1, so that
            the share's own error is at most that of a share of yes and no.
    """
    rows = []
    for run in runs:
        method, seed = arm(run), int(run["seed"])
        for name, value in run.items():
            if name == "seed" or isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            error = evidence.shared_error(value, items(name)) if items(name) else 0.0
            rows.append(Row(method, seed, name, float(value), (f"{method}, seed {seed}",), error))
    machine = origin.get("machine", {}).get("cpu", "")
    made = {"made": origin.get("date", ""), "machine": [machine], "versions": origin["versions"]}
    return Card(study, "full", tuple(rows), origin=made)


def of_seeds(card: Card, key: Key) -> Estimate:
    """The mean over the seeds; of one training its number, which decides nothing.

    Raises CardError: nothing of that name and arm was measured.
    """
    values = card.values(key)
    if len(values) != 1:
        return card[key]
    (value,) = values.values()
    return Estimate(value, _error(card, key), 1, 1, card=card.study)


def gap(card: Card, a: Key, b: Key) -> Estimate:
    """The mean of a - b over the seeds; of one training of each the difference.

    Both are of the same test items, and what that saves is left out: their errors are added as if
    they were of different ones.

    Raises CardError: nothing of these names and arms was measured.
    """
    first, second = card.values(a), card.values(b)
    if (len(first), len(second)) != (1, 1):
        return card.paired(a, b)
    error = float(np.hypot(_error(card, a), _error(card, b)))
    value = next(iter(first.values())) - next(iter(second.values()))
    return Estimate(value, error, 1, 1, card=card.study)


def _error(card: Card, key: Key) -> float:
    arm, name = key if isinstance(key, tuple) else ("", key)
    (error,) = (r.error for r in card.rows if (r.arm, r.name) == (arm, name))
    return error


def share(study: str, part: float, items: int) -> Estimate:
    """A share of the pictures that a stored file holds of one training."""
    return replace(evidence.share(round(part * items), items, seeds=1), card=study)
