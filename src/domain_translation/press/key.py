"""The content key: what an executed chapter was made from, and what has changed since.

What a chapter uses is observed while it runs (`observe`) and kept with the run; the next plan
looks at exactly those files again. So a chapter is run again when, and only when, something that
can change its result changed: its code cells, a parameter, a module that it imported, a data file
that it was handed, the versions of the packages below, or the machine. Prose plays no part, nor do
modification times: a fresh clone can use a cache from elsewhere.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain_translation.notebook import machine
from domain_translation.press.book import Book, Chapter
from domain_translation.press.files import canonical, digest, file_digest, tree

# Raised when the press itself starts to treat executed notebooks differently.
FORMAT = 2
# Tags that change what a cell does; all others are for the reader.
TAGS = ("parameters", "raises-exception", "skip-execution")
MISSING = "missing"


@dataclass(frozen=True)
class Ingredients:
    """Everything that decides a chapter's result; digests are hex sha256, by name."""

    cells: str
    parameters: Mapping[str, Any]
    modules: Mapping[str, str]
    data: Mapping[str, str]
    versions: Mapping[str, str]
    machine: str
    format: int = FORMAT

    @property
    def key(self) -> str:
        """One digest of them all."""
        return digest(canonical(asdict(self)))

    def changes_since(self, old: Mapping[str, Any]) -> str:
        """What differs from the ingredients of an earlier run, in words; "" for nothing."""
        now, said = asdict(self), []
        for name, words in (
            ("cells", "code cells changed"),
            ("parameters", "parameters changed"),
            ("machine", "another machine"),
            ("format", "the press changed"),
        ):
            if now[name] != old.get(name):
                said.append(words)
        for kind, group in (("module", "modules"), ("data", "data"), ("version of", "versions")):
            said += _changed_names(kind, now[group], old.get(group, {}))
        return ", ".join(said)


@dataclass(frozen=True)
class Files:
    """Digests of all modules of the package and all data files at one moment, by name."""

    modules: Mapping[str, str]
    data: Mapping[str, str]


def look(
    book: Book, modules: Iterable[str] | None = None, data: Iterable[str] | None = None
) -> Files:
    """Read these files, or every file that a chapter can depend on; some hundredths of a second."""
    package, folder = book.package, book.root / "data"
    if modules is None:
        modules = [p.relative_to(package).as_posix() for p in tree(package)]
    if data is None:
        data = [p.relative_to(folder).as_posix() for p in tree(folder)]
    return Files(
        {name: file_digest(package / name) for name in modules if (package / name).is_file()},
        {name: _data_digest(folder / name) for name in data if (folder / name).is_file()},
    )


def ingredients(
    chapter: Chapter,
    parameters: Mapping[str, Any],
    files: Files,
    versions: Mapping[str, str],
    modules: Iterable[str],
    data: Iterable[str],
) -> Ingredients:
    """What `chapter` is made from, if it uses these `modules` and `data`, in the state `files`."""
    return Ingredients(
        cells=cells_digest(chapter),
        parameters=dict(sorted(parameters.items())),
        modules={name: files.modules.get(name, MISSING) for name in sorted(modules)},
        data={name: files.data.get(name, MISSING) for name in sorted(data)},
        versions=versions,
        machine=machine.identity(),
    )


def cells_digest(chapter: Chapter) -> str:
    """Digest of the code cells and of the tags that change what they do."""
    code = [c for c in chapter.notebook.cells if c.cell_type == "code"]
    return digest(
        canonical([[c.source, [t for t in TAGS if t in c.metadata.get("tags", [])]] for c in code])
    )


def versions(book: Book) -> dict[str, str]:
    """Python and the packages that the book's package depends on, as installed."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    for requirement in book.project.get("dependencies", []):
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = MISSING
    return found


def _data_digest(path: Path) -> str:
    """A file's digest; lists of rows change no result, and which there are is a test's business."""
    return "rows" if path.name in ("inventory.csv", "findings.csv") else file_digest(path)


def _changed_names(kind: str, now: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    names = sorted(n for n in {*now, *old} if now.get(n) != old.get(n))
    if not names:
        return []
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    plural = "s" if kind == "module" and len(names) > 1 else ""
    return [f"{kind}{plural} {shown} changed"]
