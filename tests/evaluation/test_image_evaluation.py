"""Pixel accuracy, blur control, forced choice and the study arm."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor
from torch.nn.functional import avg_pool2d

from domain_translation import cooling
from domain_translation.cooling.study import study
from domain_translation.evaluation import (
    blurred_as_far,
    forced_choice,
    moved_as_far,
    pixel_accuracy,
)
from domain_translation.evaluation.pictures.colours import recoloured


def pictures(n: int = 4, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, 8, 8, generator=Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(
    ("off", "expected"), [((15.9, 0, 0), 1), ((16.1, 0, 0), 0), ((9.3,) * 3, 0), ((9.2,) * 3, 1)]
)
def test_a_pixel_is_right_within_16_of_255_in_rgb(
    off: tuple[float, float, float], expected: int
) -> None:
    truth = torch.zeros(1, 3, 4, 4)
    image = truth + torch.tensor(off).reshape(1, 3, 1, 1) / 127.5
    assert pixel_accuracy(image, truth).item() == expected


def test_pixel_accuracy_is_a_share_of_pixels_for_each_image() -> None:
    truth, image = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    image[0, 1, :1] = 1.0
    assert pixel_accuracy(image, truth).tolist() == [0.75, 1.0]
    with pytest.raises(ValueError, match="two equal"):
        pixel_accuracy(image[:, :1], truth[:, :1])


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_the_control_moves_exactly_as_far(seed: int) -> None:
    x, cooled, towards = pictures(3, seed), pictures(3, seed + 1), pictures(3, seed + 2)
    far = (cooled - x).flatten(1).norm(dim=1)
    for control in (moved_as_far(x, towards, cooled), blurred_as_far(x, cooled)):
        torch.testing.assert_close((control - x).flatten(1).norm(dim=1), far)


def test_the_control_moves_towards_the_blur() -> None:
    x = pictures()
    blur = avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)
    half = blurred_as_far(x, (x + blur) / 2)
    torch.testing.assert_close(half, (x + blur) / 2)
    flat = torch.zeros(1, 3, 8, 8)
    assert torch.equal(blurred_as_far(flat, flat + 1), flat)  # no direction to move in


def test_forced_choice_counts_judgements() -> None:
    first = torch.zeros(5, 60)
    won = torch.zeros(5, 60)
    won[:, :45] = 1.0  # every judge prefers 45 of 60, the others tie
    result = forced_choice(first, won)
    assert result.share == pytest.approx(0.5 + 0.5 * 45 / 60, abs=0.03)
    assert result.low < result.share < result.high
    assert result.p_value < 1e-6
    assert forced_choice(first, first) == (0.5, 0.5, 0.5, 1.0)
    assert forced_choice(first, -won).share == pytest.approx(1 - result.share, abs=1e-9)


def test_each_rater_is_a_judge_in_turn_and_sees_no_pair_twice() -> None:
    first, second = torch.zeros(2, 40), torch.zeros(2, 40)
    second[0] = 1.0  # judge 0 always prefers the second, judge 1 always the first
    second[1] = -1.0
    assert forced_choice(first, second, raters=4).share == 0.5
    assert forced_choice(first, second, raters=5).share == pytest.approx(0.6)
    with pytest.raises(ValueError, match="40 pairs asked for, 39 images"):
        forced_choice(first[:, :39], second[:, :39])


def test_a_study_holds_the_three_arms() -> None:
    setting = cooling.Cooling(sigma=0.3, step_size=0.05, temperature=0.0, steps=4)
    x = pictures()
    result = study(lambda z: -z, lambda z: -z, x, setting, seed=0)
    torch.testing.assert_close(result.cooled, x * 0.95**4)
    torch.testing.assert_close(result.norms, x.flatten(1).norm(dim=1))
    for arm, translated in (
        (x, result.plain),
        (result.cooled, result.after_cooling),
        (result.blurred, result.after_blur),
    ):
        assert torch.equal(translated, -arm)


def test_recoloured_pictures_have_the_colours_of_the_target() -> None:
    generator = torch.Generator().manual_seed(0)
    source = torch.randn(5, 3, 8, 8, generator=generator) * 0.2
    mixed = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.7, 0.2], [0.1, 0.0, 0.4]])
    target = torch.einsum("cd,ndhw->nchw", mixed, torch.randn(7, 3, 8, 8, generator=generator)) + 1
    made = recoloured(source, source, target).transpose(0, 1).flatten(1)
    wanted = target.transpose(0, 1).flatten(1)
    assert torch.allclose(made.mean(1), wanted.mean(1), atol=1e-5)
    assert torch.allclose(made.cov(), wanted.cov(), atol=1e-4)
    assert torch.allclose(recoloured(source, source, source), source, atol=1e-5)
