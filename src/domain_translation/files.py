"""Files: those that come with the package, and those that are written whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


def data_file(name: str) -> Traversable:
    """A file of the repository's `data/` folder: shipped inside the wheel, in place in a checkout.

    What was asked for is announced as an audit event, so that the press learns what a chapter
    depends on: safetensors, for one, opens files without an event of its own.

    Raises FileNotFoundError when neither holds it.
    """
    sys.audit("domain_translation.data_file", name)
    packaged = resources.files("domain_translation") / "_data" / name
    if packaged.is_file():
        return packaged
    checkout = Path(__file__).resolve().parents[2] / "data" / name
    if checkout.is_file():
        return checkout
    raise FileNotFoundError(
        f"data file {name!r} is missing from this installation; reinstall domain-translation"
    )


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` to `path`: afterwards the file is either complete or as it was before.

    Raises OSError (disk full, no permission, missing folder); no temporary file remains.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)  # mkstemp makes private files
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
