"""Small file tools: the press's error, digests, and writes that happen whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domain_translation.files import write_atomically


class PressError(Exception):
    """Something the caller can mend; its text is one sentence meant for the terminal."""

    status = 1  # what the command exits with


class RequestError(PressError):
    """The command line asks for something that does not exist."""

    status = 2


def digest(data: bytes | str) -> str:
    """Hex sha256 of bytes or of a text's UTF-8."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def file_digest(path: Path) -> str:
    """Hex sha256 of a file's content."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def canonical(value: Any) -> str:
    """The same JSON text for equal values, whatever the order of their keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def atomic_write(path: Path, data: bytes | str) -> None:
    """Write `path` so that it holds either its old content or all of the new one.

    Raises:
        PressError: the disk is full or the folder cannot be written; nothing is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data.encode() if isinstance(data, str) else data)
    except OSError as error:
        raise PressError(
            f"cannot write {path}: {error.strerror or error}; its old content, if any, is intact"
        ) from error


def tree(folder: Path) -> Iterator[Path]:
    """All files below `folder` in sorted order, editors' and notebooks' leftovers left out."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p.startswith(".") or p == "__pycache__" for p in parts):
            yield path


def tree_digest(folder: Path) -> str:
    """Hex sha256 over the names and contents of all files below `folder`."""
    return digest(
        canonical([[p.relative_to(folder).as_posix(), file_digest(p)] for p in tree(folder)])
    )


@contextlib.contextmanager
def only_one(folder: Path, what: str) -> Iterator[None]:
    """Hold `folder` for this process and this purpose.

    Raises:
        PressError: another process holds it.
    """
    import fcntl

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{what}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PressError(
                f"another {what} is running in {folder}; wait for it or stop it first"
            ) from error
        yield
