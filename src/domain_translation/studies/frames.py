"""What a study has measured, as a data frame, and what its runs show."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from domain_translation.files import data_file
from domain_translation.notebook import card_files, ledger
from domain_translation.notebook.cards import Card
from domain_translation.studies.cards import excerpt
from domain_translation.studies.study import Study


def card(study: Study) -> Card:
    """The study's card; until it is made, that of the earlier runs, if there are any.

    Raises:
        CardError: the file is damaged.
        FileNotFoundError: the earlier runs do not come with this installation.
    """
    found = ledger.card(study.card, study.profile)
    if found.empty and study.earlier:
        text = data_file(study.earlier).read_text(encoding="utf-8")
        return card_files.read(text, f"data/{study.earlier}")
    return found


def runs(study: Study) -> pd.DataFrame:
    """A row a run: arm, seed, what the arm is told of, processor seconds, and all its numbers.

    Raises: as `card`.
    """
    found = card(study)
    settings = pd.DataFrame([{"arm": a, **_flat(s)} for a, s in study.arms.items()])
    spent = [(arm, seed, seconds) for arm, seed, seconds, *_ in found.origin.get("runs", ())]
    times = pd.DataFrame(spent, columns=["arm", "seed", "seconds"])
    frame = found.frame().merge(settings, "left", "arm").merge(times, "left", ["arm", "seed"])
    told = ["arm", "seed", *settings.columns.drop("arm"), "seconds"]
    return frame[[*told, *frame.columns.drop(told)]]


def excerpts(study: Study, arm: str, name: str) -> Tensor:
    """What the runs of an arm show under a name, by seed: (seeds that show it, ...).

    Raises:
        FileNotFoundError: a run has not been committed.
        KeyError: no run of the arm shows it.
    """
    seeds = sorted({row.seed for row in card(study).rows if row.arm == arm})
    found = [excerpt(study.name, arm, seed) for seed in seeds]
    shown = [few[name] for few in found if name in few]
    if not shown:
        raise KeyError(f"no run of {arm!r} of {study.name} shows {name!r}")
    return torch.stack(shown)


def made(card: Card) -> str:
    """When and on what a card's runs were made, one phrase."""
    machine = card.origin.get("machine", [])
    return f"{card.origin.get('made', '')}, one core ({', '.join(machine)})"


def _flat(settings: Any) -> dict[str, Any]:
    """Settings by name, those of a configuration inside among them."""
    found: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        found |= _flat(value) if is_dataclass(value) else {field.name: value}
    return found
