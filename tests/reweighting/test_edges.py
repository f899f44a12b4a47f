"""Contours of images with known edges."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.reweighting.domains.edges import canny_edges


def _disc(radius: float, size: int = 64, channels: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """A white disc on black, its rim one pixel soft, and each pixel's distance to its centre."""
    line = torch.arange(size) + 0.5 - size / 2
    away = torch.hypot(line[:, None], line[None, :])
    return (2 * (radius - away + 0.5).clamp(0, 1) - 1).expand(1, channels, -1, -1), away


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("radius", [8.0, 20.0])
@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0])
def test_the_edge_of_a_disc_is_a_closed_ring(radius: float, channels: int, sigma: float) -> None:
    x, away = _disc(radius, channels=channels)
    drawn = canny_edges(x, sigma)
    assert drawn.shape == (1, 1, 64, 64)
    assert drawn.dtype == torch.float32
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    ring = drawn[0, 0] == -1
    assert (away[ring] - radius).abs().max() < 1.5
    line = torch.arange(64) + 0.5 - 32
    angle = torch.atan2(line[:, None], line[None, :]).expand(64, 64)[ring].sort().values
    gap = 3 / radius  # three pixels along the ring
    assert angle.diff().max() < gap
    assert 0.8 * 2 * torch.pi * radius < ring.sum() < 1.7 * 2 * torch.pi * radius


@settings(deadline=None, max_examples=15)
@given(st.floats(-1, 1), st.sampled_from([1, 3]), st.integers(4, 32))
def test_a_constant_image_has_no_edges(value: float, channels: int, size: int) -> None:
    assert (canny_edges(torch.full((2, channels, size, size), value)) == 1).all()


def test_a_step_across_the_frame_is_one_line_and_the_frame_is_none() -> None:
    x = torch.full((1, 1, 20, 20), -0.5)
    x[..., 10:] = 0.5
    columns = (canny_edges(x)[0, 0] == -1).sum(0)
    assert columns[9:11].sum() >= 18
    assert columns.sum() == columns[9:11].sum()
    faint = torch.full((1, 1, 20, 20), 0.0)
    faint[..., 10:] = 0.05
    assert (canny_edges(faint) == 1).all()


def test_colours_count_by_their_brightness() -> None:
    red, blue = torch.full((1, 3, 20, 20), -1.0), torch.full((1, 3, 20, 20), -1.0)
    red[:, 0, :, 10:], blue[:, 2, :, 10:] = -0.4, -0.4
    assert (canny_edges(red) == -1).any()
    assert (canny_edges(blue) == 1).all()
    grey = red.clone()
    grey[:] = 2 * (0.299 * (red[:, :1] + 1) / 2) - 1
    assert torch.equal(canny_edges(grey), canny_edges(red))


def test_images_are_drawn_one_by_one_and_left_alone() -> None:
    x = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    before = x.clone()
    drawn = canny_edges(x)
    assert torch.equal(x, before)
    assert torch.equal(drawn, torch.cat([canny_edges(one[None]) for one in x]))
    assert canny_edges(x[:0]).shape == (0, 1, 16, 16)
    smoother = canny_edges(x, 2.0)
    assert (smoother == -1).sum() < (drawn == -1).sum()


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 2, 8, 8), (2, 1, 8, 9)])
def test_images_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images have shape .*; give \(n, 1 or 3, S, S\)"):
        canny_edges(torch.zeros(shape))


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan")])
def test_a_width_of_nothing_is_refused(sigma: float) -> None:
    with pytest.raises(ValueError, match=r"sigma is .*; give a width in pixels above 0"):
        canny_edges(torch.zeros(1, 1, 8, 8), sigma)
