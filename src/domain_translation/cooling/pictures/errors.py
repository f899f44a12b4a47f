"""What can go wrong with a folder of pictures, as sentences meant for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class PicturesError(ValueError):
    """Something about the pictures, the networks or the disk that the caller can mend."""

    status = 1  # what the command exits with


class DiskError(PicturesError):
    """The disk refuses a result, as it will refuse the next one."""


class RequestError(PicturesError):
    """What is asked for does not fit together; nothing was read or written because of it."""

    status = 2


def out_of_memory(error: BaseException | None) -> bool:
    """Whether this is a processor's or an accelerator's way to say that memory is out."""
    said = "" if error is None else f"{type(error).__name__} {error}"
    return any(words in said for words in ("OutOfMemory", "out of memory", "alloc", "MemoryError"))


@contextmanager
def as_request() -> Iterator[None]:
    """A block in which a ValueError means a request that cannot be met."""
    try:
        yield
    except ValueError as error:
        raise RequestError(str(error)) from error
