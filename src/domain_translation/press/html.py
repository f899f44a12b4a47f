"""From the stage to the HTML pages: Jupyter Book in a process of its own, warnings as errors."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from domain_translation.press.book import Book
from domain_translation.press.execute import ANSI
from domain_translation.press.files import PressError, atomic_write, file_digest

JUPYTER_BOOK = "from jupyter_book.cli.main import main; main()"


def index(book: Book) -> Path:
    """The page to open."""
    return book.build / "html" / "index.html"


def build(book: Book, stage_digest: str, *, strict: bool) -> bool:
    """Build the HTML unless it was built from this very stage; says whether it was built.

    A stamp with the stage's and the pins' digests is written when a build ended well. Without
    it nothing is known about Sphinx's own cache (interrupted, or warnings that it would not
    repeat), so that cache is dropped.

    Raises:
        PressError: Sphinx failed or, if `strict`, warned; the text quotes its warnings.
    """
    stamp, constraints = book.build / "html.stamp", book.root / "constraints.txt"
    state = [stage_digest, file_digest(constraints), "strict" if strict else "lenient"]
    last = stamp.read_text().split() if stamp.is_file() else ["", "", ""]
    if index(book).is_file() and last in (state, [*state[:2], "strict"]):
        return False
    if last[1] != state[1] or (strict and last[2] == "lenient"):
        shutil.rmtree(book.build / ".doctrees", ignore_errors=True)
    stamp.unlink(missing_ok=True)
    # Sphinx rereads what changed, but writes only those pages: a link from any other page to a
    # place that vanished would pass. Pages that look old are all written, and checked.
    for page in (book.build / "html").rglob("*.html"):
        os.utime(page, (0, 0))
    log = book.build / "html.log"
    status = _run(book, strict, log)
    if status:
        raise PressError(f"Jupyter Book ended with status {status}; from {log}:\n{_tail(log)}")
    atomic_write(stamp, " ".join(state))
    return True


def _run(book: Book, strict: bool, log: Path) -> int:
    """Jupyter Book's exit status; it is ended when this process is stopped."""
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
            return process.wait()
        finally:
            process.terminate()


def _tail(log: Path) -> str:
    """Sphinx's warnings and errors, or the end of its output when it named none."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    named = [line for line in lines if "WARNING" in line or "ERROR" in line]
    return ANSI.sub("", "\n".join((named or lines)[-40:]))
