"""What the names of a chapter's cells mean: one thing each, so that any cell can run again."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

THROW_AWAY = {"_", "fig", "figure", "ax", "axes"}
GROWS = {"append", "extend", "insert", "pop", "remove"}
LOOP = "loop variable"


def faults(cells: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Names with two meanings, bound in two cells or to two kinds of things, and what grows.

    Throw-away names and the parts of a figure may come again, and so may a loop variable as a loop
    variable.

    Args:
        cells: code cells in order, each with the line where it begins.

    Returns:
        lines, and what is wrong there.

    Raises:
        SyntaxError: a cell is no Python.
    """
    found: list[tuple[int, str]] = []
    first: dict[str, tuple[int, int, str]] = {}  # cell, line, kind
    for number, (begin, source) in enumerate(cells):
        nodes = list(_outside(ast.parse(source)))
        bound = sorted((begin + row - 1, name, kind) for name, row, kind in _bound(nodes))
        again: dict[str, tuple[int, str]] = {}
        for line, name, kind in bound:
            cell, before, meant = first.setdefault(name, (number, line, kind))
            same = kind == meant and (cell == number or kind == LOOP)
            if not same and name not in THROW_AWAY:
                now = "comes again" if kind == meant else f"is bound as {kind}"
                said = f"`{name}`, {meant} of line {before}, {now} here; rename one of them"
                again.setdefault(name, (line, said))
        found += again.values()
        for name, row in _grown(nodes):
            if name in first and name not in {known for _, known, _ in bound}:
                said = f"`{name}` of line {first[name][1]} grows each time that this cell is run"
                found.append((begin + row - 1, said))
    return found


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    """All that a cell does outside of its functions, classes and comprehensions."""
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.comprehension)
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, inner):
            yield from _outside(child)


def _bound(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int, str]]:
    """Name, row and kind of what a cell binds; not of a figure's parts, which each figure has."""
    kinds: dict[ast.AST, str] = {}
    for node in nodes:
        match node:
            case ast.For():
                kinds |= dict.fromkeys(ast.walk(node.target), LOOP)
            case ast.Assign(value=ast.Call(func=ast.Attribute(attr="panels" | "subplots"))):
                kinds |= {part: "" for target in node.targets for part in ast.walk(target)}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno, "definition"
            case ast.Import() | ast.ImportFrom():
                for alias in node.names:
                    yield alias.asname or alias.name.partition(".")[0], node.lineno, "import"
            case ast.Name(ctx=ast.Store()) if kind := kinds.get(node, "value"):
                yield node.id, node.lineno, kind


def _grown(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Name and row of lists that a cell changes in place."""
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=verb)) if verb in GROWS:
                yield name, node.lineno
