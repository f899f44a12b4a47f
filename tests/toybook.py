"""A book of two short chapters in a temporary folder, for the tests of the press."""

from __future__ import annotations

import textwrap
from pathlib import Path

from domain_translation.press.book import Book

HEADER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""

PYPROJECT = """\
[project]
name = "toy-book"
version = "1.0"

[project.urls]
Repository = "https://github.com/someone/toy-book"
"""

CONFIG = """\
title: Toy
author: Nobody
only_build_toc_files: true
execute:
  execute_notebooks: "off"
repository:
  branch: trunk
launch_buttons:
  colab_url: https://colab.research.google.com
sphinx:
  recursive_update: true
"""

TOC = """\
format: jb-book
root: book/intro
chapters:
  - file: book/part/one
  - file: book/part/two
"""

ONE = """
from toy_book import alpha
print(alpha.double(2))
"""

TWO = """
# NBVAL_CHECK_OUTPUT
print("seed", seed)
"""


def cell(source: str, tags: str = "") -> str:
    """A MyST code cell."""
    option = f":tags: [{tags}]\n\n" if tags else ""
    return f"```{{code-cell}} ipython3\n{option}{textwrap.dedent(source).strip()}\n```\n\n"


def chapter(title: str, *sources: str) -> str:
    """A MyST text notebook with a parameters cell and one cell per source."""
    parameters = cell('profile = "quick"\nseed = 0', "parameters")
    return f"{HEADER}# {title}\n\n{parameters}{''.join(cell(s) for s in sources)}"


def write(path: Path, text: str) -> None:
    """Write a file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def make(root: Path) -> Book:
    """Lay the toy book out in `root`."""
    files = {
        "pyproject.toml": PYPROJECT,
        "_config.yml": CONFIG,
        "_toc.yml": TOC,
        "constraints.txt": "torch==1.0\n",
        "book/intro.md": "# Intro\n\nText.\n",
        "book/part/one.md": chapter("Chapter one", ONE),
        "book/part/two.md": chapter("Chapter two", TWO),
        "src/toy_book/__init__.py": "",
        "src/toy_book/alpha.py": (
            "def double(x):\n    from .deep import beta\n    return beta.two() * x\n"
        ),
        "src/toy_book/deep/__init__.py": "",
        "src/toy_book/deep/beta.py": (
            "def two():\n    return 2\n\n\ndef read():\n    return data_file('table.csv')\n"
        ),
        "src/toy_book/gamma.py": "",
        "data/table.csv": "a,b\n",
        "data/other.csv": "c,d\n",
    }
    for name, text in files.items():
        write(root / name, text)
    return Book(root)
