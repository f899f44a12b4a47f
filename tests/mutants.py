"""Runs tests against wrong copies of the package; called by test_mutations.py.

usage: python mutants.py PACKAGE TESTS JOB.json

A job is a list of [name, file, right, wrong, tests]. For each the package is copied, `right` is
replaced by `wrong` in `file`, and the tests are run on the copy in a forked child, which spares
the start of a new interpreter. Prints one JSON object: name -> exit code of pytest.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import hypothesis  # noqa: F401  imported once, before the forks
import numpy  # noqa: F401
import pytest
import scipy.signal
import scipy.stats  # noqa: F401
import torch  # noqa: F401
import tqdm.auto  # noqa: F401


def outcome(source: Path, tests: list[str]) -> int:
    """Exit code of pytest on `tests` with the package at `source` / domain_translation."""
    child = os.fork()
    if child == 0:
        sys.path.insert(0, str(source))
        sys.dont_write_bytecode = True
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]
        os._exit(int(pytest.main([*options, *tests])))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(package: Path, tests: Path, job: Path) -> None:
    os.chdir(tests)
    codes = {}
    with tempfile.TemporaryDirectory() as top:
        copy = Path(top) / "src" / "domain_translation"
        # Beside the package, where a checkout has it.
        (Path(top) / "data").symlink_to(package.parents[1] / "data")
        for name, file, right, wrong, chosen in json.loads(job.read_text()):
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
            text = (copy / file).read_text()
            (copy / file).write_text(text.replace(right, wrong))
            codes[name] = outcome(copy.parent, chosen)
    print(json.dumps(codes))


if __name__ == "__main__":
    main(*(Path(a).resolve() for a in sys.argv[1:4]))
