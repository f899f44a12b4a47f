"""What a piece of code does, apart from how it is written."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

# What presents results and computes none: it makes no measurement stale.
PRESENTING = (
    "notebook/",
    "press/",
    "commands/",
    "cli.py",
)


def code_digest(source: str) -> str:
    """A digest of what a module does: its syntax tree without comments and docstrings."""
    return _digest(_undocumented(ast.parse(source)))


@functools.cache
def code_of(function: Callable[..., Any], package: Path) -> dict[str, str]:
    """Digests of all that a function may run of a package, by file below it.

    Of the function's own module these are the definitions that it reaches by name; of others, the
    modules that those definitions import, and whatever these import in turn. So what stands beside
    it, as the measurement of what it gives, may change without changing the digests.

    Args:
        function: defined in a file; of a partial application, the function that is applied.
        package: the package's folder.
    """
    while isinstance(function, functools.partial):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    home, name = Path(inspect.getsourcefile(named) or ""), named.__qualname__.split(".")[0]
    own = _definitions(_parsed(home), name)
    place = home.relative_to(package).as_posix() if home.is_relative_to(package) else home.name
    found = {f"{place}:{name}": _digest(ast.Module(own, []))}
    waiting, seen = list(_imported(own, package)), {home}
    while waiting:
        if (path := waiting.pop()) not in seen:
            seen.add(path)
            place = path.relative_to(package).as_posix()
            if not place.startswith(PRESENTING):
                found[place] = _digest(_parsed(path))
                waiting += _imported([_parsed(path)], package)
    return dict(sorted(found.items()))


def _digest(tree: ast.AST) -> str:
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


@functools.cache
def _parsed(path: Path) -> ast.Module:
    return _undocumented(ast.parse(path.read_text(encoding="utf-8")))


def _undocumented(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _definitions(tree: ast.Module, name: str) -> list[ast.stmt]:
    """The statements of a module that `name` needs, in order; all where it is not bound there."""
    binding: dict[str, list[ast.stmt]] = {}
    body = [single for statement in tree.body for single in _single(statement)]
    for statement in body:
        for bound in _bound(statement):
            binding.setdefault(bound, []).append(statement)
    if name not in binding:
        return tree.body
    waiting, seen, needed = [name], {name}, set()
    while waiting:
        for statement in binding.get(waiting.pop(), ()):
            if statement in needed:
                continue
            needed.add(statement)
            loaded = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
            waiting += sorted(loaded - seen)
            seen |= loaded
    return [statement for statement in body if statement in needed]


def _single(statement: ast.stmt) -> list[ast.stmt]:
    """An import of several names as several imports: a definition needs some of them only."""
    if isinstance(statement, ast.ImportFrom):
        return [ast.ImportFrom(statement.module, [a], statement.level) for a in statement.names]
    return [statement]


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Names that a statement of a module binds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
        return
    # The variable of a comprehension is its own: the module does not know it.
    loops = (n for n in ast.walk(statement) if isinstance(n, ast.comprehension))
    inner = {node for loop in loops for node in ast.walk(loop.target)}
    for node in ast.walk(statement):
        if isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in inner:
            yield node.id


def _imported(trees: Iterable[ast.AST], package: Path) -> Iterator[Path]:
    """Files of the package that the code imports, at the top or inside functions."""
    for node in (n for tree in trees for n in ast.walk(tree)):
        if isinstance(node, ast.Import):
            names = [[a.name] for a in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [[f"{node.module}.{a.name}", node.module] for a in node.names]
        else:
            continue
        for choices in names:
            files = (f for name in choices for f in _files(name, package))
            yield from [f for f in files if f.is_file()][:1]


def _files(module: str, package: Path) -> list[Path]:
    top, *rest = module.split(".")
    if top != package.name:
        return []
    path = package.joinpath(*rest)
    return [path.with_suffix(".py"), path / "__init__.py"] if rest else [path / "__init__.py"]
