"""What can go wrong with files of sentences, as sentences meant for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domain_translation.training.checkpoints import CheckpointError


class TextError(ValueError):
    """Something about the files, the networks or the disk that the caller can mend."""

    status = 1  # what the command exits with


class RequestError(TextError):
    """What is asked for does not fit together; nothing was written because of it."""

    status = 2


@contextmanager
def as_request() -> Iterator[None]:
    """A block in which a ValueError means a request that cannot be met."""
    try:
        yield
    except TextError:
        raise
    except ValueError as error:
        raise RequestError(str(error)) from error


@contextmanager
def as_text_error() -> Iterator[None]:
    """A block in which a file that cannot be used is the caller's."""
    try:
        yield
    except TextError:
        raise
    except (ValueError, FileNotFoundError, ImportError, CheckpointError) as error:
        raise TextError(str(error)) from error
