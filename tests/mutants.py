"""Runs tests against wrong copies of the package; called by test_mutations.py.

usage: python mutants.py PACKAGE TESTS JOB.json

A job is a list of [name, file, right, wrong, tests]. In a copy of the package `right` is replaced
by `wrong` in `file`, the tests are run on it in a forked child, which spares the start of a new
interpreter, and the file is put back. Prints one JSON object: name -> exit code of pytest.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

# Imported once, before the forks: what the package and its tests import.
import filelock  # noqa: F401
import hypothesis  # noqa: F401
import jupytext  # noqa: F401
import nbformat  # noqa: F401
import numpy  # noqa: F401
import psutil  # noqa: F401
import pytest
import safetensors.torch  # noqa: F401
import scipy.ndimage
import scipy.signal
import scipy.stats  # noqa: F401
import sklearn.covariance
import sklearn.metrics
import sklearn.mixture  # noqa: F401
import torch
import tqdm.auto  # noqa: F401

# PyTorch imports much more with its first optimiser and its first convolution.
torch.optim.Adam([torch.zeros(1, requires_grad=True)])


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
        shutil.copytree(package, copy)  # with all that is compiled
        for name, file, right, wrong, chosen in json.loads(job.read_text()):
            original = package / file
            (copy / file).write_text(original.read_text().replace(right, wrong))
            codes[name] = outcome(copy.parent, chosen)
            shutil.copy2(original, copy / file)
    print(json.dumps(codes))


if __name__ == "__main__":
    main(*(Path(a).resolve() for a in sys.argv[1:4]))
