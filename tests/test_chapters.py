"""Every committed notebook, alone in an empty folder, with only the built wheel.

Proves two promises at once: a chapter needs only the installed package (as in Colab), and its
claim cells print again what the committed notebook says.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from domain_translation.press.book import Book
from domain_translation.press.notebooks import paired

BOOK = Book(Path(__file__).resolve().parents[1])
LIMIT = 600  # seconds; a quick chapter promises about 60


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Let the workers of pytest-xdist through one at a time."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command without the checkout's Python path, keeping its output."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
    return subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env={**environment, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        check=False,
    )


def make_python(folder: Path) -> Path:
    """A virtual environment with the wheel; the other packages are borrowed from this one.

    A path in a .pth file is searched, but .pth files inside it are not read: that is how the
    editable install of this environment stays out.
    """
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", folder)
    built = run(sys.executable, *build, cwd=BOOK.root)
    assert built.returncode == 0, built.stdout
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    asked = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    packages = Path(asked.stdout.strip())
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "borrowed.pth").write_text("\n".join(sorted(paths)) + "\n")
    (wheel,) = folder.glob("*.whl")
    pip = ("-m", "pip", "--python", python, "install", "--no-deps", "--no-index")
    installed = run(sys.executable, *pip, "--force-reinstall", wheel, cwd=folder)
    assert installed.returncode == 0, installed.stdout
    return python


@pytest.fixture(scope="session")
def wheel_python(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The wheel's environment, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "wheel"
    shared.mkdir(exist_ok=True)
    with alone(shared / "lock"):
        if not (shared / "done").exists():
            make_python(shared)
            (shared / "done").touch()
    return shared / "venv" / "bin" / "python"


def test_the_wheel_is_what_gets_imported(wheel_python, tmp_path):
    code = "import domain_translation as d; from domain_translation.ledger import inventory; "
    asked = run(wheel_python, "-c", code + "print(d.__file__, len(inventory()))", cwd=tmp_path)
    file, rows = asked.stdout.split()
    assert Path(file).is_relative_to(wheel_python.parents[1])
    assert int(rows) > 100


def test_the_wheel_alone_cannot_make_the_book_and_says_so(wheel_python, tmp_path):
    said = run(wheel_python, "-m", "domain_translation", "book", cwd=tmp_path)
    assert said.returncode == 2
    assert f"clone {BOOK.repository} and run" in said.stdout


@pytest.mark.slow
@pytest.mark.parametrize("chapter", BOOK.chapters, ids=lambda c: c.name)
def test_a_chapter_runs_alone_and_its_claims_print_again(wheel_python, tmp_path, chapter):
    committed = paired(BOOK, chapter)
    assert committed.is_file(), f"{committed} is missing: run `make notebooks`"
    notebook = tmp_path / "empty" / committed.name
    notebook.parent.mkdir()
    cells = nbformat.read(committed, as_version=4)
    # The kernel, too, must see the wheel and not the checkout.
    proof = f"import domain_translation as d\nassert {str(wheel_python.parents[1])!r} in d.__file__"
    cells.cells.insert(0, nbformat.v4.new_code_cell(proof))
    nbformat.write(cells, notebook)
    options = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", str(LIMIT))
    plain = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    done = run(wheel_python, "-m", "pytest", *plain, *options, notebook.name, cwd=notebook.parent)
    assert done.returncode == 0, done.stdout
    assert [p.name for p in notebook.parent.iterdir()] == [notebook.name], "it left files behind"
