"""Tasks made of procedural scenes: parts that share no scene, seeds that choose the test only."""

from __future__ import annotations

import pytest
import torch

from domain_translation.data.procedural import TASKS, load_task


@pytest.mark.parametrize("name", TASKS)
def test_the_parts_share_no_scene(name: str) -> None:
    task = load_task(name, size=32, train=6, validation=4, test=5)
    assert task.source.shape == task.target.shape == (6, 3, 32, 32)
    assert task.validation.source.shape == (4, 3, 32, 32)
    assert task.test.target.shape == (5, 3, 32, 32)
    sources = torch.cat([task.source, task.validation.source, task.test.source]).flatten(1)
    assert len(sources.unique(dim=0)) == 15
    targets = torch.cat([task.target, task.validation.target, task.test.target]).flatten(1)
    assert len(targets.unique(dim=0)) == 15


def test_the_seed_chooses_the_test_scenes_only() -> None:
    a = load_task("city", seed=0, size=32, train=3, validation=3, test=3)
    b = load_task("city", seed=1, size=32, train=4, validation=2, test=3)
    assert torch.equal(a.source, b.source[:3])
    assert torch.equal(a.validation.source[:2], b.validation.source)
    assert not torch.equal(a.test.source, b.test.source)


def test_an_unknown_task_is_named() -> None:
    with pytest.raises(ValueError, match="unknown task 'cats'; choose one of animals"):
        load_task("cats")
