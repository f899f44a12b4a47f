"""From executed notebooks to pages: the stage, Sphinx's warnings, and builds with nothing to do."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path

import pytest
import toybook

from domain_translation.press import html, launch, stage
from domain_translation.press.book import Book
from domain_translation.press.files import PressError
from domain_translation.press.plan import missing
from domain_translation.press.run import Run

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def runs(book: Book) -> list[Run]:
    return [missing(c, "quick", "never run") for c in book.chapters]


def lay_out(book: Book, seen: list[Run] | None = None) -> str:
    """Stage the toy book; the generated pages are one file."""

    def pages(folder: Path, published: list[Run]) -> None:
        toybook.write(folder / "book/record/made.md", "# Made\n")
        if seen is not None:
            seen.extend(published)

    return stage.lay_out(book, runs(book), pages)


def snapshot(folder: Path) -> dict[Path, int]:
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_the_stage_holds_what_sphinx_needs_and_is_not_touched_needlessly(tmp_path):
    book = toybook.make(tmp_path)
    toybook.write(tmp_path / "book/part/one.ipynb", "{}")
    toybook.write(tmp_path / "book/_static/style.css", "p {}")
    first = lay_out(book)
    staged = {
        p.relative_to(book.build / "stage").as_posix() for p in snapshot(book.build / "stage")
    }
    assert {
        "_config.yml",
        "_toc.yml",
        "book/_static/style.css",
        "book/intro.md",
        "book/part/one.ipynb",
        "book/part/two.ipynb",
        "book/record/made.md",
        "book/_static/mathjax/tex-chtml.js",
    } <= staged
    assert "book/part/one.md" not in staged
    assert (book.build / "stage/book/part/one.ipynb").read_text() != "{}"

    before = snapshot(book.build / "stage")
    assert lay_out(Book(tmp_path)) == first
    assert snapshot(book.build / "stage") == before

    toybook.write(tmp_path / "book/intro.md", "# Intro\n\nOther.\n")
    (tmp_path / "book/_static/style.css").unlink()
    assert lay_out(Book(tmp_path)) != first
    after = snapshot(book.build / "stage")
    gone = book.build / "stage/book/_static/style.css"
    changed = {p.name for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
    assert changed == {"intro.md", gone.name}


def executed(book: Book, name: str) -> Run:
    """A run of `name` whose last code cell printed something."""
    import nbformat

    (chapter,) = Book(book.root).select([name])
    notebook = stage.merge(chapter, None)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    code[-1].outputs = [nbformat.v4.new_output("stream", text="found\n")]
    injected = nbformat.v4.new_code_cell("seed = 3", metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(2, injected)
    path = book.root / f"{chapter.name.replace('/', '-')}.ipynb"
    nbformat.write(notebook, path)
    return Run(name, chapter.title, "cached", key="k", notebook=path)


def staged(book: Book, run: Run) -> str:
    """The staged notebook of `run`, as text; the pages see it as the run's notebook."""
    seen: list[Run] = []
    others = [r for r in runs(book) if r.chapter != run.chapter]
    stage.lay_out(book, [run, *others], lambda folder, published: seen.extend(published))
    text = (book.build / f"stage/book/{run.chapter}.ipynb").read_text()
    if seen:
        shown = seen[0].notebook or seen[0].partial
        assert (seen[0].notebook is None) == (run.notebook is None)
        assert shown is None or shown.is_relative_to(book.build / "stage.new")
    return text


def test_a_run_is_shown_in_the_present_prose(tmp_path):
    book = toybook.make(tmp_path)
    run = executed(book, "part/one")
    assert "found" in staged(book, run)
    text = tmp_path / "book/part/one.md"
    toybook.write(text, text.read_text() + "\nPresent prose.\n")
    shown = staged(Book(tmp_path), run)
    assert "Present prose." in shown
    assert "found" in shown
    assert "seed = 3" not in shown


def test_an_outdated_run_is_shown_as_it_was(tmp_path):
    book = toybook.make(tmp_path)
    run = replace(executed(book, "part/one"), stale=True, reason="not chosen; stale")
    text = tmp_path / "book/part/one.md"
    toybook.write(text, text.read_text() + toybook.cell("print('new')"))
    shown = staged(Book(tmp_path), run)
    assert "found" in shown
    assert "new" not in shown


