"""Stopping: signals as exceptions, a temporary folder, an end for all a chapter started."""

from __future__ import annotations

import contextlib
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

GRACE = 2.0  # seconds between asking a process to end and ending it


class Stopped(Exception):
    """SIGTERM or SIGHUP arrived; `signal` is its number."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signal = signum


class Interrupted(Exception):
    """A build was stopped from outside; `status` is the exit status to leave with."""

    def __init__(self, signum: int, kept: list[str]) -> None:
        names = f"Finished and kept: {', '.join(kept)}. " if kept else ""
        super().__init__(f"Stopped. {names}The next run continues from there.")
        self.status = 128 + signum


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception, as Ctrl-C already is one, so that cleanup runs."""

    def stop(signum: int, _: object) -> None:
        raise Stopped(signum)

    signals = [s for s in ("SIGTERM", "SIGHUP") if hasattr(signal, s)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in signals}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder outside the checkout, gone afterwards."""
    with tempfile.TemporaryDirectory(
        prefix="domain-translation-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def end_marked(name: str, value: str) -> None:
    """End every process whose environment variable `name` begins with `value`.

    Whatever a chapter starts inherits its environment, also in a session of its own or when its
    parent is gone.
    """

    def marked() -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(name, "").startswith(value):
                    found.append(process)
        return found

    doomed = marked()
    for process in doomed:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    if doomed:
        psutil.wait_procs(doomed, timeout=GRACE)
        for process in marked():
            with contextlib.suppress(psutil.Error):
                process.kill()
