"""Chapters really executed: results, failures, limits, Ctrl-C, and nothing left behind."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
import toybook

from domain_translation import cli
from domain_translation.notebook import criteria, ledger
from domain_translation.press import cache, execute
from domain_translation.press.book import Book
from domain_translation.press.build import run_chapters
from domain_translation.press.files import PressError
from domain_translation.press.plan import Wish, plan
from domain_translation.press.report import table
from domain_translation.press.run import Run

# Writes the pids of the kernel and of a process that it starts, then never ends.
ENDLESS = """
import os, pathlib, subprocess, time
print("got this far")
child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
path = pathlib.Path({place!r})
path.with_suffix(".new").write_text(f"{{os.getpid()}} {{child.pid}}")
path.with_suffix(".new").rename(path)
"""
FOREVER = "# the endless cell\ntime.sleep(1000)"


@pytest.fixture
def book(tmp_path, monkeypatch) -> Book:
    searched = [str(tmp_path / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, searched)))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    monkeypatch.chdir(tmp_path)
    return toybook.make(tmp_path)


def set_chapter(book: Book, name: str, *sources: str) -> None:
    toybook.write(book.root / f"book/{name}.md", toybook.chapter(name, *sources))


def wait_for(condition, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def assert_ended(place: Path) -> None:
    """The processes whose pids stand in the file are gone, or about to be reaped."""
    pids = [int(pid) for pid in place.read_text().split()]
    assert len(pids) == 2

    def gone(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_for(lambda: all(gone(pid) for pid in pids), 15.0)


def texts(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text())["cells"]
    return ["".join(o.get("text", "")) for c in cells for o in c.get("outputs", [])]


def by_name(runs: list[Run]) -> dict[str, Run]:
    return {r.chapter: r for r in runs}


def test_chapters_run_once_with_their_parameters_in_an_empty_folder(book, capsys):
    set_chapter(
        book,
        "part/two",
        "import os",
        "print(profile, seed, os.listdir(), os.environ['OMP_NUM_THREADS'], hash('fixed'))",
    )
    wish = Wish(overrides=(("seed", 5),))
    first = by_name(run_chapters(book, wish, jobs=2, limit=60))
    assert texts(first["part/one"].notebook) == ["4\n"]
    fixed = subprocess.check_output(
        [sys.executable, "-c", "print(hash('fixed'))"],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        text=True,
    ).strip()
    assert texts(first["part/two"].notebook) == [f"quick 5 [] 1 {fixed}\n"]
    assert {r.status for r in first.values()} == {"ran"}
    assert first["part/one"].peak_mib > 20
    assert first["part/one"].versions["python"].startswith("3.")

    notebook = json.loads(first["part/two"].notebook.read_text())
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert all(set(c["metadata"]) <= {"tags"} for c in notebook["cells"])
    injected = [c for c in notebook["cells"] if "remove-cell" in c["metadata"].get("tags", [])]
    assert len(injected) == 1

    again = by_name(run_chapters(Book(book.root), wish, jobs=2, limit=60))
    assert {(r.status, r.reason) for r in again.values()} == {("cached", "nothing changed")}
    assert again["part/two"].notebook == first["part/two"].notebook
    assert again["part/two"].cpu_seconds == first["part/two"].cpu_seconds > 0
    assert "part/one: ran, " in capsys.readouterr().out


def test_a_failing_chapter_names_its_cell_and_the_others_finish(book, capsys):
    assert cli.main(["book"]) == 0
    capsys.readouterr()
    set_chapter(book, "part/one", "print('fine so far')", "wrong = 1 / 0\nprint('never')")
    assert cli.main(["book"]) == 1
    said = capsys.readouterr().out
    assert "part/one: cell 5 failed:\n    wrong = 1 / 0" in said
    assert "ZeroDivisionError: division by zero" in said
    assert "\x1b" not in said
    assert "HTML built" in said
    page = (book.build / "html/book/part/one.html").read_text()
    assert "ZeroDivisionError" in page
    assert "last good run" in page
    assert "(failed)" in (book.build / "html/book/part/two.html").read_text()
    assert texts(book.build / "failed/part/one.ipynb")[0] == "fine so far\n"
    assert [j.chapter.name for j in plan(Book(book.root), Wish()).jobs] == ["part/one"]


def test_a_failed_chapter_keeps_its_last_good_run(book):
    set_chapter(book, "part/one", "print('good')")
    run_chapters(book, Wish(only=("part/one",)), jobs=1, limit=60)
    set_chapter(book, "part/one", "raise ValueError('bad')")
    found = by_name(run_chapters(Book(book.root), Wish(only=("part/one",)), jobs=1, limit=60))
    run = found["part/one"]
    assert (run.status, run.stale) == ("failed", True)
    assert texts(run.notebook) == ["good\n"]
    assert "ValueError: bad" in run.error
    assert run.partial.is_file()


BUSY = "# the endless cell\nprint('got this far', flush=True)\nwhile True: pass"


@pytest.mark.parametrize(
    ("last", "limit", "said"),
    [
        (BUSY, 5.0, "it had computed for 5 CPU seconds, its limit, and was ended"),
        (FOREVER, 60.0, "one of its cells was still running after 12 s"),
        ("import signal\nos.kill(os.getpid(), signal.SIGKILL)", 60.0, "was killed by the system"),
    ],
    ids=["computes", "sleeps", "killed"],
)
def test_a_kernel_that_is_ended_takes_along_all_it_started(
    book, tmp_path, monkeypatch, last, limit, said
):
    if last == FOREVER:
        monkeypatch.setattr(execute, "PATIENCE", 0.2)
    place = tmp_path / "pids"
    set_chapter(book, "part/two", ENDLESS.format(place=str(place)), last)
    wish = Wish(only=("part/two",))
    run = by_name(run_chapters(book, wish, jobs=1, limit=limit))["part/two"]
    assert said in run.error
    assert last.splitlines()[0] in run.error
    assert_ended(place)
    assert texts(book.build / "failed/part/two.ipynb")[0] == "got this far\n"
    assert not cache.cards(book, "quick", "part/two")
    (other,) = plan(Book(book.root), Wish(only=("part/one",))).jobs
    assert other.reason == "never run"


def test_a_full_disk_costs_the_chapter_that_was_filed_and_no_other(book, monkeypatch):
    whole = cache.keep

    def full(book: Book, card: cache.Card, notebook: bytes) -> None:
        if card.chapter == "part/one":
            raise PressError("cannot write one.ipynb: No space left on device")
        whole(book, card, notebook)

    monkeypatch.setattr(cache, "keep", full)
    runs = by_name(run_chapters(book, Wish(), jobs=2, limit=60))
    assert runs["part/one"].error == "cannot write one.ipynb: No space left on device"
    assert (runs["part/one"].status, runs["part/two"].status) == ("failed", "ran")
    monkeypatch.undo()
    monkeypatch.setenv("PYTHONPATH", str(book.root / "src"))

    def full_too(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "executed.ipynb")

    monkeypatch.setattr(execute, "tidy", full_too)
    runs = by_name(run_chapters(Book(book.root), Wish(), jobs=2, limit=60))
    assert runs["part/one"].error == "cannot write executed.ipynb: No space left on device"
    assert runs["part/two"].status == "cached"
    monkeypatch.undo()
    monkeypatch.setenv("PYTHONPATH", str(book.root / "src"))
    again = by_name(run_chapters(Book(book.root), Wish(), jobs=2, limit=60))
    assert (again["part/one"].status, again["part/two"].status) == ("ran", "cached")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import os\nos._exit(3)", "its kernel died with status 3\ncell 4 failed:\n    import os"),
        ("raise SystemExit", "the kernel ended before this cell"),
        ("open('litter.txt', 'w').close()", "it left files behind: litter.txt"),
    ],
)
def test_a_kernel_that_leaves_early_is_a_failure(book, source, said):
    set_chapter(book, "part/two", source, "print('never')")
    (run,) = (r for r in run_chapters(book, Wish(only=("part/two",)), jobs=1, limit=60) if r.error)
    assert run.status == "failed"
    assert said in run.error


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopping_the_press_stops_everything_and_keeps_what_is_done(book, tmp_path, sent):
    place = tmp_path / "pids"
    set_chapter(book, "part/two", ENDLESS.format(place=str(place)), FOREVER)
    # A child of nohup, or of a shell's background, inherits that SIGINT is ignored.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = "from domain_translation import cli; raise SystemExit(cli.main())"
    press = subprocess.Popen(
        [sys.executable, "-c", heard + command, "notebooks", "--jobs", "2"],
        cwd=book.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: place.exists() and cache.cards(book, "quick", "part/one"))
        press.send_signal(sent)
        _, error = press.communicate(timeout=180)
    finally:
        press.kill()
    if sent != signal.SIGKILL:
        assert press.returncode == 128 + sent
        assert "Finished and kept: part/one." in error
        assert_ended(place)
        assert not list((tmp_path / "scratch").glob("domain-translation-*"))
    else:
        kernel = int(place.read_text().split()[0])
        wait_for(lambda: not psutil.pid_exists(kernel))
        os.kill(int(place.read_text().split()[1]), signal.SIGKILL)
    assert not list(book.build.rglob(".*.ipynb*"))
    assert not list((book.root / "book").rglob("*.ipynb"))
    jobs = {j.chapter.name: j.reason for j in plan(Book(book.root), Wish()).jobs}
    assert jobs == {"part/two": "never run"}


def test_the_table_counts_the_verdicts_of_the_claims(tmp_path):
    def output(verdict: str) -> dict[str, object]:
        return {
            "output_type": "display_data",
            "metadata": {ledger.METADATA_KEY: {"verdict": verdict}},
        }

    verdicts = [criteria.CONFIRMED, criteria.REDUCED, criteria.NOT_RUN, criteria.RECORDED]
    verdicts += [criteria.CONTRADICTED, criteria.UNDECIDED]
    cells = [{"cell_type": "code", "outputs": [output(v)]} for v in verdicts]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown"}, *cells]}))
    run = Run("part/one", "One", "cached", "nothing changed", "k", 12.34, 15.0, 456.7, path)
    dear = Run("part/two", "Two", "ran", "forced", "k", 90.5, 95.0, 1.0)
    none = Run("part/six", "Six", "not run", "not chosen; never run")
    lines = table([run, dear, none]).splitlines()
    one = ["part/one", "cached", "nothing", "changed", "12.3", "457", "2", "1", "1"]
    assert lines[2].split() == one
    assert lines[3].split()[-6:] == ["90.5", "!", "1", "0", "0", "0"]
    assert lines[4].split()[-5:] == ["-"] * 5
    assert lines[5].split()[:2] == ["together", "-"]
    assert "103" in lines[5]


def test_a_kernel_has_answered_before_it_closes_its_output(book, tmp_path):
    """ipykernel may close first and then wait for the thread that answers: for a minute."""
    place = tmp_path / "answering"
    look = f"""
    from pathlib import Path
    from ipykernel.kernelapp import IPKernelApp
    app = IPKernelApp.instance()
    def stop(app=app, stop=app.iopub_thread.stop, place=Path({str(place)!r})):
        place.write_text(str(app.control_thread.is_alive()))
        stop()
    app.iopub_thread.stop = stop
    """
    set_chapter(book, "part/one", textwrap.dedent(look))
    run = by_name(run_chapters(book, Wish(only=("part/one",)), jobs=1, limit=60))["part/one"]
    assert (run.status, run.error) == ("ran", "")
    assert place.read_text() == "False"
