"""Which files of a folder are pictures, and which folders may be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from domain_translation.cooling.pictures.errors import PicturesError, RequestError
from domain_translation.files import write_atomically

SUFFIXES = (".png", ".jpg", ".jpeg")


def find_pictures(folder: Path | str) -> list[Path]:
    """Paths of the PNG and JPEG files in `folder` and below, relative to it, in sorted order.

    Files are told by their suffix, in upper or lower case. Hidden files and folders and linked
    folders are passed over.

    Raises:
        PicturesError: there is no such folder, it cannot be read, or it holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise PicturesError(f"{folder} is not a folder; give the folder that holds the pictures")

    def refuse(error: OSError) -> None:
        raise PicturesError(f"cannot read {error.filename}: {error.strerror}") from error

    found: list[Path] = []
    for place, below, names in os.walk(folder, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [
            Path(place, name).relative_to(folder)
            for name in names
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    if not found:
        raise PicturesError(
            f"{folder} holds no picture; give a folder with .png, .jpg or .jpeg files in it"
        )
    return sorted(found, key=lambda path: path.as_posix())


def check_apart(source: Path, out: Path) -> None:
    """Raise RequestError where `out` is `source` or lies in it: results would become inputs."""
    inner, outer = out.resolve(), source.resolve()
    if inner == outer or outer in inner.parents:
        raise RequestError(
            f"the output folder {out} lies in the input folder {source}, so that the next run "
            f"would take results for pictures; choose a folder outside it"
        )


def written(action: Callable[[], None], path: Path) -> None:
    """Run something that writes `path`; a disk that refuses becomes one sentence.

    Raises:
        PicturesError: the folder cannot be made or written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        action()
    except OSError as error:
        raise PicturesError(
            f"cannot write {path}: {error.strerror or error}; make room or choose another place"
        ) from error


def write(path: Path, content: bytes) -> None:
    """Write `path` whole or not at all, making its folder.

    Raises:
        PicturesError: see `written`.
    """
    written(lambda: write_atomically(path, content), path)
