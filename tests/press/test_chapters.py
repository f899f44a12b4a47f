"""Every chapter from the built wheel alone, in an empty folder, prints its claims again.

The press has run them (`domain-translation book --wheel`); here their outputs are compared with
the committed pairs by nbval's own comparison. The cheapest ones run once more as a reader would
run them, by pytest with nbval; all of them do so with ``--weekly``.
"""

from __future__ import annotations

import functools
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from filelock import FileLock

from domain_translation.press import cache, wheel
from domain_translation.press import plan as planning
from domain_translation.press.book import Book, Chapter
from domain_translation.press.compare import differences
from domain_translation.press.execute import execute
from domain_translation.press.measured import stored
from domain_translation.press.notebooks import paired
from domain_translation.press.plan import Plan, Wish, benchmark, plan
from domain_translation.press.run import Run

BOOK = Book(Path(__file__).resolve().parents[2])
LIMIT = 6000  # seconds of wall time for one cell, as a slow machine may need
COSTS = benchmark(BOOK)
CHEAPEST = sorted(BOOK.chapters, key=lambda c: COSTS.get(c.name, math.inf))[:5]

each_chapter = pytest.mark.parametrize("chapter", BOOK.chapters, ids=lambda c: c.name)


@functools.cache
def planned() -> Plan:
    return plan(Book(BOOK.root), Wish(wheel=True))


def run_of(chapter: Chapter) -> Run:
    """The chapter's run from the wheel; skips where the press has not made any."""
    command = "run `domain-translation book --wheel` first"
    if not planned().kept:
        pytest.skip(f"no chapter has run from the wheel: {command}")
    run = next((r for r in planned().kept if r.chapter == chapter.name), None)
    assert run is not None, f"{chapter.name} has not run from the wheel as it is now: {command}"
    return run


@each_chapter
def test_the_claims_of_a_chapter_print_again(chapter):
    assert differences(BOOK, chapter, run_of(chapter)) == []


def tampered(notebook: Path) -> str | None:
    """The notebook with one verdict turned into none, None if it states no verdict."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/plain")
            if text:
                text[0] = f"TAMPERED  {text[0].partition('  ')[2]}"
                return json.dumps(content)
    return None


@each_chapter
def test_a_tampered_pair_fails(chapter, tmp_path):
    run = run_of(chapter)
    text = tampered(paired(BOOK, chapter))
    if text is None:
        pytest.skip("this chapter states no verdict")
    copy = Book(tmp_path)
    paired(copy, chapter).parent.mkdir(parents=True)
    paired(copy, chapter).write_text(text, encoding="utf-8")
    said = differences(copy, chapter, run)
    assert any("TAMPERED" in sentence for sentence in said)


@each_chapter
def test_the_first_value_of_a_chapter_is_one_that_its_card_expects(chapter):
    """One check a chapter, at 2.5e-4: one false alarm in a hundred books."""
    run = run_of(chapter)
    card = stored(BOOK, chapter.name)
    cached = {c.key: c.measured for c in cache.cards(BOOK, "quick", chapter.name)}
    told = cached[run.key]
    if not told:
        pytest.skip("this chapter measures nothing")
    assert card is not None, f"run `domain-translation seeds {chapter.name}`"
    arm, name, value, *_ = told[0]
    assert card.predicts((arm, name), value, seed=0), (arm, name, value, str(card[arm, name]))


@pytest.fixture(scope="session")
def wheel_python(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The wheel's environment, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    with FileLock((base if worker_id == "master" else base.parent) / "wheel.lock"):
        return wheel.python(BOOK)


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
        check=False,
    )


def test_the_wheel_is_what_gets_imported(wheel_python, tmp_path):
    code = (
        "import domain_translation as d; from domain_translation.notebook.ledger import inventory; "
    )
    asked = run(wheel_python, "-c", code + "print(d.__file__, len(inventory()))", cwd=tmp_path)
    file, count = asked.stdout.split()
    assert Path(file).is_relative_to(wheel_python.parents[1])
    assert int(count) > 100


def test_the_wheel_alone_cannot_make_the_book_and_says_so(wheel_python, tmp_path):
    said = run(wheel_python, "-m", "domain_translation", "book", cwd=tmp_path)
    assert said.returncode == 2
    assert f"clone {BOOK.repository} and run" in said.stdout


@pytest.mark.slow
def test_a_chapter_uses_the_same_from_the_wheel_and_from_the_checkout(tmp_path):
    """So one key serves both, and what ran from the wheel need not run again."""
    chapter = next(c for c in CHEAPEST if "import" in c.text)
    run_of(chapter)
    (card, *_) = [c for c in cache.cards(BOOK, "quick", chapter.name) if c.wheel]
    place, python = tmp_path / "place", Path(sys.executable)
    again = execute(
        BOOK, chapter, {"profile": "quick"}, place=place, python=python, wheel=False, limit=600
    )
    assert again.error == ""
    assert list(again.modules) == list(card.ingredients["modules"])
    assert list(again.data) == list(card.ingredients["data"])
    assert not place.exists()


def test_one_model_file_concerns_exactly_the_chapters_that_load_it(monkeypatch):
    """Safetensors opens files unseen; what the package hands out is observed all the same."""
    chapters = BOOK.chapters
    for chapter in chapters:
        run_of(chapter)
    cards = {c.name: cache.cards(BOOK, "quick", c.name)[0].ingredients for c in chapters}
    for kind, file in {
        "data": "pretrained/digits_horizontal_score.safetensors",
        "modules": "sampling/ais.py",
    }.items():
        if file not in getattr(planned().files, kind):
            names = sorted(getattr(planned().files, kind))
            file = next(n for n in names if any(n in card[kind] for card in cards.values()))
        users = {name for name, card in cards.items() if file in card[kind]}
        assert 0 < len(users) < len(chapters), file
        changed = {**getattr(planned().files, kind), file: "0" * 64}
        files = replace(planned().files, **{kind: changed})
        monkeypatch.setattr(planning, "look", lambda _, f=files: f)
        jobs = plan(Book(BOOK.root), Wish(wheel=True)).jobs
        assert {j.chapter.name for j in jobs} == users


@pytest.mark.slow
@pytest.mark.parametrize(
    "chapter",
    [
        pytest.param(c, id=c.name, marks=[] if c in CHEAPEST else [pytest.mark.weekly])
        for c in BOOK.chapters
    ],
)
def test_a_chapter_passes_nbval_alone(wheel_python, tmp_path, chapter):
    committed = paired(BOOK, chapter)
    notebook = tmp_path / "empty" / committed.name
    notebook.parent.mkdir()
    content = nbformat.read(committed, as_version=4)
    # The kernel, too, must see the wheel and not the checkout.
    proof = f"import domain_translation as d\nassert {str(wheel_python.parents[1])!r} in d.__file__"
    content.cells.insert(0, nbformat.v4.new_code_cell(proof))
    nbformat.write(content, notebook)
    options = ("--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", str(LIMIT))
    plain = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    done = run(wheel_python, "-m", "pytest", *plain, *options, notebook.name, cwd=notebook.parent)
    assert done.returncode == 0, done.stdout
    assert [p.name for p in notebook.parent.iterdir()] == [notebook.name], "it left files behind"
