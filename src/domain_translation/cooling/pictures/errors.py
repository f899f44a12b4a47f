"""What can go wrong with a folder of pictures, as sentences meant for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class PicturesError(ValueError):
    """Something about the pictures, the networks or the disk that the caller can mend."""

    status = 1  # what the command exits with


class RequestError(PicturesError):
    """What is asked for does not fit together; nothing was read or written because of it."""

    status = 2


@contextmanager
def as_request() -> Iterator[None]:
    """A block in which a ValueError means a request that cannot be met."""
    try:
        yield
    except ValueError as error:
        raise RequestError(str(error)) from error
