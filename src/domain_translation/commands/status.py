"""What commands share: options that are numbers, exit statuses, sentences, stops, remedies."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

FAILED = 1
USAGE_ERROR = 2
INCOMPLETE = 3  # done, except for pictures or lines that were skipped
INTERRUPTED = 128  # plus the number of the signal


def number(parser: argparse._ActionsContainer, name: str, kind: type, text: str) -> None:
    """Add an option that is a number; one that is not given is left to the function's default."""
    parser.add_argument(name, type=kind, metavar="N" if kind is int else "X", help=text)


def complain(sentence: str, status: int) -> int:
    """Print a sentence to stderr and return the status."""
    say(sentence)
    return status


def say(sentence: str) -> None:
    """Print a sentence to stderr."""
    shown = sentence.encode(errors="backslashreplace").decode()  # a file's name may be no text
    print(f"domain-translation: {shown}", file=sys.stderr, flush=True)


def list_skipped(reasons: Mapping[str, str], most: int | None = None) -> None:
    """Say what was skipped and why, the first `most` by name."""
    for what, reason in list(reasons.items())[:most]:
        say(f"skipped {what}: {reason}")
    if most is not None and len(reasons) > most:
        say(f"skipped {len(reasons) - most} more")


def given(options: argparse.Namespace) -> dict[str, Any]:
    """The options that were given, as arguments of the function behind the command."""
    return {k: v for k, v in vars(options).items() if k not in ("command", "run")}


def guarded(action: Callable[[], int], kept: str, mendable: type[Exception]) -> int:
    """Run a command; whatever the caller can mend becomes one sentence and a status.

    Args:
        action: what the command does; returns its status.
        kept: what a stop leaves, as a sentence.
        mendable: the errors with a sentence for the caller, and perhaps a `status` of their own.
    """
    from domain_translation.runtime import progress_lines
    from domain_translation.training import TrainingError

    try:
        with stoppable(), progress_lines():
            return action()
    except KeyboardInterrupt as stop:
        return stopped(stop, kept)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return complain(f"{where}{error.strerror or error}", FAILED)
    except (mendable, TrainingError) as error:
        return complain(str(error), getattr(error, "status", FAILED))


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
