"""Unpacks archives into the cache, whole or not at all, and never outside their folder."""

from __future__ import annotations

import gzip
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from filelock import FileLock

from domain_translation.data.fetch import make_folder
from domain_translation.data.verify import DamagedData

# A cut, altered or unsafe archive shows itself as any of these, depending on where.
BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
)


def extract(archive: Path, folder: Path) -> Path:
    """Unpack a zip or tar archive to `folder`; an existing folder is taken as it is.

    Raises:
        DamagedData: the archive is broken or wants to write outside its folder.
        OSError: the folder cannot be written.
    """
    return whole_folder(folder, lambda unfinished: _extract_all(archive, unfinished))


def whole_folder(folder: Path, fill: Callable[[Path], None]) -> Path:
    """`folder` as `fill` fills it, once; an existing folder is taken as it is.

    It is filled beside `folder` and then renamed: a killed run leaves no half-done folder,
    and the next one clears what it left.

    Raises OSError, and what `fill` raises.
    """
    make_folder(folder.parent)
    with FileLock(folder.parent / f".{folder.name}.lock"):
        if folder.is_dir():
            return folder
        prefix = f".{folder.name}."
        for leftover in folder.parent.glob(f"{prefix}*.tmp"):
            shutil.rmtree(leftover)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix, suffix=".tmp"))
        try:
            fill(unfinished)
            unfinished.chmod(0o755)  # mkdtemp makes private folders
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return folder


def _extract_all(archive: Path, folder: Path) -> None:
    try:
        if zipfile.is_zipfile(archive):
            _extract_zip(archive, folder)
        else:
            _extract_tar(archive, folder)
    except BROKEN as error:
        raise DamagedData(f"{archive} cannot be unpacked ({error}); get an intact copy") from error


def _extract_tar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            _check_name(member.name)
            # Pictures need no links; without them there is nothing to follow out of the folder.
            if not (member.isreg() or member.isdir()):
                raise ValueError(f"{member.name!r} is a link or a device")
        # File by file: extractall's safe filter came with Python 3.11.4.
        for member in tar.getmembers():
            target = folder / member.name
            (target if member.isdir() else target.parent).mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            if content is not None:
                with content, target.open("wb") as out:
                    shutil.copyfileobj(content, out)


def _extract_zip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as content:
        for member in content.infolist():
            _check_name(member.filename)
            # The upper half of the attributes holds the Unix mode; 0 where made elsewhere.
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ValueError(f"{member.filename!r} is a link or a device")
        content.extractall(folder)


def _check_name(name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    # A colon alone is fine: the Yosemite pictures are named by the time of day.
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", name):
        raise ValueError(f"{name!r} points out of the archive's folder")
