"""A small web server for the tests of the fetcher: byte ranges, broken connections, refusals."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from domain_translation.data.registry import DataSet, parse_registry


class Host(ThreadingHTTPServer):
    """Serves `content` by path; `requests` records (path, Range header) of each request.

    `cut[path]` is a list of byte numbers: each request takes the first and has its connection
    closed after so many bytes. Paths in `rangeless` ignore byte ranges.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content: dict[str, bytes] = {}
        self.cut: dict[str, list[int]] = {}
        self.rangeless: set[str] = set()
        self.requests: list[tuple[str, str | None]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        body = self.server.content.get(self.path)
        if body is None:
            self.send_error(404)
            return
        start = 0
        if asked and self.path not in self.server.rangeless:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(body):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            self.send_response(200)
        # Some servers announce a .tar.gz like this; its bytes must arrive as they are stored.
        if self.path.endswith(".gz"):
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cuts = self.server.cut.get(self.path, [])
        end = start + cuts.pop(0) if cuts else len(body)
        self.wfile.write(body[start:end])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Host]:
    host = Host()
    thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield host
    finally:
        host.shutdown()
        thread.join()
        host.server_close()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def entry(
    files: dict[str, tuple[bytes, list[str]]],
    *,
    layout: str = "flat",
    pictures: str = "",
    known: bool = True,
) -> DataSet:
    """A registered set "toy" of files {name: (content, urls)}; `known`: with sha256."""
    lines = [
        "[toy]",
        f'layout = "{layout}"',
        'title = "Toy"\nuse = "tests"\nlicence = "none"\nsource = "made here"\ncitation = []',
    ]
    for name, (content, urls) in files.items():
        lines += ["[[toy.files]]", f'name = "{name}"', f"bytes = {len(content)}"]
        lines += [f"urls = {urls!r}", f"verified = {str(known).lower()}"]
        lines += [f'sha256 = "{hashlib.sha256(content).hexdigest()}"'] if known else []
    return parse_registry("\n".join([*lines, pictures]))["toy"]
