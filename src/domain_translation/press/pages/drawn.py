"""Pictures that the press makes itself, cached by what they are made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from domain_translation.press.files import atomic_write


class Drawn:
    """PNG files in `folder`, each named by a hash of its ingredients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._used: set[Path] = set()

    def get(self, ingredients: bytes, draw: Callable[[], bytes]) -> bytes:
        """The picture made from these ingredients; drawn only if it is not at hand."""
        path = self.folder / f"{hashlib.sha256(ingredients).hexdigest()[:32]}.png"
        if not path.is_file():
            atomic_write(path, draw())
        self._used.add(path)
        return path.read_bytes()

    def forget_others(self) -> None:
        """Remove what has not been asked for."""
        for path in set(self.folder.glob("*.png")) - self._used:
            path.unlink()
