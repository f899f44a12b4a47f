"""Ctrl-C and SIGTERM during a training: the present step is finished first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def noted_endings(wanted: bool) -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM are noted in a list and obeyed after the block; a second one at once.

    Only the main thread hears signals, and one that is ignored stays so.
    """
    asked: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, _: FrameType | None) -> None:
        asked.append(number)
        give_back()

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    if wanted and threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        before |= {n: h for n, h in handlers.items() if h not in (signal.SIG_IGN, None)}
    for number in before:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        give_back()
        if asked:
            signal.raise_signal(asked[0])
