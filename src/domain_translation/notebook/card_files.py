"""Cards as files: JSON with a line for each arm and name, so that a change shows what changed."""

from __future__ import annotations

import json
from pathlib import Path

from domain_translation.files import write_atomically
from domain_translation.notebook.cards import Card, CardError, Row

FORMAT = 2


def write(path: Path, card: Card) -> None:
    """Write a card as JSON, a line for each arm and name, with its values by seed.

    Raises OSError: the disk refuses; the old file is intact.
    """
    networks: dict[tuple[tuple[str, ...], ...], int] = {}
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in card.rows:
        grouped.setdefault((row.arm, row.name), []).append(row)
    lines = []
    for (arm, name), rows in grouped.items():
        about = networks.setdefault(tuple(r.networks for r in rows), len(networks))
        errors = [r.error for r in rows] if any(r.error for r in rows) else []
        values = [[r.seed for r in rows], about, [r.value for r in rows], errors]
        lines.append(json.dumps([arm, name, *values]))
    head = {"format": FORMAT, "study": card.study, "profile": card.profile}
    lost = [[arm, seed, why] for (arm, seed), why in sorted(card.lost.items())]
    top = json.dumps({**head, "origin": card.origin, "lost": lost}, indent=1, sort_keys=True)
    tables = {"networks": [json.dumps(n) for n in networks], "rows": lines}
    body = "".join(f',\n "{k}": [\n  ' + ",\n  ".join(v) + "\n ]" for k, v in tables.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, f"{top.removesuffix(chr(10) + '}')}{body}\n}}\n".encode())


def read(text: str, where: str) -> Card:
    """The card in a JSON text; `where` names the file in messages.

    Raises:
        CardError: the text is damaged.
    """
    try:
        said = json.loads(text)
        if said["format"] != FORMAT:
            raise CardError(f"{where} has the format {said['format']}, not {FORMAT}; make it anew")
        rows = tuple(
            Row(arm, seed, name, float(value), tuple(about), float(error))
            for arm, name, seeds, index, values, errors in said["rows"]
            for seed, about, value, error in zip(
                seeds, said["networks"][index], values, errors or [0.0] * len(values), strict=True
            )
        )
        lost = {(arm, seed): why for arm, seed, why in said["lost"]}
        return Card(said["study"], said["profile"], rows, lost, said["origin"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, CardError):
            raise
        raise CardError(f"{where} is damaged ({error}); restore it or make it anew") from error
