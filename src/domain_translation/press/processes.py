"""Child processes that can be ended together with everything they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

QUIET_IPYTHON = "c.IPKernelApp.log_level = 40\nc.HistoryManager.enabled = False\n"
GRACE = 2.0  # seconds between asking a process to end and ending it


class Stopped(Exception):
    """SIGTERM or SIGHUP arrived; `signal` is its number."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signal = signum


class Child:
    """A process in a session of its own, with the peak memory of its whole tree."""

    def __init__(
        self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        self.log = log
        self._started, self._ended = time.monotonic(), 0.0
        self.peak_mib = 0.0
        self._tree: set[psutil.Process] = set()
        with log.open("wb") as output:
            # An open standard input tells the child that the press is alive.
            self._popen = subprocess.Popen(
                list(command),
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._root = psutil.Process(self._popen.pid)

    @property
    def seconds(self) -> float:
        """Wall time from the start until now or until the process was ended."""
        return (self._ended or time.monotonic()) - self._started

    def poll(self) -> int | None:
        """Measure the tree; the exit status once the process has ended."""
        total = 0
        for process in self._grow():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        self.peak_mib = max(self.peak_mib, total / 2**20)
        return self._popen.poll()

    def end(self) -> None:
        """End the process and everything it started, also what it left behind."""
        self._ended = self._ended or time.monotonic()
        doomed = self._grow()
        for process in doomed:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, alive = psutil.wait_procs(doomed, timeout=GRACE)
        for process in {*alive, *self._grow()}:
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._popen.wait()
        if self._popen.stdin:
            self._popen.stdin.close()

    def _grow(self) -> set[psutil.Process]:
        """Every process of the tree seen so far; a child's child may outlive its parent."""
        with contextlib.suppress(psutil.Error):
            self._tree |= {self._root, *self._root.children(recursive=True)}
        return self._tree


def kernel_environment(folder: Path) -> dict[str, str]:
    """The environment of a chapter's kernel: one thread, fixed hashes, a quiet IPython.

    One thread per chapter keeps sums in one order, so results do not depend on the number of
    cores; the press runs several chapters at once instead.
    """
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    for name in ("ipython_config.py", "ipython_kernel_config.py"):
        (profile / name).write_text(QUIET_IPYTHON, encoding="utf-8")
    fixed = {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": "0",
    }
    return {**os.environ, **fixed}


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder outside the checkout, gone afterwards."""
    with tempfile.TemporaryDirectory(
        prefix="domain-translation-", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


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


def python(*arguments: str) -> list[str]:
    """A command line for this very Python."""
    return [sys.executable, *arguments]
