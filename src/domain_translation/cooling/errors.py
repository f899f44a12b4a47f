"""What can go wrong with somebody's own pictures and sentences, as sentences for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from domain_translation.training.checkpoints import CheckpointError


class UserError(ValueError):
    """Something about the files, the networks or the disk that the caller can mend."""

    status = 1  # what a command exits with


class DiskError(UserError):
    """The disk refuses a result, as it will refuse the next one."""


class RequestError(UserError):
    """What is asked for does not fit together; nothing was written because of it."""

    status = 2


@contextmanager
def as_request() -> Iterator[None]:
    """A block in which a ValueError means a request that cannot be met."""
    try:
        yield
    except UserError:
        raise
    except ValueError as error:
        raise RequestError(str(error)) from error


@contextmanager
def as_user_error() -> Iterator[None]:
    """A block in which a file that cannot be used is the caller's."""
    try:
        yield
    except UserError:
        raise
    except (ValueError, FileNotFoundError, ImportError, CheckpointError) as error:
        raise UserError(str(error)) from error


def out_of_memory(error: BaseException | None) -> bool:
    """Whether this is a processor's or an accelerator's way to say that memory is out."""
    said = "" if error is None else f"{type(error).__name__} {error}"
    return any(words in said for words in ("OutOfMemory", "out of memory", "alloc", "MemoryError"))


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Which settings of a run are others now, and what they were; "" for none."""
    other = sorted(k for k in {**before, **now} if before.get(k) != now.get(k))
    return ", ".join(f"{k} {_short(before.get(k))}, now {_short(now.get(k))}" for k in other)


def _short(value: Any) -> str:
    return f"{value[:8]}..." if isinstance(value, str) and len(value) == 64 else str(value)
