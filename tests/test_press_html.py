"""From executed notebooks to pages: the stage, Sphinx's warnings, and builds with nothing to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import toybook

from domain_translation.press import html, launch, stage
from domain_translation.press.book import Book
from domain_translation.press.files import PressError
from domain_translation.press.plan import missing
from domain_translation.press.run import Run


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
    toybook.write(one, one.read_text().replace("# Chapter one", "# One\n\nSee {ref}`here`."))
    toybook.write(two, plain.replace("# Chapter", "(here)=\n# Chapter"))

    def build() -> bool:
        return html.build(book, lay_out(Book(tmp_path)), strict=True, watch=lambda: None)

    assert build() is True
    assert build() is False
    page = (book.build / "html/book/part/one.html").read_text()
    colab = re.findall(r"https://colab[^\"]+", page)
    assert set(colab) == {launch.colab_address(book, "part/one")}
    assert not re.search(r"<(script|link)[^>]+(src|href)=\"https?://", page)

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
    assert html.build(book, lay_out(Book(tmp_path)), strict=False, watch=lambda: None)
    with pytest.raises(PressError, match="nosuch"):
        build()
