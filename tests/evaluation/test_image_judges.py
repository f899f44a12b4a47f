"""Judges of the quick profile: sizes, determinism, calibration, telling domains apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor, nn

from domain_translation.evaluation.judges.image_judges import (
    JudgeConfig,
    augment,
    target_likeness,
    target_margin,
    train_image_judges,
)
from domain_translation.evaluation.judges.judge_networks import ImageJudges
from domain_translation.training.checkpoints import CheckpointError

SHORT = JudgeConfig(steps=5, batch=8)
SIZES = {
    "plain": 42_338,
    "residual": 51_214,
    "dense": 34_534,
    "separable": 24_642,
    "mixer": 53_762,
}


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def stripes(n: int, seed: int, *, upright: bool, size: int = 24) -> Tensor:
    """Stripes of random phase and strength over noise; the domains differ in direction only."""
    generator = gen(seed)
    phase = torch.rand(n, 1, 1, 1, generator=generator) * 6.3
    strength = 0.2 + 0.4 * torch.rand(n, 1, 1, 1, generator=generator)
    ramp = torch.arange(size) * 0.8
    wave = (ramp.expand(size, size) if upright else ramp[:, None].expand(size, size)) + phase
    noise = 0.2 * torch.randn(n, 3, size, size, generator=generator)
    return (strength * wave.sin() + noise).clamp(-1, 1)


@pytest.fixture(scope="module")
def trained() -> nn.ModuleDict:
    return train_image_judges(
        stripes(300, 0, upright=True),
        stripes(300, 1, upright=False),
        JudgeConfig(steps=60, batch=20),
    )


def test_five_families_each_below_sixty_thousand_parameters() -> None:
    judges = ImageJudges()
    assert {n: sum(p.numel() for p in j.parameters()) for n, j in judges.items()} == SIZES
    assert max(SIZES.values()) < 60_000
    kinds = {n: {type(m).__name__ for m in j.modules()} for n, j in judges.items()}
    assert "LayerNorm" in kinds["mixer"]
    assert "BatchNorm2d" not in kinds["mixer"]
    grouped = [
        n for n, j in judges.items() if any(getattr(m, "groups", 1) > 1 for m in j.modules())
    ]
    assert grouped == ["separable"]
    x = torch.rand(2, 3, 64, 64, generator=gen()) * 2 - 1
    for judge in judges.eval().values():
        assert judge(x).shape == (2, 2)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([1, 2, 3, 7, 12]))
def test_judges_fit_any_multiple_of_eight(eighths: int) -> None:
    x = torch.zeros(2, 3, 8 * eighths, 8 * eighths)
    assert target_likeness(ImageJudges(8 * eighths).eval(), x).shape == (5, 2)


@pytest.mark.parametrize("size", [0, -8, 20])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"size is {size}; .* multiple of 8"):
        ImageJudges(size)


def test_they_learn_a_pair_of_domains_that_differ_in_direction_only(
    trained: nn.ModuleDict,
) -> None:
    source, target = stripes(100, 2, upright=True), stripes(100, 3, upright=False)
    right = torch.cat(
        [target_likeness(trained, source) < 0.5, target_likeness(trained, target) > 0.5], 1
    )
    assert right.double().mean(1).min() > 0.95


def test_smoothed_labels_end_the_scale_and_plain_ones_do_not(trained: nn.ModuleDict) -> None:
    """Smoothing by s leaves nothing to gain beyond a probability of 1 - s/2."""
    config = JudgeConfig(steps=60, batch=20, smoothing=0.2)
    smoothed = train_image_judges(
        stripes(300, 0, upright=True), stripes(300, 1, upright=False), config
    )
    x = stripes(200, 3, upright=False)
    ends = [target_likeness(judges, x).mean(1) for judges in (smoothed, trained)]
    torch.testing.assert_close(ends[0], torch.full((5,), 0.9), atol=0.05, rtol=0)
    assert ends[1].min() > 0.97


def test_margins_are_the_logits_of_likeness_and_go_on_where_it_ends(trained: nn.ModuleDict) -> None:
    x = torch.cat([stripes(50, 3, upright=False), stripes(50, 4, upright=True)])
    margin = target_margin(trained, x)
    assert margin.shape == (5, 100)
    torch.testing.assert_close(margin.sigmoid(), target_likeness(trained, x))
    for judge, found in zip(trained.values(), margin, strict=True):
        a, b = judge(x).T
        torch.testing.assert_close(found, b - a)
    sure = nn.ModuleDict({"sure": nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))})
    sure["sure"][1].weight.data[0], sure["sure"][1].weight.data[1] = 0, 10  # type: ignore[index]
    white = torch.ones(2, 3, 8, 8) * torch.tensor([0.5, 1.0])[:, None, None, None]
    likeness, beyond = target_likeness(sure, white)[0], target_margin(sure, white)[0]
    assert likeness[0] == likeness[1] == 1
    assert beyond[1] > beyond[0] + 100


def test_an_image_between_the_domains_lies_between_them(trained: nn.ModuleDict) -> None:
    source, target = stripes(100, 2, upright=True), stripes(100, 3, upright=False)
    means = [
        target_likeness(trained, (1 - w) * source + w * target).mean() for w in (0.0, 0.3, 0.7, 1.0)
    ]
    assert means == sorted(means)


def test_each_image_is_judged_by_itself(trained: nn.ModuleDict) -> None:
    x = stripes(150, 4, upright=True)  # more than are judged at a time
    p = target_likeness(trained, x)
    assert p.shape == (5, 150)
    torch.testing.assert_close(target_likeness(trained, x[140:141]), p[:, 140:141])
    assert not trained.training
    assert not any(q.requires_grad for q in trained.parameters())


def test_training_repeats_to_the_bit_and_the_seed_matters() -> None:
    source, target = stripes(20, 0, upright=True), stripes(20, 1, upright=False)
    state = torch.get_rng_state()
    a, b, c = (train_image_judges(source, target, SHORT, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a[k], b[k]) for k in a)
    weights = [k for k in a if k.endswith("weight") and a[k].ndim > 1]
    assert not any(torch.equal(a[k], c[k]) for k in weights)


def test_a_checkpoint_resumes_its_own_run_only(tmp_path: Path) -> None:
    source, target = stripes(20, 0, upright=True), stripes(20, 1, upright=False)
    path = tmp_path / "judges.safetensors"
    first = train_image_judges(source, target, SHORT, 0, path)
    again = train_image_judges(source, target, SHORT, 0, path)
    assert torch.equal(target_likeness(first, source), target_likeness(again, source))
    with pytest.raises(CheckpointError, match="config"):
        train_image_judges(source, target, JudgeConfig(steps=6, batch=8), 0, path)
    with pytest.raises(CheckpointError, match="data_sha256"):
        train_image_judges(target, source, SHORT, 0, path)


@pytest.mark.parametrize(
    "field", ["steps", "batch", "learning_rate", "smoothing", "shift", "brightness", "softness"]
)
def test_every_setting_is_read(field: str) -> None:
    source, target = stripes(20, 0, upright=True), stripes(20, 1, upright=False)
    values: dict[str, Any] = {"steps": 2, "batch": 4}
    plain = train_image_judges(source, target, JudgeConfig(**values))
    changed = {
        "steps": 3,
        "batch": 5,
        "learning_rate": 1e-4,
        "smoothing": 0.3,
        "shift": 0,
        "brightness": 0.5,
        "softness": 0.0,
    }
    other = train_image_judges(source, target, JudgeConfig(**values | {field: changed[field]}))
    first, second = (next(judges["plain"].parameters()) for judges in (plain, other))
    assert not torch.equal(first, second)


def moved(shift: int = 0, brightness: float = 0.0, softness: float = 0.0) -> JudgeConfig:
    return JudgeConfig(shift=shift, brightness=brightness, softness=softness)


def test_augmentation_mirrors_and_lightens_by_the_stated_amounts() -> None:
    x = torch.rand(200, 3, 16, 16, generator=gen()) * 1.2 - 0.6
    same = augment(x, moved(), gen(1))
    mirrored = torch.isclose(same, x.flip(3), atol=1e-6).flatten(1).all(1)
    kept = torch.isclose(same, x, atol=1e-6).flatten(1).all(1)
    assert torch.equal(mirrored, ~kept)
    assert 0.35 < mirrored.double().mean() < 0.65
    factor = ((augment(x, moved(brightness=0.2), gen(1)) + 1) / (same + 1)).flatten(1)
    torch.testing.assert_close(factor.amax(1), factor.amin(1), rtol=1e-4, atol=1e-4)
    assert 0.8 <= factor.min() < 0.83
    assert 1.17 < factor.max() <= 1.2001


def test_augmentation_shifts_both_ways_and_repeats_the_edge() -> None:
    x = torch.full((300, 1, 9, 9), -1.0)
    x[:, :, 4, 4] = 1.0
    at = augment(x, moved(shift=2), gen()).flatten(1).argmax(1)
    assert set((at // 9).tolist()) == set((at % 9).tolist()) == {2, 3, 4, 5, 6}
    edge = torch.arange(5.0).expand(50, 1, 5, 5) / 5
    there = augment(edge, moved(shift=2), gen())
    assert (there.diff(dim=3).abs() < 0.2001).all()  # no jump to another value at the border
    assert there.min() == 0
    assert there.max() <= 0.8001


def test_augmentation_softens_by_shares_of_a_blur_of_one_pixel() -> None:
    x = torch.zeros(300, 2, 11, 11)
    x[:, :, 5, 5] = 1.0
    soft = augment(x, moved(softness=1.0), gen())
    torch.testing.assert_close(soft.sum((2, 3)), torch.ones(300, 2))  # light is kept
    # A mixture of a point and of a blur of variance 1 has the share of the blur as its variance.
    share = (soft.sum(2) * (torch.arange(11.0) - 5).square()).sum(2)
    assert share.min() < 0.03
    assert 0.97 < share.max() <= 1.0001
    assert share.mean() == pytest.approx(0.5, abs=0.05)
    flat = torch.full((3, 3, 8, 8), 0.4)
    torch.testing.assert_close(augment(flat, moved(softness=1.0), gen()), flat)


@pytest.mark.parametrize(
    ("source", "target", "named"),
    [
        (torch.zeros(4, 1, 16, 16), torch.zeros(4, 3, 16, 16), r"source images: shape"),
        (torch.zeros(4, 3, 16, 16), torch.zeros(4, 3, 16, 24), r"resize both"),
        (torch.zeros(4, 3, 16, 16), torch.zeros(4, 3, 24, 24), r"resize both"),
        (torch.zeros(4, 3, 16, 16), torch.full((4, 3, 16, 16), 255.0), r"target images: values"),
        (
            torch.full((4, 3, 16, 16), torch.nan),
            torch.zeros(4, 3, 16, 16),
            r"source images: values",
        ),
        (torch.zeros(0, 3, 16, 16), torch.zeros(4, 3, 16, 16), r"n at least 1"),
        (torch.zeros(4, 3, 20, 20), torch.zeros(4, 3, 20, 20), r"size is 20"),
    ],
)
def test_bad_images_are_refused(source: Tensor, target: Tensor, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        train_image_judges(source, target, SHORT)
