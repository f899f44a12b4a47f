"""When a chapter runs again: what it uses is observed, and nothing else counts."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import pytest
import toybook

from domain_translation.notebook import machine
from domain_translation.press import cache
from domain_translation.press.book import Book
from domain_translation.press.build import run_chapters
from domain_translation.press.execute import Execution
from domain_translation.press.key import Ingredients, ingredients, look, versions
from domain_translation.press.plan import Wish, keep, plan
from domain_translation.press.runner import Job

USED = (("__init__.py", "alpha.py"), ("table.csv",))


@pytest.fixture
def book(tmp_path, monkeypatch) -> Book:
    """The toy book; its two chapters use a module and a data file each, by different ways."""
    searched = [str(tmp_path / "src"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, searched)))
    made = toybook.make(tmp_path)
    one = "import importlib\nprint(importlib.import_module('toy_book.alpha').double(2))"
    opened = f"print(open({str(tmp_path / 'data/table.csv')!r}).read())"
    named = "import sys\nsys.audit('domain_translation.data_file', 'nets/a.bin')"
    toybook.write(tmp_path / "data/nets/a.bin", "1")
    toybook.write(tmp_path / "data/nets/b.bin", "1")
    toybook.write(tmp_path / "book/part/one.md", toybook.chapter("One", one, opened))
    toybook.write(tmp_path / "book/part/two.md", toybook.chapter("Two", "import toy_book", named))
    return made


def append(path: Path, text: str = "\n# more\n") -> None:
    path.write_text(path.read_text() + text)


def reasons(root: Path, wish: Wish | None = None) -> dict[str, str]:
    return {j.chapter.name: j.reason for j in plan(Book(root), wish or Wish()).jobs}


@pytest.mark.slow
def test_touching_a_file_runs_exactly_the_chapters_that_used_it(book):
    runs = run_chapters(book, Wish(), jobs=2, limit=60)
    assert [r.error for r in runs] == ["", ""]
    used = {c.chapter: c.ingredients for r in runs for c in cache.cards(book, "quick", r.chapter)}
    modules = ["__init__.py", "alpha.py", "deep/__init__.py", "deep/beta.py"]
    assert list(used["part/one"]["modules"]) == modules
    assert list(used["part/one"]["data"]) == ["table.csv"]
    assert list(used["part/two"]["modules"]) == ["__init__.py"]
    assert list(used["part/two"]["data"]) == ["nets/a.bin"]

    root, everyone = book.root, {"part/one", "part/two"}
    for name, said in {
        "src/toy_book/gamma.py": {},
        "data/other.csv": {},
        "data/nets/b.bin": {},
        "src/toy_book/deep/beta.py": {"part/one": "module deep/beta.py changed"},
        "data/table.csv": {"part/one": "data table.csv changed"},
        "data/nets/a.bin": {"part/two": "data nets/a.bin changed"},
        "src/toy_book/__init__.py": dict.fromkeys(everyone, "module __init__.py changed"),
    }.items():
        before = (root / name).read_text()
        append(root / name)
        assert reasons(root) == said, name
        (root / name).write_text(before)
        assert reasons(root) == {}, name
    (root / "data/table.csv").unlink()
    assert reasons(root) == {"part/one": "data table.csv changed"}


def now(root: Path, **parameters: object) -> Ingredients:
    """Ingredients of part/one if it uses `USED`."""
    book = Book(root)
    (chapter,) = book.select(["part/one"])
    return ingredients(
        chapter, {"profile": "quick", **parameters}, look(book), versions(book), *USED
    )


def execution(notebook: bytes = b"{}") -> Execution:
    return Execution("", notebook, 1.0, modules=USED[0], data=USED[1])


def run_one(root: Path, wish: Wish | None = None, **parameters: object) -> None:
    """Keep a run of part/one as if it had been executed."""
    book = Book(root)
    (chapter,) = book.select(["part/one"])
    job = Job(chapter, {"profile": "quick", **parameters}, "never run", 1.0)
    keep(book, job, execution(), wish or Wish(), look(book))


def test_prose_never_runs_a_chapter_again_and_code_does(book, tmp_path):
    run_one(tmp_path)
    text = (tmp_path / "book/part/one.md").read_text()
    append(tmp_path / "book/part/one.md", "\nMore *prose*.\n")
    assert "part/one" not in reasons(tmp_path)
    append(tmp_path / "book/part/one.md", toybook.cell("2 + 2"))
    assert reasons(tmp_path)["part/one"] == "code cells changed"
    toybook.write(tmp_path / "book/part/one.md", text.replace("[parameters]", "[parameters, x]"))
    assert "part/one" not in reasons(tmp_path)


@pytest.mark.parametrize(
    ("edited", "reason"),
    [("src/toy_book/alpha.py", "module alpha.py changed"), ("data/table.csv", "data table.csv")],
)
def test_changes_are_named(book, tmp_path, edited, reason):
    before = now(tmp_path)
    append(tmp_path / edited)
    after = now(tmp_path)
    assert after.key != before.key
    assert reason in after.changes_since(asdict(before))


def test_parameters_versions_and_machine_are_part_of_the_key(book, tmp_path, monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    first = now(tmp_path)
    assert now(tmp_path, seed=1).changes_since(asdict(first)) == "parameters changed"
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "other")
    said = now(tmp_path).changes_since(asdict(first))
    assert said == "another machine"
    assert "ATEN_CPU_CAPABILITY=other" in machine.identity()
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    project = (tmp_path / "pyproject.toml").read_text()
    depends = 'version = "1.0"\ndependencies = ["numpy>=1"]'
    toybook.write(tmp_path / "pyproject.toml", project.replace('version = "1.0"', depends))
    assert now(tmp_path).changes_since(asdict(first)) == "version of numpy changed"


def test_modification_times_play_no_part(book, tmp_path):
    before = now(tmp_path)
    for path in tmp_path.rglob("*"):
        os.utime(path, (1, 1))
    assert now(tmp_path).key == before.key


@pytest.mark.parametrize("name", ["inventory.csv", "findings.csv"])
def test_lists_of_rows_run_no_chapter_again(book, tmp_path, name):
    path = tmp_path / "data" / name
    toybook.write(path, "id,note\na.b,first\n")
    first = look(book).data[name]
    toybook.write(path, "id,note\na.b,better\na.c,more\n")
    assert look(book).data[name] == first
    other = tmp_path / "data" / "table.csv"
    before = look(book).data["table.csv"]
    toybook.write(other, "c,d\n")
    assert look(book).data["table.csv"] != before


def test_the_plan_follows_the_cache(book, tmp_path):
    assert reasons(tmp_path) == {"part/one": "never run", "part/two": "never run"}
    run_one(tmp_path)
    assert reasons(tmp_path) == {"part/two": "never run"}
    assert reasons(tmp_path, Wish(only=("part/one",), force=True)) == {"part/one": "forced"}
    assert reasons(tmp_path, Wish("full"))["part/one"] == "never run"
    # A run of the checkout does not prove the wheel; one of the wheel serves both.
    assert reasons(tmp_path, Wish(wheel=True))["part/one"] == "never run"
    run_one(tmp_path, Wish(wheel=True))
    for wheel in (True, False):
        assert reasons(tmp_path, Wish(wheel=wheel)) == {"part/two": "never run"}


def test_an_undone_edit_finds_the_old_run(book, tmp_path):
    text = (tmp_path / "book/part/one.md").read_text()
    run_one(tmp_path)
    append(tmp_path / "book/part/one.md", toybook.cell("2 + 2"))
    run_one(tmp_path)
    toybook.write(tmp_path / "book/part/one.md", text)
    assert "part/one" not in reasons(tmp_path)


def test_sources_edited_during_a_run_make_it_run_again(book, tmp_path):
    (chapter,) = book.select(["part/one"])
    before = look(book)
    text = (tmp_path / "src/toy_book/alpha.py").read_text()
    append(tmp_path / "src/toy_book/alpha.py")
    keep(book, Job(chapter, {"profile": "quick"}, "", 1.0), execution(), Wish(), before)
    assert reasons(tmp_path)["part/one"] == "module alpha.py changed"
    toybook.write(tmp_path / "src/toy_book/alpha.py", text)
    assert reasons(tmp_path)["part/one"] == "sources changed during its last run"


def test_chapters_left_out_keep_their_last_run_and_say_that_it_is_stale(book, tmp_path):
    run_one(tmp_path)
    append(tmp_path / "book/part/one.md", toybook.cell("2 + 2"))
    (run,) = plan(Book(tmp_path), Wish(only=("part/two",))).kept
    assert (run.chapter, run.status, run.stale) == ("part/one", "cached", True)
    assert run.reason == "not chosen; stale: code cells changed"


def test_a_run_without_its_card_or_with_a_damaged_one_does_not_count(book, tmp_path):
    run_one(tmp_path)
    (card,) = cache.folder(book, "quick", "part/one").glob("*.json")
    card.write_text(card.read_text()[:40])
    assert reasons(tmp_path)["part/one"] == "never run"
    card.unlink()
    assert reasons(tmp_path)["part/one"] == "never run"


def test_old_runs_are_dropped(book, tmp_path):
    for seed in range(cache.KEPT_RUNS + 3):
        run_one(tmp_path, seed=seed)
    files = sorted(p.suffix for p in cache.folder(book, "quick", "part/one").iterdir())
    assert files == [".ipynb"] * cache.KEPT_RUNS + [".json"] * cache.KEPT_RUNS
    kept = [c.ingredients["parameters"]["seed"] for c in cache.cards(book, "quick", "part/one")]
    assert kept == [8, 7, 6, 5, 4, 3]  # newest first


def test_a_fresh_clone_starts_with_the_dearest_chapter(book, tmp_path):
    table = "| chapter | CPU s |\n|---|---:|\n| part/one | 5.5 | 3 |\n| part/two | 70 | 3 |\n"
    toybook.write(tmp_path / "benchmarks/book.md", table)
    costs = {j.chapter.name: j.expected for j in plan(Book(tmp_path), Wish()).jobs}
    assert costs == {"part/one": 5.5, "part/two": 70.0}
