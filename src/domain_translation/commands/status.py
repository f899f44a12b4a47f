"""Exit statuses, and the one way to complain."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

FAILED = 1
USAGE_ERROR = 2
INCOMPLETE = 3  # done, except for pictures that could not be read
INTERRUPTED = 128  # plus the number of the signal


def complain(sentence: str, status: int) -> int:
    """Print a sentence to stderr and return the status."""
    print(f"domain-translation: {sentence}", file=sys.stderr)
    return status


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM stop like Ctrl-C, so that what works within stores where it is.

    The number of the signal is the argument of the KeyboardInterrupt.
    """

    def stop(number: int, _: object) -> None:
        raise KeyboardInterrupt(number)

    if threading.current_thread() is not threading.main_thread():  # which alone hears signals
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stopped(error: KeyboardInterrupt, kept: str) -> int:
    """Say that a command was stopped, and what is kept of it; the status that tells the signal."""
    print(f"\nStopped. {kept}", file=sys.stderr)
    return INTERRUPTED + (error.args[0] if error.args else signal.SIGINT)
