"""Lay out what Sphinx sees, in ``_build/stage/``: prose, executed notebooks, settings.

The stage is first laid out from scratch beside its place and then carried over file by file,
only where the content differs. Sphinx goes by modification time, so it rereads exactly the
pages that changed.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from domain_translation.press.book import Book
from domain_translation.press.execute import stable_ids
from domain_translation.press.files import PressError, atomic_write, tree, tree_digest
from domain_translation.press.launch import branch
from domain_translation.press.run import Run

MATHJAX = ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions")
Pages = Callable[[Path, Sequence[Run]], None]


def lay_out(book: Book, runs: Sequence[Run], pages: Pages) -> str:
    """Bring ``_build/stage/`` up to date and return a digest of all it holds.

    `pages` writes the generated pages into the stage; it sees the runs without what differs
    from build to build.
    """
    new, stage = book.build / "stage.new", book.build / "stage"
    shutil.rmtree(new, ignore_errors=True)
    notebooks = {f"book/{r.chapter}" for r in runs}
    for path in tree(book.root / "book"):
        relative = path.relative_to(book.root)
        if path.suffix in (".md", ".ipynb") and str(relative.with_suffix("")) in notebooks:
            continue
        _copy(path, new / relative)
    for run in runs:
        _stage_chapter(book, run, new / f"book/{run.chapter}.ipynb")
    _copy(book.root / "_toc.yml", new / "_toc.yml")
    (new / "_config.yml").write_text(yaml.safe_dump(config(book), sort_keys=False), "utf-8")
    _stage_mathjax(new / "book" / "_static" / "mathjax")
    pages(new, [_as_published(book, r) for r in runs])
    _carry_over(new, stage)
    shutil.rmtree(new)
    return tree_digest(stage)


def check_documents(book: Book) -> None:
    """Raises PressError when the table of contents names a page that does not exist."""
    for document in book.documents:
        if not any(
            (book.build / "stage" / f"{document}{suffix}").is_file() for suffix in (".md", ".ipynb")
        ):
            raise PressError(
                f"_toc.yml names {document}, but there is no {document}.md and no page is "
                "generated under that name; write it or take the line out"
            )


def config(book: Book) -> dict[str, Any]:
    """The settings of ``_config.yml``, with what the press knows better.

    The repository's address comes from pyproject.toml, MathJax from the stage, and the
    scripts that MyST-NB would load from a content network for interactive widgets are left
    out: the book has none, and it has to read the same offline.
    """
    settings: dict[str, Any] = yaml.safe_load((book.root / "_config.yml").read_text("utf-8"))
    settings["repository"] = {
        **settings.get("repository", {}),
        "url": book.repository,
        "branch": branch(book),
        "path_to_book": "",
    }
    sphinx = settings.setdefault("sphinx", {}).setdefault("config", {})
    sphinx |= {"mathjax_path": "mathjax/tex-chtml.js", "nb_ipywidgets_js": {}}
    sphinx.setdefault("html_static_path", ["book/_static"])
    return settings


def _as_published(book: Book, run: Run) -> Run:
    """A run as the pages may show it: the same whether this build ran it or found it cached."""
    from dataclasses import replace

    from domain_translation.press import cache

    if run.notebook is None:
        return run
    reasons = {c.key: c.reason for c in cache.cards(book, run.profile, run.chapter)}
    return replace(run, status="ran", reason=reasons.get(run.key, ""))


def _stage_chapter(book: Book, run: Run, target: Path) -> None:
    """The executed notebook, or the text as an unexecuted one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if run.notebook is not None:
        _copy(run.notebook, target)
        return
    import nbformat

    (chapter,) = book.select([run.chapter])
    notebook = chapter.notebook
    for cell, stable in zip(notebook.cells, stable_ids(notebook.cells), strict=True):
        cell["id"] = stable
    nbformat.write(notebook, target)


def _stage_mathjax(target: Path) -> None:
    """The parts of MathJax that a page of TeX loads: 2 MB of the 24 that the package brings.

    Raises:
        PressError: the package is not installed.
    """
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None or found.origin is None:
        raise PressError("sphinx-mathjax-offline is not installed; pip install -e '.[book]'")
    source = Path(found.origin).parent / "static" / "mathjax"
    for part in MATHJAX:
        for path in [source / part] if (source / part).is_file() else tree(source / part):
            _copy(path, target / path.relative_to(source))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _carry_over(new: Path, stage: Path) -> None:
    """Make `stage` equal to `new`, touching only files whose content differs."""
    fresh = {p.relative_to(new) for p in tree(new)}
    for path in list(tree(stage)) if stage.is_dir() else []:
        if path.relative_to(stage) not in fresh:
            path.unlink()
    for relative in fresh:
        content, old = (new / relative).read_bytes(), stage / relative
        if not old.is_file() or old.read_bytes() != content:
            atomic_write(old, content)
