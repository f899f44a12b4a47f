"""The content key: what an executed chapter was made from, and what has changed since.

A chapter is run again when, and only when, something that can change its result changed:
its text, a module of the package that it imports (directly or through other modules), a
parameter, a data file that the chapter or such a module reads, the pinned versions, or
Python itself. Imports are read from the syntax tree, nothing is executed to find them.
Modification times play no part, so a fresh clone can use a cache from elsewhere.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain_translation.press.book import Book, Chapter
from domain_translation.press.files import canonical, digest, file_digest, tree_digest

# Raised when the press itself starts to treat executed notebooks differently.
FORMAT = 1


@dataclass(frozen=True)
class Ingredients:
    """Everything that decides a chapter's result; digests are hex sha256."""

    text: str
    modules: Mapping[str, str]
    parameters: Mapping[str, Any]
    data: Mapping[str, str]
    constraints: str
    python: str
    format: int = FORMAT

    @property
    def key(self) -> str:
        """One digest of them all."""
        return digest(canonical(asdict(self)))

    def changes_since(self, old: Mapping[str, Any]) -> str:
        """What differs from the ingredients of an earlier run, in words; "" for nothing."""
        now, said = asdict(self), []
        if now["text"] != old.get("text"):
            said.append("text changed")
        said += _changed_names("module", now["modules"], old.get("modules", {}))
        if now["parameters"] != old.get("parameters"):
            said.append("parameters changed")
        said += _changed_names("data", now["data"], old.get("data", {}))
        if now["constraints"] != old.get("constraints"):
            said.append("constraints changed")
        if now["python"] != old.get("python"):
            said.append(f"Python {now['python']} instead of {old.get('python')}")
        if now["format"] != old.get("format"):
            said.append("the press changed")
        return ", ".join(said)


def ingredients(book: Book, chapter: Chapter, parameters: Mapping[str, Any]) -> Ingredients:
    """Look at everything that `chapter` run with `parameters` depends on."""
    sources = [source_of(c) for c in chapter.notebook.cells if c.cell_type == "code"]
    modules = imported_modules(book.package, sources)
    texts = [*sources, *(path.read_text(encoding="utf-8") for path in modules.values())]
    constraints = book.root / "constraints.txt"
    return Ingredients(
        text=digest(chapter.text),
        modules={name: file_digest(path) for name, path in sorted(modules.items())},
        parameters=dict(sorted(parameters.items())),
        data=_data_digests(book.root / "data", texts),
        constraints=file_digest(constraints) if constraints.is_file() else "",
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
    )


def source_of(cell: Any) -> str:
    """A code cell's Python, its IPython magics and shell lines left out."""
    lines = str(cell.source).splitlines()
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def imported_modules(package: Path, sources: Iterable[str]) -> dict[str, Path]:
    """Modules of `package` that `sources` import, transitively, with their files.

    Names are relative to the package: ``langevin``, ``cooling.fringe``; a package's own
    ``__init__`` is named after it, the top one ``__init__``.
    """
    found: dict[str, Path] = {}
    todo: list[tuple[str, tuple[str, ...]]] = [(source, ()) for source in sources]
    while todo:
        source, inside = todo.pop()
        for parts in _imports(source, package.name, inside):
            for depth in range(len(parts) + 1):
                path = _module_file(package, parts[:depth])
                name = ".".join(parts[:depth]) or "__init__"
                if path is not None and name not in found:
                    found[name] = path
                    is_init = path.name == "__init__.py"
                    room = parts[:depth] if is_init else parts[: depth - 1]
                    todo.append((path.read_text(encoding="utf-8"), room))
    return found


def _imports(source: str, package: str, inside: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Dotted names below `package` that a source imports, as tuples; `inside` is its folder.

    ``from package.a import b`` gives ``(a, b)``: b may be a module or a name in a.
    A text that is no Python gives nothing: running it will say so better.
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top, *rest = alias.name.split(".")
                if top == package:
                    yield tuple(rest)
        elif isinstance(node, ast.ImportFrom):
            stem = tuple(node.module.split(".")) if node.module else ()
            if node.level:
                base = inside[: len(inside) - node.level + 1] + stem
            elif stem[:1] == (package,):
                base = stem[1:]
            else:
                continue
            for alias in node.names:
                yield (*base, alias.name)


def _module_file(package: Path, parts: tuple[str, ...]) -> Path | None:
    place = package.joinpath(*parts)
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _data_digests(data: Path, texts: Iterable[str]) -> dict[str, str]:
    """Digests of what ``data_file("...")`` names in the texts.

    For a computed name, of the folder it begins with, ``f"weights/{name}"``, or of all data.
    """
    wanted: set[str] = set()
    for text in texts:
        try:
            nodes = list(ast.walk(ast.parse(text)))
        except SyntaxError:
            continue
        for node in nodes:
            if isinstance(node, ast.Call) and _called(node) == "data_file" and node.args:
                wanted.add(_named(node.args[0]))
    digests = {}
    for name in sorted(wanted):
        path = data / name
        if path.is_dir():
            digests[name] = tree_digest(path)
        elif path.is_file():
            digests[name] = file_digest(path)
        else:
            digests[name] = "missing"
    return digests


def _named(argument: ast.expr) -> str:
    """The file or folder of the data that an argument of ``data_file`` can mean."""
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) else None
    begins = str(first.value) if isinstance(first, ast.Constant) else ""
    return begins.rpartition("/")[0] or "."


def _called(call: ast.Call) -> str:
    """The last part of what is called: ``f`` for ``f()`` and for ``a.f()``."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _changed_names(kind: str, now: Mapping[str, str], old: Mapping[str, str]) -> list[str]:
    names = sorted(n for n in {*now, *old} if now.get(n) != old.get(n))
    if not names:
        return []
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    plural = "s" if kind == "module" and len(names) > 1 else ""
    return [f"{kind}{plural} {shown} changed"]
