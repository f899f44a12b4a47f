"""Results of long stages, stored so that a stopped run takes up where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from domain_translation.files import write_atomically
from domain_translation.training import checkpoints
from domain_translation.training.checkpoints import CheckpointError


def cached(
    path: Path, identity: Mapping[str, Any], compute: Callable[[], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Tensors from `path` if it holds those of the same `identity`, else computed and stored.

    Args:
        path: of the file; its folder must exist.
        identity: what the tensors depend on, in types that JSON knows: settings, digests.
        compute: makes the tensors.

    Raises:
        CheckpointError: the disk refuses.
    """
    identity = json.loads(json.dumps(identity))  # as it will come back: tuples become lists
    try:
        stored = checkpoints.load(path)
        if stored.card == identity:
            return stored.tensors
    except (FileNotFoundError, CheckpointError):
        pass  # none yet, or one that is cut off: both are made anew
    tensors = compute()
    checkpoints.save(path, tensors, identity)
    return tensors


@contextmanager
def timed(path: Path, stage: str, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Add the block's seconds, by `clock`, to those of `stage` in the JSON file `path`.

    A stage that is stopped and taken up again counts all its parts, also the one that was stopped
    by an exception. A killed process leaves no note.
    """
    start = clock()
    try:
        yield
    finally:
        spent = seconds(path)
        spent[stage] = spent.get(stage, 0.0) + clock() - start
        write_atomically(path, json.dumps(spent).encode())


def seconds(path: Path) -> dict[str, float]:
    """Seconds by stage so far, as `timed` noted them; none without a file."""
    noted: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    return noted
