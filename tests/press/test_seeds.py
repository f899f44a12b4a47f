"""Seeds cards: what runs for them, what is kept, and when they are made anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import toybook

from domain_translation import cli
from domain_translation.notebook import card_files, machine
from domain_translation.notebook.cards import Card, Row
from domain_translation.press import measured, seeds
from domain_translation.press.book import Book
from domain_translation.press.execute import Execution
from domain_translation.press.files import PressError
from domain_translation.press.processes import Interrupted

MEASURING = """
import sys
from toy_book import alpha
sys.audit("domain_translation.measure", "", "double", float(alpha.double(seed) % 7), (), 0.0)
# ledger.measure( marks the cell
"""
LATER = "print('costly')"


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    found = toybook.make(tmp_path)
    toybook.write(tmp_path / "book/part/one.md", toybook.chapter("One", MEASURING, LATER))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "src"))
    return Book(found.root)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Chapters and seeds that are executed, by a stand-in that measures as the chapter would."""
    out: list[tuple[str, int]] = []

    def execute_all(book, jobs, *, finished, **_):
        for job in jobs:
            seed = job.parameters["seed"]
            out.append((job.chapter.name, seed))
            assert job.measuring
            value = float(2 * seed % 7)
            found = (("", "double", value, (), 0.0),)
            modules = ("alpha.py", "deep/beta.py", "notebook/cards.py")
            execution = Execution("", b"{}", 1.0, 0.5, 20.0, modules, (), found)
            finished(job, execution)

    monkeypatch.setattr(seeds, "execute_all", execute_all)
    return out


def values(book: Book) -> dict[int, float]:
    found = measured.stored(book, "part/one")
    assert found is not None
    return found.values("double")


def make(book: Book, **options) -> int:
    return seeds.make(Book(book.root), [], jobs=2, limit=None, **options)


def test_a_chapter_runs_up_to_its_last_measurement(book):
    one, two = book.chapters
    short = measured.measuring(one)
    assert short is not None
    sources = [c.source for c in short.notebook.cells]
    assert len(sources) == 2
    assert "parameters" in short.notebook.cells[0].metadata["tags"]
    assert "alpha.double" in sources[1]
    assert measured.measuring(two) is None


def test_ten_real_seeds_make_a_card(book, capsys):
    assert cli.main(["seeds", "--jobs", "2"]) == 0
    assert values(book) == {s: float(2 * s % 7) for s in range(10)}
    said = capsys.readouterr().out
    assert "part/one: card of 10 measurements" in said
    card = measured.stored(book, "part/one")
    assert {"alpha.py", "deep/beta.py"} <= set(card.origin["code"])
    assert card.origin["machine"]
    assert not measured.stale(book, card)
    assert (book.root / "data/cards/part/one.json").is_file()


def test_a_seed_that_fails_is_named_and_leaves_no_card(book, capsys):
    text = toybook.chapter("One", MEASURING.replace("import sys", "import sys\n1 / (seed - 3)"))
    toybook.write(book.root / "book/part/one.md", text)
    assert cli.main(["seeds", "part/one"]) == 1
    said = capsys.readouterr().err
    assert "part/one, seed 3: cell 3 failed" in said
    assert "ZeroDivisionError" in said
    assert measured.stored(book, "part/one") is None


