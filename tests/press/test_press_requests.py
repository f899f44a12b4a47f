"""What the press answers to requests it cannot meet, and to a disk that is full."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import subprocess
import sys

import pytest
import toybook

from domain_translation import cli
from domain_translation.press import book as books
from domain_translation.press import stage
from domain_translation.press.book import Book, find_book
from domain_translation.press.files import PressError, RequestError, atomic_write, only_one
from domain_translation.press.plan import Wish, plan, read_override


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["book", "--profile", "quikc"], "unknown profile 'quikc'; did you mean quick?"),
        (["book", "--only", "part/onne"], "unknown chapter 'part/onne'; did you mean part/one"),
        (["book", "--only", "one"], "unknown chapter 'one'; did you mean part/one?"),
        (["book", "--only", "zzz"], "unknown chapter 'zzz'; there is part/one, part/two"),
        (["book", "-p", "sead=1"], "unknown parameter 'sead'; did you mean seed?"),
        (["book", "-p", "alpha=1"], "unknown parameter 'alpha'; there is seed"),
        (["book", "-p", "profile=full"], "chosen with --profile"),
        (["book", "-p", "seed"], "not of the form name=value"),
        (["book", "-p", "seed={1}"], "neither number, text nor list"),
        (["book", "--jobs", "0"], "at least 1, not 0"),
        (["book", "--limit", "0"], "must be positive CPU seconds, not 0"),
        (["notebooks", "--only", "part/three"], "unknown chapter 'part/three'"),
    ],
)
def test_wrong_requests_get_one_clear_sentence(tmp_path, monkeypatch, capsys, arguments, said):
    toybook.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_names_may_be_written_as_paths(tmp_path):
    book = toybook.make(tmp_path)
    for name in ("part/two", "book/part/two.md", "./book/part/two.ipynb"):
        assert [c.name for c in book.select([name])] == ["part/two"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("7", 7), ("True", True), ("[1, 2]", [1, 2]), ("word", "word"), ("'1'", "1")],
)
def test_parameter_values_are_python_literals_or_words(text, value):
    assert read_override(f"name={text}") == ("name", value)


def test_a_chapter_must_have_a_parameters_cell_with_a_profile(tmp_path):
    toybook.make(tmp_path)
    toybook.write(tmp_path / "book/part/one.md", toybook.HEADER + toybook.cell("seed = 0"))
    with pytest.raises(PressError, match="part/one has no cell tagged `parameters`"):
        plan(Book(tmp_path), Wish())


def test_a_book_without_chapters_says_so(tmp_path):
    toybook.make(tmp_path)
    toybook.write(tmp_path / "_toc.yml", "format: jb-book\nroot: book/intro\n")
    with pytest.raises(PressError, match="names no chapter"):
        plan(Book(tmp_path), Wish())


def test_a_page_that_does_not_exist_is_named(tmp_path):
    book = toybook.make(tmp_path)
    for document in book.documents:
        toybook.write(tmp_path / f"_build/stage/{document}.md", "")
    toybook.write(tmp_path / "_toc.yml", toybook.TOC + "  - file: book/part/ghost\n")
    with pytest.raises(PressError, match="names book/part/ghost, but there is no"):
        stage.check_documents(Book(tmp_path))


def test_the_book_is_found_from_any_folder_inside_it(tmp_path):
    toybook.make(tmp_path)
    assert find_book(tmp_path / "book" / "part").root == tmp_path.resolve()


def test_outside_a_checkout_the_command_says_where_to_get_one(tmp_path, monkeypatch, capsys):
    installed = tmp_path / "site-packages" / "domain_translation" / "press" / "book.py"
    monkeypatch.setattr(books, "__file__", str(installed))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["book"]) == 2
    stated = importlib.metadata.metadata("domain-translation").get_all("Project-URL")
    address = stated[0].split(", ")[1]
    assert f"clone {address} and run" in capsys.readouterr().err


def test_a_second_build_in_the_same_checkout_is_refused(tmp_path):
    with (
        only_one(tmp_path, "build"),
        pytest.raises(PressError, match="another build is running"),
        only_one(tmp_path, "build"),
    ):
        pass


def test_the_command_line_imports_no_torch():
    code = (
        "import sys, domain_translation.cli, domain_translation.press.build, "
        "domain_translation.press.pages; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_is_a_command(tmp_path):
    toybook.make(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "domain_translation", "book", "--only", "ghost"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown chapter 'ghost'" in done.stderr


def test_a_missing_book_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "psutil", None)
    for name in [m for m in sys.modules if m.startswith("domain_translation.press")]:
        monkeypatch.delitem(sys.modules, name)
    assert cli.main(["book"]) == 2
    assert "psutil is missing" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["fsync", "write"])
def test_a_full_disk_leaves_the_old_file_and_no_fragment(tmp_path, monkeypatch, step):
    path = tmp_path / "file.txt"
    atomic_write(path, "old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(PressError, match=r"cannot write .*file.txt: No space left on device"):
        atomic_write(path, "new content")
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text() == "old"


def test_a_write_that_is_cut_short_leaves_the_old_file_and_no_fragment(tmp_path):
    """The same with a real failure: the system allows the process files of 100 bytes."""
    path = tmp_path / "file.txt"
    atomic_write(path, "old")
    code = (
        "import resource, sys, pathlib; from domain_translation.press.files import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: atomic_write(pathlib.Path(sys.argv[1]), 'x' * 10_000)\n"
        "except PressError as error: print(error)"
    )
    said = subprocess.check_output([sys.executable, "-c", code, str(path)], text=True)
    assert said.startswith(f"cannot write {path}: File too large")
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]
    assert path.read_text() == "old"


def test_a_full_disk_in_any_step_is_one_sentence(tmp_path, monkeypatch, capsys):
    toybook.make(tmp_path)
    monkeypatch.chdir(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a/full/disk")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    assert cli.main(["notebooks"]) == 1
    said = capsys.readouterr().err
    assert said == "domain-translation: a/full/disk: No space left on device\n"


def test_a_file_where_a_folder_should_be_is_one_sentence(tmp_path):
    toybook.write(tmp_path / "taken", "")
    with pytest.raises(PressError, match="cannot write"):
        atomic_write(tmp_path / "taken" / "file", "x")


def test_request_errors_and_failures_exit_differently():
    assert (RequestError.status, PressError.status) == (2, 1)
