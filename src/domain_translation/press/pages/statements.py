"""What each claim states, and the source's words: ``book/<part>/claims/<chapter>.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from domain_translation.notebook import ledger
from domain_translation.press.files import PressError

Key = tuple[tuple[str, ...], str]  # rows and aspect


@dataclass(frozen=True)
class Statement:
    """One sentence of what is claimed, and what the source says."""

    statement: str
    source: str


def read(book: Path, chapter: str) -> dict[Key, Statement]:
    """The statements of a chapter below the folder `book`; none where it has no file.

    Raises:
        PressError: the file is damaged, or two entries have the same rows and aspect.
    """
    part, _, name = chapter.rpartition("/")
    path = book / part / "claims" / f"{name}.toml"
    if not path.is_file():
        return {}
    where = f"book/{part}/claims/{name}.toml"
    found: dict[Key, Statement] = {}
    try:
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["claim"]:
            key = (tuple(entry["rows"]), entry.get("aspect", ""))
            if key in found:
                raise PressError(f"{where} has two claims {said(key)}; give each its own aspect")
            found[key] = Statement(entry["statement"], entry["source"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PressError(f"{where} is damaged: {error}") from error
    return found


def complete(claim: ledger.Claim, known: Mapping[Key, Statement]) -> ledger.Claim:
    """The claim with its statement and source; as it is where none is known."""
    found = known.get((claim.rows, claim.aspect))
    return replace(claim, statement=found.statement, source=found.source) if found else claim


def said(key: Key) -> str:
    """Rows and aspect as a claim prints them."""
    rows, aspect = key
    return ", ".join(rows) + (f" ({aspect})" if aspect else "")
