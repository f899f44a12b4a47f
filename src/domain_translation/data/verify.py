"""Is this file the one that the registry means?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from domain_translation.data.registry import DataFile


class DamagedData(ValueError):
    """A file or folder that is there but is not what the registry says."""


def verify(path: Path, file: DataFile) -> str:
    """The sha256 of `path`, after comparing size and sha256 with the registry's where known.

    Raises:
        DamagedData: another size or another sha256.
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    if file.bytes is not None and size != file.bytes:
        raise DamagedData(
            f"{path} has {size} bytes, but {file.name} has {file.bytes}; "
            "replace it by an intact copy or move it away"
        )
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if file.sha256 is not None and digest != file.sha256:
        raise DamagedData(
            f"{path} has sha256 {digest}, but {file.name} has {file.sha256}; "
            "replace it by an intact copy or move it away"
        )
    return digest
