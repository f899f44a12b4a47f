"""Finds the files of a data set: the reader's own copies, the cache, the network, in this order."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
from filelock import FileLock

from domain_translation.data.registry import DataFile, DataSet, lookup
from domain_translation.data.verify import DamagedData, verify

# A folder of files that the reader already has; looked in first, never written to.
OWN = "DOMAIN_TRANSLATION_DATA"
# Where downloads and unpacked archives go; the user's cache folder where unset.
CACHE = "DOMAIN_TRANSLATION_CACHE"
# "1" forbids the network.
OFFLINE = "DOMAIN_TRANSLATION_OFFLINE"


class MissingData(FileNotFoundError):
    """A file that is neither here nor to be had."""


def fetch(
    dataset: str | DataSet, *, cache: Path | None = None, offline: bool = False
) -> tuple[Path, ...]:
    """Paths of the files that the set's publisher offers, downloaded where necessary.

    Of a set that nobody offers, its copies. Sizes and checksums are checked on every call, also
    those of local files.

    Args:
        dataset: a name in the registry, or a set of one's own.
        cache: folder of the cache; see `cache_folder`.
        offline: never use the network; the variable DOMAIN_TRANSLATION_OFFLINE=1 does the same.

    Raises:
        MissingData: a file is not here and cannot be had: what, from where, how large, and
            which variable to set.
        DamagedData: a local copy is not what it should be. It is not touched.
        ValueError: unknown set.
        OSError: the cache folder cannot be written.
    """
    found = lookup(dataset)
    offline = offline or os.environ.get(OFFLINE, "") not in ("", "0")
    folder = file_folder(found, cache)
    return tuple(_fetch_file(found, f, folder, offline) for f in found.files or found.copies)


def own_copies(dataset: str | DataSet) -> tuple[Path, ...]:
    """Paths of the set's copies in the reader's own folder, checked; none where one is missing.

    Raises DamagedData and MissingData as `fetch`.
    """
    found = lookup(dataset)
    paths = [own_path(found, file) for file in found.copies]
    here = [path for path in paths if path is not None]
    if len(here) < len(paths):
        return ()
    for path, file in zip(here, found.copies, strict=True):
        verify(path, file)
    return tuple(here)


def file_folder(dataset: DataSet, cache: Path | None = None) -> Path:
    """Where downloads of a set go: torchvision's weights to where torchvision looks for them."""
    if dataset.layout == "torchvision":
        from torch import hub

        return Path(hub.get_dir()) / "checkpoints"
    return cache_folder(cache) / "files" / dataset.name


def cache_folder(cache: Path | None = None) -> Path:
    """`cache`, or what DOMAIN_TRANSLATION_CACHE names, or the user's cache folder."""
    chosen = (
        cache
        or os.environ.get(CACHE)
        or platformdirs.user_cache_dir("domain-translation", appauthor=False)
    )
    return Path(chosen).expanduser()


def make_folder(folder: Path) -> None:
    """Create a folder of the cache.

    Raises OSError that names the variable to set.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"the cache folder {folder} cannot be made ({error.strerror}); "
            f"name another folder in {CACHE}"
        ) from error


def _fetch_file(dataset: DataSet, file: DataFile, folder: Path, offline: bool) -> Path:
    # torchvision reads its weights in its own folder only.
    own = None if dataset.layout == "torchvision" else own_path(dataset, file)
    if own is not None:
        verify(own, file)
        return own
    cached = folder / file.name
    if _intact(cached, file):
        return cached
    if not file.urls or offline:
        raise MissingData(_how_to_get(dataset, file))
    make_folder(folder)
    # Two processes that want the same file must not both write to its partial download.
    with FileLock(folder / f".{file.name}.lock"):
        if not _intact(cached, file):
            cached.unlink(missing_ok=True)  # the cache's own copy, not the reader's
            _from_mirrors(dataset, file, folder)
    return cached


def own_path(dataset: DataSet, file: DataFile) -> Path | None:
    """The reader's file: in a folder of the set's name in the folder they name, or in that.

    Raises MissingData: there is no such folder.
    """
    named = os.environ.get(OWN)
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise MissingData(f"{OWN} is {named!r}, but there is no such folder; correct or unset it")
    places = folder / dataset.name / file.name, folder / file.name
    return next((path for path in places if path.exists()), None)


def _intact(path: Path, file: DataFile) -> bool:
    try:
        verify(path, file)
    except (DamagedData, FileNotFoundError, NotADirectoryError):
        return False
    return True


def _from_mirrors(dataset: DataSet, file: DataFile, folder: Path) -> None:
    # Only here: pooch brings a progress bar whose import warns in notebooks without widgets.
    from domain_translation.data.download import download

    failures = []
    for url in file.urls:
        try:
            download(file, url, folder)
            verify(folder / file.name, file)
            return
        except DamagedData as error:  # of unknown checksum, and not of the known size
            (folder / file.name).unlink()
            failures.append(f"{url} ({error})")
        except (OSError, ValueError) as error:
            # Of a failed connection requests tells its own story around the reason.
            failures.append(f"{url} ({getattr(next(iter(error.args), error), 'reason', error)})")
    raise MissingData(
        f"{file.name} of the data set {dataset.name!r} ({file.size}) could not be downloaded: "
        f"{'; '.join(failures)}. Try again later (what came so far is kept), or get the file by "
        f"other means and {_put_it(dataset)}"
    )


def _how_to_get(dataset: DataSet, file: DataFile) -> str:
    what = f"{file.name} of the data set {dataset.name!r} ({file.size})"
    if not file.urls:
        made = dataset.rebuild or f"made from: {dataset.source}"
        return f"{what} is not published as a file ({made}); get a copy and {_put_it(dataset)}"
    return (
        f"{what} is not here and the network is switched off; download {file.urls[0]} and "
        f"{_put_it(dataset)}, or unset {OFFLINE} (and pass offline=False)"
    )


def _put_it(dataset: DataSet) -> str:
    if dataset.layout == "torchvision":
        return f"put it into {file_folder(dataset)} (TORCH_HOME names another place)"
    return f"name its folder in {OWN}"
