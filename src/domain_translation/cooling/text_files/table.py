"""The table of a run, a row a line; what of it is done is kept beside it until all is.

NAME.part holds the settings in its first line and then the rows, as far as they are done. It
becomes NAME, whole, when the last row is there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from domain_translation.cooling.errors import RequestError, UserError, differing
from domain_translation.files import write_atomically

CHUNK = 64  # lines that are translated together; a stopped run goes on after whole chunks


@dataclass(frozen=True)
class Row:
    """What is known of one line; the fields are the columns of the table, with tabs between them.

    Columns are empty where a line has no translation.

    Attributes:
        line: its number, from 1.
        plain: its translation.
        cooled: its translation after cooling.
        score: root mean square of the score before cooling.
        moved: how far cooling moved it, in units of its length; 0 where it was spared.
        changed: yes or no: whether the translations differ.
        reason: why the line has no translation; empty where it has one.
    """

    line: int
    plain: str = ""
    cooled: str = ""
    score: str = ""
    moved: str = ""
    changed: str = ""
    reason: str = ""

    def text(self) -> str:
        """The row as it is written; what would end a column or a row becomes a space."""
        return "\t".join(" ".join(_parts(str(column))) for column in astuple(self)) + "\n"


HEAD = "\t".join(field.name for field in fields(Row)) + "\n"


def _parts(column: str) -> list[str]:
    return [part for line in column.splitlines() for part in line.split("\t")]


class Part:
    """The unfinished table of a run.

    Args:
        out: the table's file; must not exist.
        settings: what the rows depend on.

    Raises:
        RequestError: `out` exists, or its unfinished table is of a run with other settings.
        UserError: the disk refuses.
    """

    def __init__(self, out: Path, settings: Mapping[str, Any]) -> None:
        if out.exists():
            raise RequestError(
                f"{out} exists and is not overwritten; choose another name or delete it"
            )
        self.out, self.path = out, out.with_name(f"{out.name}.part")
        head = json.dumps(settings, sort_keys=True)
        self.rows: list[Row] = []
        if self.path.is_file():
            self._resume(head)
        else:
            try:
                write_atomically(self.path, f"{head}\n".encode())
            except OSError as error:
                raise _refused(self.path, error) from error

    def _resume(self, head: str) -> None:
        """Take over whole chunks of an earlier run, and cut off what was written of the next."""
        lines = self.path.read_bytes().split(b"\n")[:-1]
        _check_settings(self.path, lines[0] if lines else b"", head)
        for number, line in enumerate(lines[1:], 1):
            columns = line.decode(errors="replace").split("\t")
            if len(columns) != len(fields(Row)) or columns[0] != str(number):
                break
            self.rows.append(Row(number, *columns[1:]))
        del self.rows[len(self.rows) // CHUNK * CHUNK :]
        kept = "".join([f"{head}\n", *(row.text() for row in self.rows)])
        with self.path.open("r+b") as file:
            file.truncate(len(kept.encode()))

    def add(self, rows: Sequence[Row]) -> None:
        """Write rows behind those that are there; they are safe when this returns."""
        try:
            with self.path.open("ab") as file:
                file.write("".join(row.text() for row in rows).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _refused(self.path, error) from error
        self.rows += rows

    def finish(self) -> None:
        """Write the table, whole or not at all, and remove the unfinished one."""
        try:
            text = HEAD + "".join(row.text() for row in self.rows)
            write_atomically(self.out, text.encode())
        except OSError as error:
            raise _refused(self.out, error) from error
        self.path.unlink()


def _check_settings(path: Path, before: bytes, now: str) -> None:
    try:
        named = differing(json.loads(before), json.loads(now))
    except (ValueError, TypeError, AttributeError):
        raise RequestError(
            f"{path} is no unfinished table of this command; choose another name or delete it"
        ) from None
    if named:
        raise RequestError(
            f"{path} holds lines of a run with other settings ({named}); give the same settings "
            f"to go on, another name, or delete it"
        )


def _refused(path: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write {path}: {error.strerror or error}; make room or choose another place"
    )
