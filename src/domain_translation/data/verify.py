"""Is this file the one that the registry means?"""

from __future__ import annotations

import hashlib
from pathlib import Path

from domain_translation.data.registry import DataFile


class DamagedData(ValueError):
    """A file or folder that is there but is not what the registry says."""


def verify(path: Path, file: DataFile) -> str:
    """The sha256 of `path`, after comparing size and checksums with the registry's where known.

    Raises:
        DamagedData: another size or another checksum.
        OSError: the file cannot be read.
    """
    size = path.stat().st_size
    if file.bytes is not None and size != file.bytes:
        raise DamagedData(
            f"{path} has {size} bytes, but {file.name} has {file.bytes}; "
            "replace it by an intact copy or move it away"
        )
    found = {algorithm: _digest(path, algorithm) for algorithm in ("sha256", *file.checksums)}
    for algorithm, known in file.checksums.items():
        if not found[algorithm].startswith(known):
            raise DamagedData(
                f"{path} has {algorithm} {found[algorithm]}, but {file.name} has {known}; "
                "replace it by an intact copy or move it away"
            )
    return found["sha256"]


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, algorithm).hexdigest()
