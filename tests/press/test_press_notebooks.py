"""Paired notebooks: derived from the text alone, stable, and drift does not pass unseen."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import toybook

from domain_translation.press.book import Book
from domain_translation.press.files import PressError
from domain_translation.press.notebooks import drift, paired, refresh, render
from domain_translation.press.run import Run

CLAIM = "# NBVAL_CHECK_OUTPUT\nclaim()"
STREAM = {"output_type": "stream", "name": "stdout", "text": "kept\n"}
PICTURE = {
    "output_type": "display_data",
    "metadata": {"image/png": {"width": 3}},
    "data": {"text/plain": "<Figure>", "image/png": "aGk="},
}
RESULT = {
    "output_type": "execute_result",
    "execution_count": 7,
    "metadata": {},
    "data": {"text/plain": "3"},
}


@pytest.fixture
def book(tmp_path) -> Book:
    made = toybook.make(tmp_path)
    toybook.write(tmp_path / "book/part/one.md", toybook.chapter("One", "print('plain')", CLAIM))
    return made


def executed(book: Book, outputs: list[Any]) -> Run:
    """A run of part/one whose code cells all gave `outputs`, as papermill leaves it."""
    (chapter,) = Book(book.root).select(["part/one"])
    cells = copy.deepcopy(chapter.notebook.cells)
    injected = nbformat.v4.new_code_cell("seed = 3", metadata={"tags": ["injected-parameters"]})
    injected.outputs = nbformat.from_dict([STREAM])
    for number, cell in enumerate(cells):
        cell["id"] = f"random{number}"
        if cell.cell_type == "code":
            cell.outputs = nbformat.from_dict(outputs)
            cell.execution_count = number
    path = book.root / "executed.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cells[0], injected, *cells[1:]]), path)
    return Run("part/one", "One", "ran", notebook=path)


def committed(book: Book) -> tuple[Path, Any]:
    path = paired(book, book.select(["part/one"])[0])
    return path, json.loads(path.read_text())


def test_a_notebook_keeps_the_text_outputs_of_claim_cells_and_nothing_else(book):
    assert refresh(book, [executed(book, [STREAM, PICTURE, RESULT])]) == ["part/one"]
    _, notebook = committed(book)
    assert set(notebook["metadata"]) == {"kernelspec"}
    code = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    assert not any("injected-parameters" in c["metadata"].get("tags", []) for c in code)
    *others, claim = code
    assert all(c["execution_count"] is None for c in others)
    assert claim["execution_count"] == 1
    assert all(c["outputs"] == [] for c in others)
    assert claim["outputs"] == [
        {"output_type": "stream", "name": "stdout", "text": ["kept\n"]},
        {"output_type": "display_data", "metadata": {}, "data": {"text/plain": ["<Figure>"]}},
        {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": {"text/plain": ["3"]},
        },
    ]


def test_prints_are_kept_as_one_however_the_kernel_cut_them(book):
    refresh(book, [executed(book, [STREAM, STREAM, PICTURE])])
    _, notebook = committed(book)
    outputs = notebook["cells"][-1]["outputs"]
    assert [o["output_type"] for o in outputs] == ["stream", "display_data"]
    assert outputs[0]["text"] == ["kept\n", "kept\n"]


def test_a_second_refresh_changes_nothing(book):
    run = executed(book, [STREAM])
    refresh(book, [run])
    path, _ = committed(book)
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert refresh(book, [run]) == []
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_ids_depend_on_content_only_and_an_edit_changes_one(book):
    refresh(book, [executed(book, [])])
    before = [c["id"] for c in committed(book)[1]["cells"]]
    assert len(set(before)) == len(before)
    text = toybook.chapter("One", "print('edited')", CLAIM)
    toybook.write(book.root / "book/part/one.md", text)
    refresh(Book(book.root), [executed(book, [])])
    after = [c["id"] for c in committed(book)[1]["cells"]]
    assert [a == b for a, b in zip(before, after, strict=True)].count(False) == 1


def test_equal_cells_get_different_ids(book):
    toybook.write(book.root / "book/part/one.md", toybook.chapter("One", "x", "x", "x"))
    cells = json.loads(render(book, book.select(["part/one"])[0]))["cells"]
    assert len({c["id"] for c in cells}) == len(cells)


def test_the_first_cell_installs_the_package_from_the_one_address(book):
    cell = json.loads(render(book, book.select(["part/one"])[0]))["cells"][0]
    source = "".join(cell["source"])
    assert '"toy-book @ git+https://github.com/someone/toy-book@v1.0"' in source
    assert 'if importlib.util.find_spec("toy_book") is None:\n    %pip' in source
    assert cell["metadata"]["tags"] == ["remove-cell"]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"output_type": "stream", "name": "stderr", "text": "warning"}, "gives stderr"),
        ({**RESULT, "data": {"text/plain": "x", "text/html": "<b>"}}, "gives text/html"),
    ],
)
def test_a_claim_cell_that_text_cannot_compare_is_refused(book, output, said):
    run = executed(book, [output])
    with pytest.raises(PressError, match=said):
        refresh(book, [run])
    assert not paired(book, book.select(["part/one"])[0]).exists()


def test_stale_and_failed_runs_are_not_committed(book):
    from dataclasses import replace

    run = executed(book, [STREAM])
    assert refresh(book, [replace(run, stale=True), replace(run, status="failed")]) == []


def edit_text(book: Book) -> None:
    path = book.root / "book/part/one.md"
    path.write_text(path.read_text().replace("plain", "other"))


def edit_notebook(change: Callable[[Any], None]) -> Callable[[Book], None]:
    def apply(book: Book) -> None:
        path, notebook = committed(book)
        change(notebook)
        path.write_text(json.dumps(notebook))

    return apply


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (edit_text, "one.ipynb differs from one.md"),
        (edit_notebook(lambda n: n["cells"].pop()), "one.ipynb differs"),
        (edit_notebook(lambda n: n["cells"][1].update(id="else")), "one.ipynb differs"),
        (edit_notebook(lambda n: n["cells"][2].update(execution_count=1)), "one.ipynb differs"),
        (edit_notebook(lambda n: n["metadata"].update(title="x")), "one.ipynb differs"),
        (edit_notebook(lambda n: n["cells"][2]["outputs"].append(STREAM)), r"cell 3 \(stream\)"),
        (edit_notebook(lambda n: n["cells"][-1]["outputs"].append(PICTURE)), "image/png"),
        (edit_notebook(lambda n: n.pop("cells")), "one.ipynb is not a notebook"),
        (lambda b: committed(b)[0].unlink(), "one.ipynb is missing"),
        (lambda b: toybook.write(b.root / "book/part/old.ipynb", "{}"), "belongs to no chapter"),
    ],
)
def test_drift_is_found(book, damage, said):
    refresh(book, [executed(book, [STREAM])])
    toybook.write(book.root / "book/part/two.ipynb", render(book, book.chapters[1]))
    assert drift(Book(book.root)) == []
    damage(book)
    with pytest.raises(AssertionError, match=said):
        assert "; ".join(drift(Book(book.root))) == ""
