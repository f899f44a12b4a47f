"""Earlier runs of studies: the files come with the package, and pictures come back from text."""

import base64

import pytest
import torch

from domain_translation.studies import stored_runs


@pytest.mark.parametrize("name", ["ablations", "likelihood", "ood", "translation"])
def test_the_files_come_with_the_package(name):
    assert stored_runs.read(f"energies/{name}")["date"]


def test_pictures_come_back_from_their_levels():
    levels = torch.arange(2 * 3 * 4, dtype=torch.uint8) * 10
    text = base64.b64encode(levels.numpy().tobytes()).decode()
    back = stored_runs.from_pictures(text, 2, channels=3)
    assert back.shape == (2, 3, 2, 2)
    assert torch.equal(((back + 1) * 127.5).round().flatten(), levels.float())
    assert back.min() == -1