def test_finished_seeds_are_not_run_again_after_a_stop(book, ran, monkeypatch):
    whole = seeds.execute_all

    def stopped(book, jobs, **options):
        whole(book, jobs[:4], **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(seeds, "execute_all", stopped)
    with pytest.raises(seeds.Interrupted, match="The next run continues"):
        make(book)
    assert measured.stored(book, "part/one") is None
    monkeypatch.setattr(seeds, "execute_all", whole)
    assert make(book) == 0
    assert sorted(ran) == [("part/one", s) for s in range(10)]
    assert len(values(book)) == 10
    make(book)
    assert len(ran) == 10


def test_a_damaged_seed_is_run_again(book, ran):
    make(book)
    (book.build / "seeds/part/one/3.json").write_text('{"cells": "')
    make(book)
    assert ran[10:] == [("part/one", 3)]


@pytest.mark.parametrize(
    ("file", "text", "again"),
    [
        ("src/toy_book/alpha.py", 'def double(x):\n    """Words."""\n    return 2 * x\n', True),
        ("src/toy_book/deep/beta.py", "# only a comment\ndef two():\n    return 2\n\n\n"
         "def read():\n    return data_file('table.csv')\n", False),
        ("src/toy_book/gamma.py", "x = 1\n", False),
        ("src/toy_book/notebook/cards.py", "x = 1\n", False),
        ("book/part/one.md", toybook.chapter("Other prose", MEASURING, "print('later')"), False),
        ("book/part/one.md", toybook.chapter("One", MEASURING + "x = 1\n"), True),
    ],
)  # fmt: skip
def test_only_what_computes_makes_a_card_stale(book, ran, file, text, again):
    make(book)
    toybook.write(book.root / file, text)
    now = Book(book.root)
    card = measured.stored(now, "part/one")
    assert measured.stale(now, card) == again
    make(now)
    assert len(ran) == (20 if again else 10)
    assert not measured.stale(now, measured.stored(now, "part/one"))


def test_check_signs_a_stale_card_that_measures_the_same(book, ran, capsys):
    make(book)
    toybook.write(book.root / "src/toy_book/alpha.py", "def double(x):\n    return x + x\n")
    assert make(book, check=True) == 0
    assert ran[10:] == [("part/one", 0), ("part/one", 1)]
    assert "signed anew" in capsys.readouterr().out
    card = measured.stored(book, "part/one")
    assert not measured.stale(Book(book.root), card)
    assert len(card.values("double")) == 10
    assert make(book, check=True) == 0
    assert len(ran) == 12


def test_a_check_that_is_stopped_has_signed_what_it_finished(book, ran, monkeypatch):
    make(book)
    toybook.write(book.root / "src/toy_book/alpha.py", "def double(x):\n    return x + x\n")
    whole = seeds.execute_all

    def stopped(*given, **named):
        whole(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(seeds, "execute_all", stopped)
    with pytest.raises(Interrupted):
        make(book, check=True)
    assert not measured.stale(Book(book.root), measured.stored(book, "part/one"))


def test_check_asks_for_all_seeds_where_one_measures_otherwise(book, ran, capsys):
    make(book)
    path = measured.card_file(book, "part/one")
    path.write_text(path.read_text().replace("[0.0, 2.0,", "[0.5, 2.0,"))
    toybook.write(book.root / "src/toy_book/alpha.py", "def double(x):\n    return x + x\n")
    assert make(book, check=True) == 1
    assert "part/one: run `domain-translation seeds part/one`" in capsys.readouterr().err
    assert measured.stale(Book(book.root), measured.stored(book, "part/one"))


def elsewhere(shifts, made_on="another processor"):
    """A card of 20 values by 10 seeds (standard deviation 1), and seed 0 moved by `shifts`."""
    spread = np.linspace(-1.0, 1.0, 10)
    rows = [Row("arm", s, f"v{k}", 3 + v / spread.std()) for k in range(20) for s, v in
            enumerate(spread)]  # fmt: skip
    card = Card("part/one", "quick", tuple(rows), {}, {"machine": [made_on]})
    first = [("arm", f"v{k}", card.values(("arm", f"v{k}"))[0], ()) for k in range(20)]
    moved = [
        (a, n, v + d, w) for (a, n, v, w), d in zip(first, [*shifts, *[0.0] * 20], strict=False)
    ]
    return measured.reproduced(card, 0, moved)


@pytest.mark.parametrize(
    ("shifts", "same"),
    [
        ([], True),
        ([0.09] * 20, True),
        ([0.5, -0.9], True),  # one in ten may move further
        ([0.5, -0.9, 0.2], False),
        ([1.1], False),
    ],
)
def test_another_processor_may_stay_near_a_card(shifts, same):
    assert elsewhere(shifts) == same


def test_the_processor_of_a_card_must_find_its_digits():
    assert elsewhere([], machine.identity())
    assert not elsewhere([1e-9], machine.identity())


def test_a_check_elsewhere_asks_for_the_same_names_and_forgives_rounding():
    rows = tuple(Row("", s, "constant", 0.3) for s in range(10))
    card = Card("part/one", "quick", rows, {}, {"machine": ["another"]})
    assert measured.reproduced(card, 0, [("", "constant", 0.30001, ())])
    assert not measured.reproduced(card, 0, [("", "constant", 0.301, ())])
    assert not measured.reproduced(card, 0, [("", "another", 0.3, ())])
    assert not measured.reproduced(card, 0, [])


def test_the_command_checks(book, ran):
    make(book)
    toybook.write(book.root / "src/toy_book/alpha.py", "def double(x):\n    return x + x\n")
    assert cli.main(["seeds", "--check"]) == 0
    assert len(ran) == 12


def test_a_card_of_nine_seeds_is_none(book, ran, monkeypatch, capsys):
    make(book)
    measured.card_file(book, "part/one").unlink()
    whole = seeds.at_hand
    monkeypatch.setattr(seeds, "at_hand", lambda b, c, s: None if s == 9 else whole(b, c, s))
    said = seeds._write_card(book, measured.measuring(Book(book.root).chapters[0]))
    assert said == ["part/one: its sources changed while its seeds ran; run them again"]
    assert measured.stored(book, "part/one") is None


def test_check_names_a_missing_card(book, ran, capsys):
    assert make(book, check=True) == 1
    assert "part/one: no card yet" in capsys.readouterr().err
    assert ran == []


def test_two_measurements_of_one_name_are_refused(book, monkeypatch, capsys):
    def execute_all(book, jobs, *, finished, **_):
        for job in jobs:
            twice = (("", "double", 1.0, (), 0.0),) * 2
            finished(job, Execution("", b"", 1.0, 0.5, 20.0, (), (), twice))

    monkeypatch.setattr(seeds, "execute_all", execute_all)
    assert make(book) == 1
    said = capsys.readouterr().err
    assert "part/one measured 'double' of the run, seed 0 twice; give each its own name" in said


def test_a_damaged_card_is_one_sentence(book):
    toybook.write(measured.card_file(book, "part/one"), "{}")
    with pytest.raises(PressError, match=r"data/cards/part/one.json is damaged"):
        measured.stored(book, "part/one")


def test_an_unknown_chapter_is_named(book, capsys):
    assert cli.main(["seeds", "part/on"]) == 2
    assert "did you mean part/one" in capsys.readouterr().err


def test_lost_runs_are_kept_in_the_card(book, monkeypatch):
    def execute_all(book, jobs, *, finished, **_):
        for job in jobs:
            seed = job.parameters["seed"]
            alive = (("a", "gain", 1.0, (), 0.0),) if seed else ()
            gone = () if seed else (("a", "diverged"),)
            finished(job, Execution("", b"", 1.0, 0.5, 20.0, (), (), alive, gone))

    monkeypatch.setattr(seeds, "execute_all", execute_all)
    assert make(book) == 0
    assert measured.stored(book, "part/one").lost == {("a", 0): "diverged"}


def test_the_stored_cards_of_the_book_are_small_and_whole():
    book = Book(Path(__file__).resolve().parents[2])
    files = sorted((book.root / "data" / "cards").rglob("*.json"))
    assert sum(f.stat().st_size for f in files) < 2e6
    names = {c.name for c in book.chapters}
    for file in files:
        card = card_files.read(file.read_text(encoding="utf-8"), file.name)
        assert card.study == file.relative_to(book.root / "data/cards").with_suffix("").as_posix()
        if card.study in names:
            assert {r.seed for r in card.rows} <= set(seeds.SEEDS)
            assert {"cells", "code", "data", "machine", "versions"} <= set(card.origin)
        assert json.dumps(card.origin)
