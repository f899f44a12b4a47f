"""What the readers read of a set: the reader's copies, or what a converter makes of public files.

prepare("mnist")    # two numpy archives
unpack("lfw64")     # folders of pictures
"""

from __future__ import annotations

import hashlib
import json
import pickle
import tarfile
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import UnidentifiedImageError

from domain_translation.data.extract import extract, whole_folder
from domain_translation.data.fetch import cache_folder, fetch, file_folder, own_copies, own_path
from domain_translation.data.images import SUFFIXES, open_rgb
from domain_translation.data.labelled_files import read_labelled
from domain_translation.data.registry import DataFile, DataSet, lookup
from domain_translation.data.verify import DamagedData, verify

ORIGIN = "origin.json"  # beside what a converter made: its files' checksums, its pixels'


def prepare(
    dataset: str | DataSet, *, cache: Path | None = None, offline: bool = False
) -> tuple[Path, ...]:
    """Files, or the one folder, that hold the set as its readers read it; arguments as in `fetch`.

    The reader's own copies come first. Without them the public files are fetched and converted,
    once, into the cache; afterwards the public files may be deleted.

    Raises:
        DamagedData: a file is not what it should be, or, of a set whose pixels are known to be
            those of its publisher, has others.
        MissingData, ValueError, OSError: as `fetch`.
    """
    found = lookup(dataset)
    if copies := own_copies(found):
        return copies
    if not found.converter:
        return fetch(found, cache=cache, offline=offline)
    folder = made_folder(found, cache)
    if not folder.is_dir():
        paths = fetch(found, cache=cache, offline=offline)
        whole_folder(folder, lambda unfinished: _convert(found, paths, unfinished))
    return _readable(found, folder)


def unpack(
    dataset: str | DataSet, *, cache: Path | None = None, offline: bool = False
) -> tuple[Path, ...]:
    """Folders with the set's pictures, one for each archive; arguments as in `fetch`.

    An archive is unpacked once: its folder in the cache is named by its sha256.

    Raises:
        DamagedData: an archive is broken or wants to write outside its folder.
        MissingData, ValueError, OSError: as `fetch`.
    """
    found = lookup(dataset)
    known = {f.name: f for f in found.files + found.copies}
    unpacked = cache_folder(cache) / "unpacked"
    return tuple(
        path
        if path.is_dir()
        else extract(path, unpacked / f"{found.name}-{_digest(path, known[path.name])}")
        for path in prepare(found, cache=cache, offline=offline)
    )


def decoded(dataset: str | DataSet, paths: Sequence[Path]) -> str:
    """The sha256 of what a set's pictures and labels decode to, whatever they are stored in.

    Args:
        dataset: of layout arrays, or one of pictures.
        paths: archives as of `prepare`, or folders as of `unpack`.

    Raises DamagedData: a file is not readable.
    """
    found, digest = lookup(dataset), hashlib.sha256()
    if found.layout == "arrays":
        for split in ("train", "test"):
            for array in read_labelled(found, paths, split):
                digest.update(f"{split} {array.shape}".encode())
                digest.update(array.tobytes())
        return digest.hexdigest()
    pictures = {p.relative_to(root).as_posix(): p for root in paths for p in _pictures(root)}
    for name, path in sorted(pictures.items()):
        image = open_rgb(path)
        digest.update(f"{name} {image.size}".encode())
        digest.update(image.tobytes())
    return digest.hexdigest()


def made_folder(dataset: DataSet, cache: Path | None = None) -> Path:
    """Where a converter's work goes."""
    return cache_folder(cache) / "made" / dataset.name


def state(dataset: str | DataSet, *, cache: Path | None = None) -> str:
    """Where a set is, in two words; only names are looked at.

    Raises MissingData: the reader's own folder does not exist.
    """
    found = lookup(dataset)
    if found.copies and all(own_path(found, f) for f in found.copies):
        return "own copies"
    if made_folder(found, cache).is_dir():
        return "made here"
    folder = file_folder(found, cache)
    here = [bool(own_path(found, f)) or (folder / f.name).is_file() for f in found.files]
    if here and all(here):
        return "files here"
    if not all(f.urls for f in found.files or found.copies):
        return "by hand"
    return "partly here" if any(here) else "to fetch"


def checksums(dataset: str | DataSet, *, cache: Path | None = None) -> Mapping[str, str]:
    """Checksums by name of the files that a result on this set depends on.

    What is converted counts as the copies wherever it has their pixels.

    Raises DamagedData, MissingData: of the reader's own copies.
    """
    found = lookup(dataset)
    origin = made_folder(found, cache) / ORIGIN
    if not found.decoded or not origin.is_file() or own_copies(found):
        return found.known
    pixels = json.loads(origin.read_text(encoding="utf-8"))["decoded"]
    return found.known if pixels == found.decoded else {f"{found.name}, made anew": pixels}


def _convert(dataset: DataSet, paths: Sequence[Path], folder: Path) -> None:
    # Only here: it imports torchvision.
    from domain_translation.data.convert import CONVERTERS

    files = {file.name: path for file, path in zip(dataset.files, paths, strict=True)}
    try:
        CONVERTERS[dataset.converter](files, folder)
    except (
        KeyError,
        ValueError,
        RuntimeError,
        EOFError,
        UnidentifiedImageError,
        pickle.UnpicklingError,
        tarfile.TarError,
        zipfile.BadZipFile,
    ) as error:
        said = str(error).partition("\n")[0]
        raise _damaged(dataset, paths, f"cannot be converted ({said})") from error
    if dataset.layout != "arrays":
        _check_counts(dataset, paths, folder)
    pixels = decoded(dataset, _readable(dataset, folder))
    if dataset.canonical and pixels != dataset.decoded:
        raise _damaged(dataset, paths, f"decode to pixels {pixels}, not {dataset.decoded}")
    origin = {"files": dict(zip(files, (f.sha256 or f.md5 for f in dataset.files), strict=True))}
    text = json.dumps(origin | {"decoded": pixels}, indent=1)
    (folder / ORIGIN).write_text(text, encoding="utf-8")


def _digest(path: Path, file: DataFile) -> str:
    return file.sha256 or verify(path, file)


def _check_counts(dataset: DataSet, paths: Sequence[Path], folder: Path) -> None:
    made = Counter(p.parent.relative_to(folder).as_posix() for p in _pictures(folder))
    wanted = {} if dataset.pictures is None else dataset.pictures.counts
    if not made or any(made[name] != n for name, n in wanted.items()):
        raise _damaged(dataset, paths, f"give {made.total()} pictures in other folders or numbers")


def _damaged(dataset: DataSet, paths: Sequence[Path], what: str) -> DamagedData:
    files = ", ".join(path.name for path in paths)
    return DamagedData(
        f"{files} of the data set {dataset.name!r} {what}; delete them from {paths[0].parent} and "
        "have them fetched again"
    )


def _pictures(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES]


def _readable(dataset: DataSet, folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.npz"))) if dataset.layout == "arrays" else (folder,)
