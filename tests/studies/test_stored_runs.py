"""Earlier runs of studies: the files come with the package."""

import pytest

from domain_translation.studies import stored_runs


@pytest.mark.parametrize("name", ["energies/likelihood", "energies/ood", "maps/card"])
def test_the_files_come_with_the_package(name):
    assert stored_runs.read(name)
