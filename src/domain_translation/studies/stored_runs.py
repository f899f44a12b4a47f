"""Earlier runs of studies, stored as JSON, laid out as cards that claims are judged by.

An entry of such a file is one training: its seed, its arm, its numbers. Each seed of each arm was
trained by itself. They are read as long as nobody has run the studies again, which write cards.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from domain_translation.files import data_file
from domain_translation.notebook import evidence
from domain_translation.notebook.cards import Card, Row
from domain_translation.notebook.evidence import Estimate

Run = Mapping[str, Any]


@functools.cache
def read(name: str) -> Mapping[str, Any]:
    """The stored file `results/full/<name>.json`.

    Raises FileNotFoundError: it does not come with this installation.
    """
    text = data_file(f"results/full/{name}.json").read_text(encoding="utf-8")
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


def pictures(x: Tensor) -> str:
    """Images (n, C, S, S) in [-1, 1] as text: 256 levels, row by row, base64."""
    levels = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return base64.b64encode(levels.contiguous().numpy().tobytes()).decode()


def from_pictures(text: str, size: int, channels: int = 1) -> Tensor:
    """Images (n, channels, size, size) in [-1, 1] from `pictures`."""
    levels = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
    return levels.reshape(-1, channels, size, size) / 127.5 - 1
