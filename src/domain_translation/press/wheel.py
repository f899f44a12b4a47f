"""The built wheel in a Python of its own: what a reader gets from ``pip install``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from domain_translation.press.book import Book
from domain_translation.press.files import PressError, digest, file_digest, tree_digest

PARTS = ("pyproject.toml", "README.md", "LICENSE")


def python(book: Book) -> Path:
    """The interpreter of an environment that holds the wheel of the checkout as it is now.

    Built once per state of the sources, in ``_build/wheel/``. Its other packages are borrowed
    from this environment: a path in a .pth file is searched, but .pth files inside it are not
    read, and so the checkout itself stays out.

    Raises:
        PressError: the wheel cannot be built or installed; the text ends with pip's words.
    """
    parts = [file_digest(book.root / p) for p in PARTS if (book.root / p).is_file()]
    state = digest(" ".join([tree_digest(book.package), tree_digest(book.root / "data"), *parts]))
    folder = book.build / "wheel" / state[:16]
    interpreter = folder / "venv" / "bin" / "python"
    if (folder / "done").is_file():
        return interpreter
    shutil.rmtree(book.build / "wheel", ignore_errors=True)
    _call(
        *("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(book.root)),
        what="the wheel cannot be built",
    )
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    asked = [str(interpreter), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.check_output(asked, text=True).strip())
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join(sorted(paths)) + "\n", encoding="utf-8")
    (wheel,) = folder.glob("*.whl")
    _call(
        *("-m", "pip", "--python", str(interpreter), "install", "--no-deps", "--no-index"),
        *("--force-reinstall", "--quiet", str(wheel)),
        what="the wheel cannot be installed",
    )
    (folder / "done").touch()
    return interpreter


def _call(*arguments: str, what: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PressError(f"{what}:\n" + "\n".join(done.stdout.splitlines()[-20:]))
