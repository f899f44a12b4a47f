"""What a run is made from: code, settings and data, then and now."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import domain_translation
from domain_translation.data.prepare import checksums
from domain_translation.files import data_file
from domain_translation.notebook.cards import Card, CardError
from domain_translation.notebook.code import code_of
from domain_translation.studies.study import Study

PACKAGE = Path(domain_translation.__file__).parent
# What the package's data files are that a run computes with; the others describe and index.
NETWORKS = ".safetensors"
_handed: set[str] = set()  # data files that were asked for since `start`


def start(study: Study) -> None:
    """Read the code as it is before hours pass, and note from now on which networks are loaded."""
    code_of(study.run, PACKAGE)
    _listen()


@functools.cache
def _listen() -> None:
    """Once a process: an audit hook stays."""

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "domain_translation.data_file" and str(arguments[0]).endswith(NETWORKS):
            _handed.add(str(arguments[0]))

    sys.addaudithook(note)


def of_run(study: Study, arm: str) -> dict[str, Any]:
    """Code, settings and data of a run that has just ended."""
    code, settings = code_of(study.run, PACKAGE), repr(study.arms[arm])
    return {"code": code, "settings": settings, "data": _data(study, _handed)}


def of_card(study: Study, data: Iterable[str]) -> dict[str, Any]:
    """The same of a card, whose numbers depend on how they have just been measured, too."""
    settings = {arm: repr(settings) for arm, settings in study.arms.items()}
    return {"code": _code(study), "settings": settings, "data": _data(study, {*data, *_handed})}


def changed(study: Study, arm: str, origin: Mapping[str, Any]) -> list[str]:
    """What of a cached run, or of a card, is not as it is now: modules, settings, data."""
    code, settings = code_of(study.run, PACKAGE), origin["settings"]
    if isinstance(settings, Mapping):  # of a card
        code, settings = _code(study), settings.get(arm)
    return [
        *_differing(origin["code"], code),
        *([] if settings == repr(study.arms[arm]) else ["its settings"]),
        *_differing(origin["data"], _data(study, origin["data"])),
    ]


def check(card: Card) -> None:
    """Refuse a card that does not say where its numbers come from.

    Raises CardError.
    """
    needed = ("code", "settings", "data", "runs", "seconds", "made", "machine", "versions")
    missing = [name for name in needed if name not in card.origin]
    if missing:
        raise CardError(
            f"the card {card.study} has no provenance ({', '.join(missing)} missing): its runs "
            "cannot be told from those of other code; delete it, or write it anew with "
            f"`domain-translation study {card.study.removeprefix('studies/')} --card`"
        )


def held(study: Study, card: Card) -> list[tuple[str, int]]:
    """The runs whose rows a card holds, as far as it was made of what there is now.

    Raises CardError: it has no provenance.
    """
    return [(arm, seed) for arm, seed, *_ in card.origin["runs"] if holds(study, card, arm, seed)]


def holds(study: Study, card: Card, arm: str, seed: int) -> bool:
    """Whether a card holds the rows of a run, made of what there is now.

    Raises CardError: it has no provenance.
    """
    check(card)
    there = arm in study.arms and any(run[:2] == [arm, seed] for run in card.origin["runs"])
    return there and not changed(study, arm, card.origin)


def _code(study: Study) -> dict[str, str]:
    return code_of(study.run, PACKAGE) | code_of(study.measure, PACKAGE)


def _data(study: Study, names: Iterable[str]) -> dict[str, str]:
    """Digests of the data sets of a study, and of networks of the package by file name."""
    sets = {file: digest for name in study.data for file, digest in checksums(name).items()}
    return dict(sorted((sets | {n: _digest(n) for n in names if n not in sets}).items()))


def _digest(name: str) -> str:
    try:
        path = Path(str(data_file(name)))
        return _digest_of(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return "missing"


@functools.cache
def _digest_of(path: Path, changed: int) -> str:
    """Read once: every run of a study asks for the same networks."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return sorted(k for k in then.keys() | now.keys() if then.get(k) != now.get(k))
