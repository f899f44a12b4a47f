"""The commands on pictures under hostile inputs: a sentence and a status, never a traceback."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import hostile
import pytest

from domain_translation import cli


def assert_survives(
    seed: int,
    place: Path,
    capsys: pytest.CaptureFixture[str],
    request: Callable[[random.Random, Path], list[str]] = hostile.request,
) -> int:
    """Run one request; whatever it is, the end is a status, with a word where it is not 0."""
    place.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        given = request(random.Random(seed), place)
        try:
            status = cli.main(given)
        except SystemExit as end:  # argparse
            status = int(end.code or 0)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {given}") from error
    said = capsys.readouterr()
    assert status in (0, 1, 2, 3), (seed, given)
    assert "Traceback" not in said.err, (seed, given)
    assert status == 0 or "domain-translation" in said.err, (seed, given)
    return status


def test_sixty_hostile_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = [assert_survives(seed, tmp_path / f"{seed}", capsys) for seed in range(60)]
    assert set(ends) >= {0, 1, 2}  # some are harmless, or nothing would be reached


def test_twenty_hostile_inputs_of_two_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = hostile.request_of_two
    ends = [assert_survives(seed, tmp_path / f"{seed}", capsys, draw) for seed in range(20)]
    assert set(ends) >= {1, 2}
    assert set(ends) & {0, 3}


@pytest.mark.weekly
def test_three_hundred_hostile_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(1000, 1300):
        assert_survives(seed, tmp_path / f"{seed}", capsys)
        two = hostile.request_of_two
        assert_survives(seed, tmp_path / f"{seed} of two", capsys, two)
