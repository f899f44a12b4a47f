"""Lay out what Sphinx sees, in ``_build/stage/``: prose, executed notebooks, settings.

When anything that it is made from changed, the stage is laid out from scratch beside its place
and then carried over file by file, only where the content differs. Sphinx goes by modification
time, so it rereads exactly the pages that changed.
"""

from __future__ import annotations

import copy
import importlib.util
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from domain_translation.press import cache, launch
from domain_translation.press.book import Book, Chapter
from domain_translation.press.execute import is_injected, stable_ids
from domain_translation.press.files import (
    PressError,
    atomic_write,
    canonical,
    digest,
    file_digest,
    tree,
    tree_digest,
)
from domain_translation.press.pages.failed import mark_navigation
from domain_translation.press.run import Run

MATHJAX = ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions")
Pages = Callable[[Path, Sequence[Run]], None]


def lay_out(book: Book, runs: Sequence[Run], pages: Pages) -> str:
    """Bring ``_build/stage/`` up to date and return a digest of all it holds.

    Nothing is laid out again when no ingredient changed. `pages` writes the generated pages into
    the stage; it sees the runs with the staged notebooks, without what differs from build to build.
    """
    published = [_as_published(book, r) for r in runs]
    stamp, state = book.build / "stage.stamp", _state(book, published)
    last = stamp.read_text(encoding="utf-8").split() if stamp.is_file() else []
    if last[:1] == [state]:
        return last[1]
    new, stage = book.build / "stage.new", book.build / "stage"
    shutil.rmtree(new, ignore_errors=True)
    notebooks = {f"book/{r.chapter}" for r in runs}
    for path in tree(book.root / "book"):
        relative = path.relative_to(book.root)
        if path.suffix in (".md", ".ipynb") and str(relative.with_suffix("")) in notebooks:
            continue
        _copy(path, new / relative)
    staged = []
    for run in published:
        target = new / f"book/{run.chapter}.ipynb"
        _stage_chapter(book, run, target)
        if run.notebook:
            staged.append(replace(run, notebook=target))
        else:
            staged.append(replace(run, partial=target if run.partial else None))
    toc = mark_navigation(yaml.safe_load((book.root / "_toc.yml").read_text("utf-8")), runs)
    (new / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False), "utf-8")
    (new / "_config.yml").write_text(yaml.safe_dump(config(book), sort_keys=False), "utf-8")
    _stage_mathjax(new / "book" / "_static" / "mathjax")
    pages(new, staged)
    stamp.unlink(missing_ok=True)
    _carry_over(new, stage)
    shutil.rmtree(new)
    digests = tree_digest(stage)
    atomic_write(stamp, f"{state} {digests}")
    return digests


def _state(book: Book, runs: Sequence[Run]) -> str:
    """A digest of everything that the stage is made from."""
    parts = [book.root / "_toc.yml", book.root / "_config.yml", book.root / "pyproject.toml"]
    folders = [book.root / "book", book.root / "data", book.package]
    described = [{k: str(v) for k, v in asdict(r).items()} for r in runs]
    files = [file_digest(p) for p in parts if p.is_file()]
    return digest(canonical([described, files, [tree_digest(f) for f in folders]]))


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
    for name, part in launch.settings(book).items():
        settings[name] = {**settings.get(name, {}), **part}
    sphinx = settings.setdefault("sphinx", {}).setdefault("config", {})
    sphinx |= {"mathjax_path": "mathjax/tex-chtml.js", "nb_ipywidgets_js": {}}
    sphinx.setdefault("html_static_path", ["book/_static"])
    return settings


def _as_published(book: Book, run: Run) -> Run:
    """A run as the pages may show it: the same whether this build ran it or found it cached."""
    if run.notebook is None or run.status == "failed":
        return run
    reasons = {c.key: c.reason for c in cache.cards(book, run.profile, run.chapter)}
    return replace(run, status="ran", reason=reasons.get(run.key, ""))


def _stage_chapter(book: Book, run: Run, target: Path) -> None:
    """The chapter's text with the outputs of its run; an outdated run as it was executed."""
    import nbformat

    target.parent.mkdir(parents=True, exist_ok=True)
    (chapter,) = book.select([run.chapter])
    if run.notebook and not run.stale:
        nbformat.write(merge(chapter, nbformat.read(run.notebook, as_version=4)), target)
    elif run.notebook or run.partial:
        _copy(run.notebook or run.partial, target)  # type: ignore[arg-type]
    else:
        nbformat.write(merge(chapter, None), target)


def merge(chapter: Chapter, executed: Any) -> Any:
    """The chapter's present text as a notebook, with the outputs of a run of the same code cells.

    So prose, captions and headings may change without running anything again.
    """
    notebook = copy.deepcopy(chapter.notebook)
    notebook.metadata.pop("jupytext", None)
    code = [c for c in notebook.cells if c.cell_type == "code"]
    if executed is not None:
        ran = [c for c in executed.cells if c.cell_type == "code" and not is_injected(c)]
        for cell, result in zip(code, ran, strict=True):
            cell.outputs, cell.execution_count = result.outputs, result.execution_count
        notebook.metadata = executed.metadata
    for cell, stable in zip(notebook.cells, stable_ids(notebook.cells), strict=True):
        cell["id"] = stable
    return notebook


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
