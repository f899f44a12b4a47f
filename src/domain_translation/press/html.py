"""From the stage to the HTML pages: Jupyter Book in a process of its own, warnings as errors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

from domain_translation.press.book import Book
from domain_translation.press.execute import ANSI
from domain_translation.press.files import (
    PressError,
    atomic_write,
    digest,
    file_digest,
    tree_digest,
)

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"


def index(book: Book) -> Path:
    """The page to open."""
    return book.build / "html" / "index.html"


def build(book: Book, stage_digest: str, *, strict: bool) -> bool:
    """Build the HTML unless it was built from this very stage; says whether it was built.

    A stamp with digests of the stage and of what every page stands on, the pins, the table of
    contents, styles and scripts, is written when a build ended well. Without it nothing is known
    about Sphinx's own cache (interrupted, or warnings that it would not repeat), so that cache is
    dropped.

    Raises:
        PressError: Sphinx failed or, if `strict`, warned; the text quotes its warnings.
    """
    stamp = book.build / "html.stamp"
    everywhere = (book.root / "constraints.txt", book.build / "stage" / "_toc.yml")
    static = tree_digest(book.build / "stage" / "book" / "_static")
    common = digest(" ".join([static, *(file_digest(path) for path in everywhere)]))
    state = [stage_digest, common, "strict" if strict else "lenient"]
    last = stamp.read_text().split() if stamp.is_file() else ["", "", ""]
    if index(book).is_file() and last in (state, [*state[:2], "strict"]):
        return False
    if last[1] != state[1] or (strict and last[2] == "lenient"):
        shutil.rmtree(book.build / ".doctrees", ignore_errors=True)
    stamp.unlink(missing_ok=True)
    places = _places(book)
    _run(book, strict)
    # Sphinx writes only pages that changed: a link from any other to a place that vanished, or
    # has another name or number now, would pass. Pages that look old are all written, and checked.
    if places and places != _places(book):
        for page in (book.build / "html").rglob("*.html"):
            os.utime(page, (0, 0))
        _run(book, strict)
    _drop_pictures(book.build / "html")
    atomic_write(stamp, " ".join(state))
    return True


def _drop_pictures(html: Path) -> None:
    """Remove pictures of earlier builds, which Sphinx leaves lying, from the built site."""
    shown = {
        unquote(name)
        for page in html.rglob("*.html")
        for name in re.findall(r"_images/([^\"'#?)]+)", page.read_text(encoding="utf-8"))
    }
    for path in (html / "_images").glob("*"):
        if path.name not in shown:
            path.unlink()


def _places(book: Book) -> bytes:
    """Sphinx's list of everything that can be linked to, with names; empty before any build."""
    inventory = book.build / "html" / "objects.inv"
    return inventory.read_bytes() if inventory.is_file() else b""


def _run(book: Book, strict: bool) -> None:
    """Run Jupyter Book; it is ended when this process is stopped.

    Raises:
        PressError: it failed.
    """
    log = book.build / "html.log"
    flags = ["-W", "-n", "--keep-going"] if strict else ["-n"]
    command = [sys.executable, "-c", JUPYTER_BOOK, "build", str(book.build / "stage")]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "--path-output", str(book.root), *flags],
            env={**os.environ, "PYTHONHASHSEED": "0", "NO_COLOR": "1"},
            cwd=book.root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            status = process.wait()
        finally:
            process.terminate()
    if status:
        raise PressError(f"Jupyter Book ended with status {status}; from {log}:\n{_tail(log)}")


def _tail(log: Path) -> str:
    """Sphinx's warnings and errors, or the end of its output when it named none."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    named = [line for line in lines if "WARNING" in line or "ERROR" in line]
    return ANSI.sub("", "\n".join((named or lines)[-40:]))
