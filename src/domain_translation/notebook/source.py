"""The source of a function or class, on the page that states its algorithm."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import domain_translation

METADATA_KEY = "domain_translation_source"


def show(what: Any, *, docstring: bool = True) -> None:
    """Display the source of a function, method or class: its very lines, and where they stand.

    The place is a link where this package was installed from its repository; the press links the
    book's pages.

    Args:
        what: what to show; of a decorated function, the function itself.
        docstring: show its own docstring as well.

    Raises:
        ValueError: it has no source in Python, such as an object or a function written in C.
    """
    from IPython.display import display

    what = inspect.unwrap(what) if callable(what) else what
    try:
        lines, first = inspect.getsourcelines(what)
        file = Path(inspect.getsourcefile(what) or "")
    except (TypeError, OSError) as error:
        raise ValueError(
            f"{what!r} has no source in Python; give a function, a method or a class"
        ) from error
    source = textwrap.dedent("".join(lines)).rstrip("\n")
    shown = source if docstring else _without_docstring(source)
    package = Path(domain_translation.__file__).parent.parent
    ours = file.is_relative_to(package / "domain_translation")
    name = file.relative_to(package).as_posix() if ours else what.__module__
    place = {"file": name, "first": first, "last": first + len(lines) - 1, "ours": ours}
    text, address = caption(place), _installed_from() if ours else ""
    head = f"[{text}]({address}/{anchor(place)})" if address else text
    fence = "`" * 3
    while fence in shown:
        fence += "`"
    bundle = {
        "text/markdown": f"{head}\n\n{fence}python\n{shown}\n{fence}\n",
        "text/plain": f"# {text}\n{shown}",
    }
    display(bundle, raw=True, metadata={METADATA_KEY: place})  # type: ignore[no-untyped-call]


def caption(place: Mapping[str, Any]) -> str:
    """Where a source stands, in words."""
    return f"{place['file']}, lines {place['first']} to {place['last']}"


def anchor(place: Mapping[str, Any]) -> str:
    """Where a source stands in the repository, as the end of an address."""
    return f"src/{place['file']}#L{place['first']}-L{place['last']}"


def _without_docstring(source: str) -> str:
    """A definition without its docstring's lines; what has nothing else keeps it."""
    definition = ast.parse(source).body[0]
    assert isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    said, *rest = definition.body
    if ast.get_docstring(definition, clean=False) is None or not rest:
        return source
    lines, last = source.split("\n"), said.end_lineno or said.lineno
    while not lines[last].strip():
        last += 1
    return "\n".join([*lines[: said.lineno - 1], *lines[last:]])


def _installed_from() -> str:
    """The commit at which pip installed this package from its repository; "" if it did not."""
    try:
        told = importlib.metadata.distribution("domain-translation").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        told = None
    origin = json.loads(told or "{}")
    commit = origin.get("vcs_info", {}).get("commit_id")
    return f"{origin['url'].removesuffix('.git')}/blob/{commit}" if commit else ""
