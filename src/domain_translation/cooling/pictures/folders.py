"""Which files of a folder are pictures, and which folders may be written."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from domain_translation.cooling.errors import DiskError, RequestError, UserError
from domain_translation.cooling.pictures.codec import SUFFIXES
from domain_translation.files import write_atomically


class Found(NamedTuple):
    """What a folder holds.

    Attributes:
        pictures: their paths relative to it, in sorted order.
        passed: how many files of which suffix, and how many linked folders, were passed over.
    """

    pictures: list[Path]
    passed: dict[str, int]


def find_pictures(folder: Path | str) -> Found:
    """The pictures in `folder` and below, told by their suffix, in upper or lower case.

    Hidden files and folders and linked folders are passed over.

    Raises:
        UserError: there is no such folder, it cannot be read, or it holds no picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; give the folder that holds the pictures")

    def refuse(error: OSError) -> None:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from error

    found: list[Path] = []
    passed: Counter[str] = Counter()
    for place, below, names in os.walk(folder, onerror=refuse):
        below[:] = [name for name in below if not name.startswith(".")]
        passed["linked folder"] += sum(Path(place, name).is_symlink() for name in below)
        for name in (n for n in names if not n.startswith(".")):
            suffix = Path(name).suffix.lower()
            if suffix in SUFFIXES:
                found.append(Path(place, name).relative_to(folder))
            else:
                passed[suffix or "no suffix"] += 1
    passed = +passed
    if not found:
        others = f" (there are {_counted(passed)})" if passed else ""
        raise UserError(
            f"{folder} holds no picture{others}; give a folder with .png, .jpg, .webp, .tif or "
            f"other files that Pillow reads"
        )
    return Found(sorted(found, key=lambda path: path.as_posix()), dict(passed))


def told_passed(passed: Mapping[str, int]) -> str:
    """One sentence on what was passed over; "" for nothing."""
    return f"passed over: {_counted(passed)}" if passed else ""


def _counted(passed: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {suffix}" for suffix, count in sorted(passed.items()))


def result_name(name: Path) -> Path:
    """The name of what is made of a picture: its own, with .png behind other kinds of files."""
    kept = name.suffix.lower() in (".png", ".jpg", ".jpeg")
    return name if kept else name.with_name(f"{name.name}.png")


def check_apart(source: Path, out: Path) -> None:
    """Raise RequestError where `out` is `source` or lies in it: results would become inputs."""
    inner, outer = out.resolve(), source.resolve()
    if inner == outer or outer in inner.parents:
        raise RequestError(
            f"the output folder {out} lies in the input folder {source}, so that the next run "
            f"would take results for pictures; choose a folder outside it"
        )


def check_names(names: Sequence[Path]) -> None:
    """Raise RequestError where the results of two pictures would share a name."""
    taken: dict[Path, Path] = {}
    for name in names:
        other = taken.setdefault(result_name(name), name)
        if other != name:
            raise RequestError(
                f"{other} and {name} would both become {result_name(name)}; rename one of them"
            )


def written(action: Callable[[], None], path: Path) -> None:
    """Run something that writes `path`; a disk that refuses becomes one sentence.

    Raises:
        DiskError: the folder cannot be made or written, or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        action()
    except OSError as error:
        raise DiskError(
            f"cannot write {path}: {error.strerror or error}; make room or choose another place"
        ) from error


def write(path: Path, content: bytes) -> None:
    """Write `path` whole or not at all, making its folder.

    Raises:
        DiskError: see `written`.
    """
    written(lambda: write_atomically(path, content), path)
