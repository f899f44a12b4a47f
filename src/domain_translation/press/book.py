"""The book as its checkout describes it: table of contents, chapters, address."""

from __future__ import annotations

import ast
import difflib
import functools
import importlib.metadata
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from domain_translation.press.files import PressError, RequestError

PROFILES = ("quick", "full", "paper")
FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


@dataclass(frozen=True)
class Chapter:
    """A text notebook of the book: its name, e.g. ``cooling/langevin``, and its whole text."""

    name: str
    text: str

    @property
    def title(self) -> str:
        """The first heading."""
        heading = re.search(r"^# +(.+?) *$", FRONT_MATTER.sub("", self.text), re.MULTILINE)
        return heading[1] if heading else self.name

    @functools.cached_property
    def notebook(self) -> Any:
        """The chapter as an unexecuted notebook (nbformat node)."""
        import jupytext

        return jupytext.reads(self.text, fmt="md:myst")

    @functools.cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names assigned in the cell tagged ``parameters``, in order.

        Raises:
            PressError: no such cell, or it does not set ``profile``.
        """
        tagged = [c for c in self.notebook.cells if "parameters" in c.metadata.get("tags", [])]
        names = [n for c in tagged for n in _assigned(c.source)]
        if "profile" not in names:
            raise PressError(
                f"chapter {self.name} has no cell tagged `parameters` that sets `profile`; "
                'add one with profile = "quick"'
            )
        return tuple(names)


@dataclass(frozen=True)
class Book:
    """A checkout of the book, `root` being its top folder."""

    root: Path

    @functools.cached_property
    def project(self) -> dict[str, Any]:
        """The ``[project]`` table of pyproject.toml."""
        with (self.root / "pyproject.toml").open("rb") as f:
            project: dict[str, Any] = tomllib.load(f)["project"]
        return project

    @property
    def repository(self) -> str:
        """The repository's address, from ``project.urls``."""
        return str(self.project["urls"]["Repository"]).rstrip("/")

    @property
    def package(self) -> Path:
        """Folder of the importable package."""
        return self.root / "src" / str(self.project["name"]).replace("-", "_")

    @property
    def build(self) -> Path:
        """Folder of everything the press makes; ignored by git."""
        return self.root / "_build"

    @functools.cached_property
    def documents(self) -> tuple[str, ...]:
        """Every document of the table of contents, e.g. ``book/cooling/langevin``, in order."""
        return tuple(_toc_files(yaml.safe_load((self.root / "_toc.yml").read_text())))

    @functools.cached_property
    def chapters(self) -> tuple[Chapter, ...]:
        """Documents of the table of contents that are text notebooks, in order."""
        found = []
        for document in self.documents:
            path = self.root / f"{document}.md"
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            if is_notebook(text):
                found.append(Chapter(document.removeprefix("book/"), text))
        return tuple(found)

    def select(self, names: Sequence[str]) -> tuple[Chapter, ...]:
        """Chapters by name, all for no names; ``book/`` and ``.md`` around a name are forgiven.

        Raises:
            RequestError: a name that is no chapter of the table of contents.
        """
        by_name = {c.name: c for c in self.chapters}
        wanted = [re.sub(r"^(\./)?book/|\.(md|ipynb)$", "", n) for n in names]
        for name in wanted:
            if name not in by_name:
                raise RequestError(unknown("chapter", name, list(by_name)))
        return tuple(c for c in self.chapters if c.name in wanted) if names else self.chapters


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """The sentence for a name that does not exist: near ones first, else all of them."""
    tails = {k.rsplit("/", 1)[-1]: k for k in known}
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    near += [tails[t] for t in difflib.get_close_matches(name, tails, n=3) if tails[t] not in near]
    if near:
        return f"unknown {kind} {name!r}; did you mean {' or '.join(near)}?"
    return f"unknown {kind} {name!r}; there is {', '.join(known) or 'none yet'}"


def is_notebook(text: str) -> bool:
    """Whether a MyST text is a notebook: its front matter names a kernel."""
    front = FRONT_MATTER.match(text)
    return bool(front) and "kernelspec" in (yaml.safe_load(front[1]) or {}) if front else False


def find_book(start: Path | None = None) -> Book:
    """The book around `start` (the current folder), else the one this package is edited in.

    Raises:
        RequestError: neither is a checkout, as with a package installed from a wheel.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents, Path(__file__).resolve().parents[3]):
        if (folder / "_toc.yml").is_file() and (folder / "pyproject.toml").is_file():
            return Book(folder)
    raise RequestError(
        f"{start} is not inside a checkout of the book, and the installed package holds only "
        f"the code: clone {_installed_address()} and run this command there"
    )


def _installed_address() -> str:
    """The repository's address as the installed distribution states it."""
    try:
        stated = importlib.metadata.metadata("domain-translation").get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        return "its repository"
    urls = dict(u.split(", ", 1) for u in stated)
    return str(urls.get("Repository", "its repository"))


def _toc_files(node: Any) -> list[str]:
    """Values of ``root`` and ``file`` in a table of contents, depth first."""
    if isinstance(node, list):
        return [f for item in node for f in _toc_files(item)]
    if not isinstance(node, dict):
        return []
    here = [re.sub(r"\.(md|ipynb)$", "", node[k]) for k in ("root", "file") if k in node]
    return here + [f for value in node.values() for f in _toc_files(value)]


def _assigned(source: str) -> list[str]:
    """Names that a cell assigns at its top level."""
    names = []
    for statement in ast.parse(source).body:
        targets = (
            statement.targets
            if isinstance(statement, ast.Assign)
            else [statement.target]
            if isinstance(statement, ast.AnnAssign)
            else []
        )
        names += [t.id for t in targets if isinstance(t, ast.Name)]
    return names
