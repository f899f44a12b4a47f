"""The rooms of the package, and the arrows between them: downwards only, without circles."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import domain_translation

PACKAGE = Path(domain_translation.__file__).parent
# From the top floor down; rooms of one floor may know each other.
FLOORS = (
    ("__main__", "cli", "commands"),
    ("studies",),
    ("pretrained",),
    ("cooling",),
    ("language", "translators"),
    ("energies", "reweighting", "foundations", "denoising"),
    ("evaluation", "training", "synthetic", "data"),
    ("sampling",),
    ("press",),
    ("notebook",),
    ("runtime", "files"),
)
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
# What stands apart from the methods: all that it may import, and who may import it.
MAY_IMPORT = {"notebook": {"runtime", "files"}, "press": {"runtime", "files", "notebook"}}
IMPORTED_BY = {
    "notebook": {"__main__", "cli", "commands", "studies", "pretrained", "press"},
    "press": {"__main__", "cli", "commands"},
}


def rooms_of(node: ast.AST) -> set[str]:
    """The rooms that an import statement names."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "imports name the whole path"
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    else:
        return set()
    parts = [name.split(".") for name in names]
    return {p[1] for p in parts if p[0] == "domain_translation" and len(p) > 1}


def arrows() -> dict[str, set[str]]:
    """Room -> rooms that its files import, wherever in a file the import stands."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if room != "__init__":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                found.setdefault(room, set()).update(rooms_of(node) - {room})
    return found


ARROWS = arrows()


def test_the_rooms_are_those_of_the_plan() -> None:
    assert set(ARROWS) <= set(FLOOR)


def test_arrows_point_downwards() -> None:
    wrong = [
        f"{a} -> {b}"
        for a, ends in ARROWS.items()
        for b in ends & set(FLOOR)
        if FLOOR[a] > FLOOR[b]
        or b not in MAY_IMPORT.get(a, {b})
        or a not in IMPORTED_BY.get(b, {a})
    ]
    assert not wrong


def test_there_are_no_circles() -> None:
    order = list(TopologicalSorter(ARROWS).static_order())  # raises CycleError otherwise
    assert order.index("runtime") < order.index("cli")