def test_a_failed_chapter_without_a_good_run_shows_what_it_had_computed(tmp_path):
    book = toybook.make(tmp_path)
    partial = executed(book, "part/one").notebook
    run = Run("part/one", "One", "failed", error="cell 5 failed:\n    1 / 0", partial=partial)
    assert "found" in staged(book, run)
    nothing = replace(run, partial=None)
    shown = staged(book, nothing)
    assert "found" not in shown
    assert "double(2)" in shown


def test_nothing_is_laid_out_again_when_nothing_changed(tmp_path):
    book = toybook.make(tmp_path)
    calls: list[int] = []

    def pages(folder: Path, published: list[Run]) -> None:
        calls.append(len(published))

    first = stage.lay_out(book, runs(book), pages)
    assert stage.lay_out(Book(tmp_path), runs(book), pages) == first
    assert calls == [2]
    for name in ("book/intro.md", "src/toy_book/gamma.py", "data/other.csv", "_config.yml"):
        toybook.write(tmp_path / name, (tmp_path / name).read_text() + "\n")
        stage.lay_out(Book(tmp_path), runs(book), pages)
    assert calls == [2] * 5


def test_the_address_comes_from_pyproject_and_the_branch_from_the_settings(tmp_path):
    book = toybook.make(tmp_path)
    settings = stage.config(book)
    assert settings["repository"] == {
        "url": "https://github.com/someone/toy-book",
        "branch": "trunk",
        "path_to_book": "",
    }
    assert launch.notebook_address(book, "part/one") == (
        "https://github.com/someone/toy-book/blob/trunk/book/part/one.ipynb"
    )


def test_a_slim_mathjax_is_staged(tmp_path):
    book = toybook.make(tmp_path)
    lay_out(book)
    folder = book.build / "stage/book/_static/mathjax"
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert 1e6 < size < 4e6
    assert list(folder.glob("output/chtml/fonts/**/*.woff"))


@pytest.mark.slow
def test_pages_are_built_once_and_warnings_never_pass(tmp_path):
    book = toybook.make(tmp_path)
    one, two, intro = (tmp_path / f"book/{n}.md" for n in ("part/one", "part/two", "intro"))
    plain = two.read_text()
    project = (tmp_path / "pyproject.toml").read_text()
    said = project + "\n[tool.domain-translation]\npublished = true\n"
    toybook.write(tmp_path / "pyproject.toml", said)
    toybook.write(one, one.read_text().replace("# Chapter one", "# One\n\nSee {ref}`here`."))
    toybook.write(two, plain.replace("# Chapter", "(here)=\n# Chapter"))

    def build() -> bool:
        return html.build(book, lay_out(Book(tmp_path)), strict=True)

    assert build() is True
    assert build() is False
    # A picture of an earlier build, which no page shows any more.
    old = book.build / "html/_images/old.png"
    toybook.write(old, "")
    toybook.write(intro, "# Intro\n\n![A dot](dot.png)\n")
    (tmp_path / "book/dot.png").write_bytes(DOT)
    assert build() is True
    assert [p.name for p in old.parent.iterdir()] == ["dot.png"]
    page = (book.build / "html/book/part/one.html").read_text()
    colab = re.findall(r"https://colab[^\"]+", page)
    assert set(colab) == {launch.colab_address(book, "part/one")}
    assert not re.search(r"<(script|link)[^>]+(src|href)=\"https?://", page)

    # A style alone changes no page, and reaches the reader all the same.
    toybook.write(tmp_path / "book/_static/book.css", "body { color: red; }\n")
    assert build() is True
    assert "red" in (book.build / "html/_static/book.css").read_text()

    # The page with the broken link did not change, only the one that it points to.
    toybook.write(two, plain)
    with pytest.raises(PressError, match="here"):
        build()
    toybook.write(two, plain.replace("# Chapter", "(here)=\n# Chapter"))
    # A warning from reading a page fails the build again although Sphinx has cached the page.
    toybook.write(intro, "# Intro\n\n```{nosuch}\n```\n")
    for _ in range(2):
        with pytest.raises(PressError, match="nosuch"):
            build()
    # A build of some chapters only may warn, but does not count for a whole one.
    assert html.build(book, lay_out(Book(tmp_path)), strict=False)
    with pytest.raises(PressError, match="nosuch"):
        build()
