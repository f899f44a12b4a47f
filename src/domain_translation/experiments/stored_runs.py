"""Runs of long experiments, stored as JSON, laid out as cards that claims are judged by.

An entry of such a file is one training: its seed, its arm, its numbers. Each seed of each arm was
trained by itself.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from domain_translation import ledger
from domain_translation.notebook import evidence
from domain_translation.notebook.cards import Card, Row
from domain_translation.notebook.evidence import Estimate

Run = Mapping[str, Any]


@functools.cache
def read(name: str) -> Mapping[str, Any]:
    """The stored file `results/full/<name>.json`.

    Raises FileNotFoundError: it does not come with this installation.
    """
    text = ledger.data_file(f"results/full/{name}.json").read_text(encoding="utf-8")
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


def share(study: str, part: float, items: int) -> Estimate:
    """A share of the pictures that a stored file holds of one training."""
    return replace(evidence.share(round(part * items), items, seeds=1), card=study)
