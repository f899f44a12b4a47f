"""Strips of a cooling run, how long a score takes, and where an error lies."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor, nn

from domain_translation import cooling
from domain_translation.cooling.strips import strip, time_to_move
from domain_translation.evaluation.pictures.regions import changed_region, contrast_in, error_in
from domain_translation.pretrained import directions
from domain_translation.synthetic.animals import animals
from domain_translation.synthetic.animals.coats import COATS, in_every_coat
from domain_translation.synthetic.latent import Latents
from domain_translation.synthetic.shapes import Array


def towards_zero(x: Tensor) -> Tensor:
    return -x


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=Generator().manual_seed(seed))


def test_a_strip_ends_where_cooling_ends_and_begins_uncooled() -> None:
    x = noise(3, 2, 4, 4)
    settings = {"step_size": 0.05, "temperature": 0.01, "steps": 12, "seed": 5}
    frames = strip(lambda z: 2 * z, towards_zero, x, frames=4, **settings)  # type: ignore[arg-type]
    assert frames.inputs.shape == (5, 3, 2, 4, 4)
    torch.testing.assert_close(frames.inputs[0], x)
    last = cooling.cool(towards_zero, x, **settings).x  # type: ignore[arg-type]
    torch.testing.assert_close(frames.inputs[-1], last)
    torch.testing.assert_close(frames.outputs, 2 * frames.inputs)


def test_frames_have_to_divide_the_steps() -> None:
    with pytest.raises(ValueError, match="divisor"):
        strip(
            lambda z: z, towards_zero, noise(1, 2),
            step_size=0.1, temperature=0, steps=10, frames=3,
        )  # fmt: skip


def test_time_to_move_is_the_closed_form_of_a_decay() -> None:
    """Under x' = -x the distance after time t is (1 - exp(-t)) |x|."""
    x = noise(50, 8)
    distance = 0.3 * x.norm(dim=1).mean().item()
    time = time_to_move(towards_zero, x, distance, step_size=1e-3, steps=1000)
    assert time == pytest.approx(-math.log(0.7), rel=2e-3)


def test_time_to_move_counts_parts_of_a_step() -> None:
    """A constant score moves at a constant pace, however coarse the steps."""
    x = noise(50, 8)
    time = time_to_move(torch.ones_like, x, 1.0, step_size=0.25, steps=10)
    assert time == pytest.approx(1 / math.sqrt(8), rel=1e-5)


def test_time_to_move_matches_scores_of_different_scale() -> None:
    """A score gamma times as long needs a gamma-th of the time."""
    x = noise(20, 8)
    slow = time_to_move(towards_zero, x, 0.5, step_size=1e-3, steps=2000)
    fast = time_to_move(lambda z: -4 * z, x, 0.5, step_size=2.5e-4, steps=2000)
    assert slow == pytest.approx(4 * fast, rel=1e-4)


def test_samples_that_cannot_get_that_far_are_refused() -> None:
    x = noise(5, 8)
    with pytest.raises(ValueError, match="positive"):
        time_to_move(towards_zero, x, 0.0, step_size=0.1, steps=1)
    with pytest.raises(ValueError, match="allow more"):
        time_to_move(towards_zero, x, 2 * x.norm(dim=1).mean().item(), step_size=0.1, steps=100)


def test_the_changed_region_is_the_animal() -> None:
    latents, knots = animals.draw(range(20), 3, 64, 0.1)
    source, target, mask = (torch.from_numpy(a) for a in animals.render(latents, knots, 64))
    region, animal = changed_region(source, target), mask > 0.5
    both, either = (region & animal).sum(), (region | animal).sum()
    assert both / either > 0.85
    assert not changed_region(source, source).any()


def test_an_error_is_counted_where_it_is() -> None:
    truth = torch.zeros(2, 3, 8, 8)
    image = truth.clone()
    image[0, :, :4] = 0.5
    region = torch.zeros(2, 8, 8, dtype=torch.bool)
    region[:, :4] = True
    assert error_in(image, truth, region).tolist() == pytest.approx([0.5, 0])
    assert error_in(image, truth, ~region).tolist() == [0, 0]
    assert error_in(image, truth, torch.zeros_like(region)).tolist() == [0, 0]


def test_stripes_have_contrast_and_a_slope_of_light_has_none() -> None:
    everywhere = torch.ones(1, 32, 32, dtype=torch.bool)
    inner = everywhere.clone()
    inner[:, :4] = inner[:, -4:] = inner[:, :, :4] = inner[:, :, -4:] = False
    stripes = torch.tensor([1.0, -1.0]).repeat(16).expand(1, 3, 32, 32)
    slope = torch.linspace(-1, 1, 32).expand(1, 3, 32, 32)
    # A window of nine holds five of one sign and four of the other: the mean is +-1/9 of the
    # same sign as the centre, so that 8/9 are left.
    assert contrast_in(stripes, inner).item() == pytest.approx(8 / 9)
    assert contrast_in(slope, inner).item() == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="odd"):
        contrast_in(stripes, everywhere, window=4)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="two equal"):
        changed_region(torch.zeros(2, 3, 8, 8), torch.zeros(1, 3, 8, 8))


def test_unknown_directions_are_refused() -> None:
    with pytest.raises(ValueError, match="horse2zebra"):
        directions.load("zebra2cow")


def test_backward_directions_swap_the_scenes() -> None:
    scenes = animals.sample(2, 0)
    turned = directions._turned(scenes, True)
    torch.testing.assert_close(turned.source, scenes.target)
    torch.testing.assert_close(turned.target, scenes.source)
    assert directions._turned(scenes, False) is scenes


def test_coats_change_the_horse_and_not_the_zebra() -> None:
    drawn = in_every_coat(4, 1)
    again = [torch.from_numpy(a) for a in animals.render(*_in_last_coat(4, 1), 64)]
    torch.testing.assert_close(drawn.horses[-1], again[0])
    torch.testing.assert_close(drawn.zebra, again[1])  # whatever the coat
    outside = (drawn.animal == 0)[:, None].expand(-1, 3, -1, -1)
    for horse in drawn.horses[1:]:
        torch.testing.assert_close(horse[outside], drawn.horses[0][outside])
        assert error_in(horse, drawn.horses[0], drawn.animal > 0.5).min() > 0.05
    torch.testing.assert_close(in_every_coat(2, 1).horses, drawn.horses[:, :2])


def _in_last_coat(n: int, seed: int) -> tuple[Latents, dict[str, Array]]:
    latents, knots = animals.draw(range(n), seed, 64, 0.0)
    return {**latents, "coat": np.full(n, len(COATS) - 1)}, knots


@pytest.mark.parametrize(("name", "expected"), [("horse2zebra", 0.75), ("zebra2horse", 0.25)])
def test_likeness_is_that_of_the_direction_s_target(name: str, expected: float) -> None:
    scenes = animals.sample(2, 0)
    judges = nn.ModuleDict({k: _Sure(p) for k, p in (("a", 0.9), ("b", 0.6))})
    same = nn.Identity()
    direction = directions.Direction(name, same, same, same, 0.3, scenes, scenes, judges)
    assert direction.likeness(scenes.source).tolist() == pytest.approx([expected] * 2)
    torch.testing.assert_close(direction.score(scenes.source), torch.zeros_like(scenes.source))
    assert direction.cycle_score(2.0)(scenes.source).abs().max() == 0


class _Sure(nn.Module):
    """A judge who gives the task's target domain the same probability whatever it sees."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.logit = math.log(probability / (1 - probability))

    def forward(self, x: Tensor) -> Tensor:
        return torch.tensor([0.0, self.logit]).expand(len(x), 2)
