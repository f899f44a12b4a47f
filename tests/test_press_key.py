"""The content key: what makes a chapter run again, and what does not."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import pytest
import toybook

from domain_translation.press import cache
from domain_translation.press.book import Book
from domain_translation.press.key import Ingredients, imported_modules, ingredients
from domain_translation.press.plan import Wish, plan


def look(root: Path, name: str = "part/one", **parameters: object) -> Ingredients:
    book = Book(root)
    (chapter,) = book.select([name])
    return ingredients(book, chapter, {"profile": "quick", **parameters})


def append(path: Path, text: str = "\n# edited\n") -> None:
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize(
    ("edited", "reason"),
    [
        ("book/part/one.md", "text changed"),
        ("src/toy_book/alpha.py", "module alpha changed"),
        ("src/toy_book/deep/beta.py", "module deep.beta changed"),
        ("src/toy_book/deep/__init__.py", "module deep changed"),
        ("src/toy_book/__init__.py", "module __init__ changed"),
        ("data/table.csv", "data table.csv changed"),
        ("constraints.txt", "constraints changed"),
        ("src/toy_book/gamma.py", ""),
        ("data/other.csv", ""),
        ("book/part/two.md", ""),
        ("book/intro.md", ""),
    ],
)
def test_only_a_chapters_own_ingredients_change_its_key(tmp_path, edited, reason):
    toybook.make(tmp_path)
    before = look(tmp_path)
    append(tmp_path / edited)
    after = look(tmp_path)
    assert after.changes_since(asdict(before)) == reason
    assert (after.key == before.key) == (reason == "")


def test_parameters_and_profile_are_part_of_the_key(tmp_path):
    toybook.make(tmp_path)
    plain, seeded, again = look(tmp_path), look(tmp_path, seed=1), look(tmp_path, seed=1)
    assert seeded.changes_since(asdict(plain)) == "parameters changed"
    assert plain.key != seeded.key == again.key


def test_modification_times_play_no_part(tmp_path):
    toybook.make(tmp_path)
    before = look(tmp_path).key
    for path in tmp_path.rglob("*"):
        os.utime(path, (1, 1))
    assert look(tmp_path).key == before


def test_several_changes_are_all_named(tmp_path):
    toybook.make(tmp_path)
    before = look(tmp_path)
    append(tmp_path / "book/part/one.md")
    append(tmp_path / "src/toy_book/alpha.py")
    append(tmp_path / "src/toy_book/deep/beta.py")
    said = look(tmp_path).changes_since(asdict(before))
    assert said == "text changed, modules alpha, deep.beta changed"


def test_a_removed_module_is_a_change(tmp_path):
    toybook.make(tmp_path)
    before = look(tmp_path)
    (tmp_path / "src/toy_book/deep/beta.py").unlink()
    assert "module deep.beta changed" in look(tmp_path).changes_since(asdict(before))


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import toy_book", {"__init__"}),
        ("import toy_book.gamma as g", {"__init__", "gamma"}),
        ("from toy_book import gamma", {"__init__", "gamma"}),
        ("from toy_book.gamma import anything", {"__init__", "gamma"}),
        ("def f():\n    import toy_book.gamma", {"__init__", "gamma"}),
        ("from toy_book.deep import beta", {"__init__", "deep", "deep.beta"}),
        ("from toy_book.alpha import double", {"__init__", "alpha", "deep", "deep.beta"}),
        ("import toy_bookish, numpy", set()),
        ("this is no Python", set()),
    ],
)
def test_imports_are_found_whatever_their_form(tmp_path, source, modules):
    book = toybook.make(tmp_path)
    assert set(imported_modules(book.package, [source])) == modules


@pytest.mark.parametrize(
    ("where", "line", "module"),
    [
        ("deep/beta.py", "from . import delta", "deep.delta"),
        ("deep/beta.py", "from .delta import x", "deep.delta"),
        ("deep/beta.py", "from .. import gamma", "gamma"),
        ("deep/beta.py", "from ..gamma import x", "gamma"),
        ("deep/__init__.py", "from .delta import x", "deep.delta"),
        ("deep/__init__.py", "from ..gamma import x", "gamma"),
    ],
)
def test_relative_imports_are_resolved(tmp_path, where, line, module):
    book = toybook.make(tmp_path)
    toybook.write(book.package / "deep/delta.py", "")
    toybook.write(book.package / where, line + "\n")
    assert module in imported_modules(book.package, ["import toy_book.deep.beta"])


def test_magics_do_not_hide_a_cells_imports(tmp_path):
    toybook.make(tmp_path)
    text = toybook.chapter("T", "%matplotlib inline\n!ls\nfrom toy_book import gamma")
    toybook.write(tmp_path / "book/part/one.md", text)
    assert "gamma" in look(tmp_path).modules


def test_a_computed_data_name_counts_all_data(tmp_path):
    toybook.make(tmp_path)
    text = toybook.chapter("T", "name = 'other.csv'\nledger.data_file(name)")
    toybook.write(tmp_path / "book/part/one.md", text)
    before = look(tmp_path)
    append(tmp_path / "data/other.csv")
    assert look(tmp_path).key != before.key


def test_a_data_name_that_begins_with_a_folder_counts_that_folder(tmp_path):
    toybook.make(tmp_path)
    toybook.write(tmp_path / "data/nets/a.bin", "1")
    text = toybook.chapter("T", "name = 'a'\nledger.data_file(f'nets/{name}.bin')")
    toybook.write(tmp_path / "book/part/one.md", text)
    before = look(tmp_path)
    append(tmp_path / "data/other.csv")
    assert look(tmp_path).key == before.key
    append(tmp_path / "data/nets/a.bin")
    assert look(tmp_path).key != before.key


def kept(book: Book, before: Ingredients, after: Ingredients, **parameters: object) -> cache.Card:
    facts = {"reason": "never run", "seconds": 1.0, "peak_mib": 1.0, "versions": {}}
    return cache.keep(book, "part/one", "quick", before, after, b"{}", **facts)


def reasons(root: Path, wish: Wish) -> dict[str, str]:
    return {j.chapter.name: j.reason for j in plan(Book(root), wish).jobs}


def test_the_plan_follows_the_cache(tmp_path):
    book = toybook.make(tmp_path)
    assert reasons(tmp_path, Wish()) == {"part/one": "never run", "part/two": "never run"}
    now = look(tmp_path)
    kept(book, now, now)
    assert reasons(tmp_path, Wish()) == {"part/two": "never run"}
    assert reasons(tmp_path, Wish(only=("part/one",), force=True)) == {"part/one": "forced"}
    assert reasons(tmp_path, Wish("full"))["part/one"] == "never run"
    append(tmp_path / "book/part/one.md")
    assert reasons(tmp_path, Wish())["part/one"] == "text changed"


def test_an_undone_edit_finds_the_old_run(tmp_path):
    book = toybook.make(tmp_path)
    text = (tmp_path / "book/part/one.md").read_text()
    first = look(tmp_path)
    kept(book, first, first)
    append(tmp_path / "book/part/one.md")
    second = look(tmp_path)
    kept(book, second, second)
    toybook.write(tmp_path / "book/part/one.md", text)
    assert "part/one" not in reasons(tmp_path, Wish())


def test_sources_edited_during_a_run_make_it_run_again(tmp_path):
    book = toybook.make(tmp_path)
    before = look(tmp_path)
    append(tmp_path / "src/toy_book/alpha.py")
    kept(book, before, look(tmp_path))
    assert reasons(tmp_path, Wish())["part/one"] == "module alpha changed"
    toybook.make(tmp_path)
    assert reasons(tmp_path, Wish())["part/one"] == "sources changed during its last run"


def test_chapters_left_out_keep_their_last_run_and_say_that_it_is_stale(tmp_path):
    book = toybook.make(tmp_path)
    now = look(tmp_path)
    kept(book, now, now)
    append(tmp_path / "book/part/one.md")
    (run,) = plan(Book(tmp_path), Wish(only=("part/two",))).kept
    assert (run.chapter, run.status, run.stale) == ("part/one", "cached", True)
    assert run.reason == "not chosen; stale: text changed"


def test_a_run_without_its_card_or_with_a_damaged_one_does_not_count(tmp_path):
    book = toybook.make(tmp_path)
    now = look(tmp_path)
    card = cache.notebook_path(book, kept(book, now, now)).with_suffix(".json")
    card.write_text(card.read_text()[:40])
    assert reasons(tmp_path, Wish())["part/one"] == "never run"
    card.unlink()
    assert reasons(tmp_path, Wish())["part/one"] == "never run"


def test_old_runs_are_dropped(tmp_path):
    book = toybook.make(tmp_path)
    for seed in range(cache.KEPT_RUNS + 3):
        now = look(tmp_path, seed=seed)
        kept(book, now, now)
    files = sorted(p.suffix for p in cache.folder(book, "quick", "part/one").iterdir())
    assert files == [".ipynb"] * cache.KEPT_RUNS + [".json"] * cache.KEPT_RUNS
