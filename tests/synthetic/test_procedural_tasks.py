"""What every procedural domain promises, and the tasks made of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from domain_translation.synthetic import TASKS, load_task
from domain_translation.synthetic.latent import Law, Oddity, surprise


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


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_scenes_have_the_promised_shape_type_and_range(name: str, size: int) -> None:
    scenes = TASKS[name](4, 3, size=size, rare=0.5)
    for images in (scenes.source, scenes.target):
        assert images.shape == (4, 3, size, size)
        assert images.dtype == torch.float32
        assert -1 <= images.min() < images.max() <= 1
        assert images.std() > 0.1
    assert scenes.surprise.shape == (4,)
    assert scenes.surprise.dtype == torch.float64
    assert scenes.surprise.isfinite().all()


@pytest.mark.parametrize("name", TASKS)
def test_a_scene_depends_on_the_seed_and_its_number_only(name: str) -> None:
    few, many, other = (TASKS[name](n, s, size=32) for n, s in ((3, 11), (19, 11), (3, 12)))
    for short, long in zip(few, many, strict=True):
        assert torch.equal(short, long[:3])
    assert not torch.equal(few.source, other.source)
    assert len(many.surprise.unique()) == 19


@pytest.mark.parametrize("name", TASKS)
def test_the_scene_is_the_same_at_every_size(name: str) -> None:
    small, large = (TASKS[name](4, 5, size=size) for size in (32, 128))
    assert torch.equal(small.surprise, large.surprise)
    pooled = torch.nn.functional.avg_pool2d(large.source, 4)
    apart = (pooled - small.source).abs().mean()
    assert apart < 0.5 * (pooled - small.source.roll(1, 0)).abs().mean()


def test_surprise_is_minus_the_log_density_of_the_mixture() -> None:
    odd = Oddity(1.0, {"size": (4.0, 0.5)}, {"kind": {"b": 1.0}})
    law = Law({"size": (0.0, 1.0)}, {"kind": {"a": 0.7, "b": 0.3}}, (), {"odd": odd})
    size, kind = np.array([0.5, 0.5, 4.2]), np.array([0, 1, 1])
    core = 0.9 * stats.norm.pdf(size) * np.array([0.7, 0.3, 0.3])
    tail = 0.1 * stats.norm.pdf(size, 4, 0.5) * kind
    found = surprise(law, {"size": size, "kind": kind})
    assert found == pytest.approx(-np.log(core + tail))


@pytest.mark.parametrize("name", TASKS)
def test_rare_scenes_are_more_surprising(name: str) -> None:
    core, tail = (TASKS[name](150, 1, size=16, rare=rare).surprise for rare in (0.0, 1.0))
    assert tail.mean() > core.mean() + 2
    assert tail.median() > core.quantile(0.9)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"n": -3}, {"size": 15}, {"rare": -0.1}, {"rare": 1.5}]
)
def test_bad_requests_are_refused(name: str, wrong: dict[str, float]) -> None:
    request = {"n": 2, "seed": 0, **wrong}
    with pytest.raises(ValueError, match=rf"^{next(iter(wrong))} is .*\.$"):
        TASKS[name](**request)
