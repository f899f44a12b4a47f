"""Downloads one file, and goes on where an interrupted download stopped.

pooch drives it: it calls `Resuming`, checks the checksum of what came and moves the file into
place.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests
import urllib3
from tqdm import tqdm

from domain_translation.data.registry import DataFile

# Seconds to wait for a connection, and for the next piece of the file.
TIMEOUT = (10, 60)
RETRIES = 2
# Seconds before the first new try; the pause doubles with each.
PAUSE = 1.0
PIECE = 1 << 18


def download(file: DataFile, url: str, folder: Path) -> None:
    """Put `file` from `url` into `folder`, whole and with the right checksum, or not at all.

    What an interrupted download left (`.NAME.part`) is continued by the next call, from this
    address or from another; only a file of unknown checksum starts anew, because nothing would
    tell a mixture of two versions from the file. A broken connection is tried again.

    Raises:
        OSError: no connection, or the server refuses (requests' errors are OSErrors).
        ValueError: what came has another checksum.
    """
    # pooch compares whole checksums only; `fetch` compares the others, too.
    whole = [f"{k}:{v}" for k, v in file.checksums.items() if len(v) > 8]
    store = pooch.create(
        path=folder,
        base_url="",
        registry={file.name: whole[0] if whole else None},
        urls={file.name: url},
    )
    part = folder / f".{file.name}.part"
    continued = part.exists()
    try:
        store.fetch(file.name, downloader=Resuming(file, part))
    except ValueError:
        if not continued:
            raise
        # What an earlier call left belonged to something else; it is gone now.
        store.fetch(file.name, downloader=Resuming(file, part))


@dataclass(frozen=True)
class Resuming:
    """A downloader in pooch's sense: called with the address and the file to write."""

    file: DataFile
    part: Path

    def __call__(self, url: str, output_file: str, _: object) -> None:
        for attempt in range(RETRIES + 1):
            try:
                self._receive(url)
                break
            except requests.RequestException:
                if attempt == RETRIES:
                    raise
                time.sleep(PAUSE * 2**attempt)
        os.replace(self.part, output_file)

    def _receive(self, url: str) -> None:
        if not self.file.checksums:
            self.part.unlink(missing_ok=True)
        have = self.part.stat().st_size if self.part.exists() else 0
        if have and have == self.file.bytes:
            return  # killed after the last byte
        # Servers may "encode" a .tar.gz as gzip; the bytes are wanted as they are stored.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == 416:  # the server's file is not longer than our part
                self.part.unlink()
                raise requests.ConnectionError(f"{url} cannot continue at byte {have}")
            if 400 <= answer.status_code < 500:  # trying again would not help
                raise FileNotFoundError(f"{answer.status_code} {answer.reason}")
            answer.raise_for_status()
            goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            goes_on = goes_on and answer.status_code == 206
            self._write(answer, have if goes_on else 0)

    def _write(self, answer: requests.Response, have: int) -> None:
        bar = tqdm(
            desc=self.file.name,
            total=self.file.bytes,
            initial=have,
            unit="B",
            unit_scale=True,
            disable=None,  # silent unless on a terminal
        )
        with bar, self.part.open("ab" if have else "wb") as out:
            try:
                for piece in answer.raw.stream(PIECE, decode_content=False):
                    out.write(piece)
                    bar.update(len(piece))
                    have += len(piece)
            except urllib3.exceptions.HTTPError as error:
                raise requests.ConnectionError(f"the connection broke: {error}") from error
        if self.file.bytes is not None and have < self.file.bytes:
            raise requests.ConnectionError(f"only {have} of {self.file.bytes} bytes came")
