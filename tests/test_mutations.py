"""The tests must be able to fail: every wrong version of the package below turns them red.

A mutant is one line of the source made wrong in a way that still runs and looks plausible; they
are listed by room in `mutants.toml`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

import domain_translation

PACKAGE = Path(domain_translation.__file__).parent
TESTS = Path(__file__).parent


class Mutant(NamedTuple):
    """`right` in `file` made `wrong`, which `test`, a pytest id, must notice."""

    name: str
    file: str
    right: str
    wrong: str
    test: str
    daily: bool = False


ROOMS = {
    room: [Mutant(**mutant) for mutant in mutants]
    for room, mutants in tomllib.loads((TESTS / "mutants.toml").read_text("utf-8")).items()
}
MUTANTS = [mutant for mutants in ROOMS.values() for mutant in mutants]
DAILY = [mutant for mutant in MUTANTS if mutant.daily]
OTHERS = [mutant for mutant in MUTANTS if not mutant.daily]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_line_a_mutant_changes_is_there_once(mutant: Mutant) -> None:
    assert (PACKAGE / mutant.file).read_text("utf-8").count(mutant.right) == 1


def test_every_run_of_the_tests_tries_each_room_and_thirty_mutants_at_most() -> None:
    assert len(DAILY) <= 30
    assert [room for room, mutants in ROOMS.items() if not any(m.daily for m in mutants)] == []
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants are run in forked processes")
@pytest.mark.parametrize(
    "mutants",
    [pytest.param(DAILY, id="daily"), pytest.param(OTHERS, id="others", marks=pytest.mark.weekly)],
)
def test_every_mutant_turns_the_tests_red(mutants: list[Mutant], tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    unchanged = ["unchanged", "__init__.py", "", "", sorted({m.test for m in mutants})]
    job.write_text(json.dumps([unchanged, *([*m[:4], [m.test]] for m in mutants)]))
    done = subprocess.run(
        [sys.executable, str(TESTS / "mutants.py"), str(PACKAGE), str(TESTS), str(job)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes = json.loads(done.stdout.splitlines()[-1])
    assert codes.pop("unchanged") == 0, "the tests fail on the package as it is"
    alive = [name for name, code in codes.items() if code != 1]
    assert not alive, f"no test noticed: {alive}"
