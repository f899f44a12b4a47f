"""The source of an algorithm on its page: the very lines, with their place."""

from __future__ import annotations

import functools
import inspect
import json
import os
from dataclasses import dataclass
from types import SimpleNamespace

import IPython.display
import numpy as np
import pytest
import toybook

from domain_translation.notebook import show, source
from domain_translation.press import launch
from domain_translation.press.pages import cards


@pytest.fixture
def displayed(monkeypatch):
    """Shows something and returns what IPython was given: data and metadata."""
    given = []
    monkeypatch.setattr(
        IPython.display, "display", lambda data, raw, metadata: given.append((data, metadata))
    )

    def shown(what, **options):
        show(what, **options)
        data, metadata = given.pop()
        return data, metadata[source.METADATA_KEY]

    return shown


def noted(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


@noted
def doubled(x):
    """Twice x.

    Says ```more``` than it must.
    """

    # a comment stays
    return 2 * x


def said():
    """Nothing else."""


class Outer:
    """A class."""

    @dataclass
    class Inner:
        """With a field."""

        x: int = 0

        def method(self):
            """Its own words stay."""
            return self.x


def code_of(data):
    """The code in the fence, and the fence."""
    _, _, block = data["text/markdown"].partition("\n\n")
    fence, _, rest = block.partition("python\n")
    code, _, end = rest.rpartition(f"\n{fence}")
    assert end == "\n"
    return code, fence


def test_the_source_is_that_of_the_file(displayed):
    data, place = displayed(source.show)
    assert place["file"] == "domain_translation/notebook/source.py"
    assert place["ours"]
    with open(source.__file__, encoding="utf-8") as f:
        lines = f.read().split("\n")[place["first"] - 1 : place["last"]]
    assert lines[0].startswith("def show(")
    code, fence = code_of(data)
    assert code.split("\n") == lines
    assert fence == "```"
    head = f"{place['file']}, lines {place['first']} to {place['last']}"
    assert data["text/markdown"].startswith(f"{head}\n\n")
    assert data["text/plain"] == f"# {head}\n{code}"


def test_what_is_shown_is_the_same_every_time_and_names_no_folder(displayed):
    first = displayed(doubled)
    assert displayed(doubled) == first
    assert os.path.dirname(__file__) not in json.dumps(first)
    assert first[1]["file"] == __name__  # not of the package: its module


def test_a_decorated_function_is_shown_itself_within_a_fence_that_holds_it(displayed):
    code, fence = code_of(displayed(doubled)[0])
    assert code == inspect.getsource(doubled.__wrapped__).rstrip()
    assert fence == "````"


def test_a_docstring_can_be_left_out_and_nothing_else_goes(displayed):
    code, _ = code_of(displayed(doubled, docstring=False)[0])
    assert code == "@noted\ndef doubled(x):\n    # a comment stays\n    return 2 * x"
    code, _ = code_of(displayed(said, docstring=False)[0])
    assert '"""Nothing else."""' in code


def test_methods_and_classes_are_dedented(displayed):
    code, _ = code_of(displayed(Outer.Inner, docstring=False)[0])
    assert code.startswith("@dataclass\nclass Inner:\n    x: int = 0\n")
    assert "Its own words stay" in code
    code, _ = code_of(displayed(Outer.Inner().method)[0])
    assert code.startswith("def method(self):\n    ")


@pytest.mark.parametrize("what", [3, "a name", np.add, len, functools.partial(doubled, 1)])
def test_what_has_no_source_is_one_sentence(displayed, what):
    with pytest.raises(ValueError, match="has no source in Python; give a function"):
        displayed(what)


def test_it_is_a_link_where_the_package_came_from_its_repository(displayed, monkeypatch):
    told = {"url": "https://github.com/a/b.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}
    distribution = SimpleNamespace(read_text=lambda name: json.dumps(told))
    monkeypatch.setattr(source.importlib.metadata, "distribution", lambda name: distribution)
    data, place = displayed(source.anchor)
    lines = f"#L{place['first']}-L{place['last']}"
    address = f"https://github.com/a/b/blob/c0ffee/src/domain_translation/notebook/source.py{lines}"
    assert data["text/markdown"].startswith(f"[{source.caption(place)}]({address})\n\n")
    assert "https" not in displayed(doubled)[0]["text/markdown"]


@pytest.mark.parametrize("published", [True, False])
def test_the_page_links_the_source_once_the_repository_is_published(
    displayed, monkeypatch, tmp_path, published
):
    book = toybook.make(tmp_path)
    monkeypatch.setattr(launch, "published", lambda book: published)
    data, place = displayed(source.anchor)
    before = data["text/markdown"]
    output = {"data": data, "metadata": {source.METADATA_KEY: place}}
    cards._link_source(book, output)
    head, _, code = output["data"]["text/markdown"].partition("\n\n")
    assert code == before.partition("\n\n")[2]
    words = source.caption(place)
    address = f"https://github.com/someone/toy-book/blob/trunk/{source.anchor(place)}"
    assert head == "{.source}\n" + (f"[{words}]({address})" if published else words)
    other = {"data": {"text/plain": "3"}, "metadata": {}}
    cards._link_source(book, other)
    assert other == {"data": {"text/plain": "3"}, "metadata": {}}
