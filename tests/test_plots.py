"""Figures: the style applies, helpers draw what they are given."""

from __future__ import annotations

from itertools import pairwise

import matplotlib as mpl
import pytest
import torch

mpl.use("Agg")

from domain_translation import densities, plots

VIEW = (-2.0, 2.0, -1.0, 1.0)


def test_grid_covers_the_limits() -> None:
    points, flat = plots.grid(VIEW, 11)
    assert points.shape == (11, 11, 2)
    assert flat[0].tolist() == [-2, -1]
    assert flat[-1].tolist() == [2, 1]


def test_field_arrows_point_along_the_score_and_are_clipped() -> None:
    _, axes = plots.panels()
    plots.field(axes[0], lambda x: -x, VIEW, resolution=5, longest=0.5)
    arrows = next(c for c in axes[0].collections if hasattr(c, "U"))
    u, v = torch.tensor(arrows.U), torch.tensor(arrows.V)
    _, flat = plots.grid(VIEW, 5)
    assert ((u * flat[:, 0] + v * flat[:, 1]) <= 1e-6).all()
    assert torch.hypot(u, v).max() <= 1.0  # one grid spacing


def test_density_and_trails_share_axes() -> None:
    _, axes = plots.panels(1, 2)
    plots.density(axes[0], densities.Gaussian(torch.zeros(2), torch.ones(2)).log_prob, VIEW)
    plots.trails(axes[0], torch.randn(6, 2, 2), label="chains")
    assert axes[0].get_xlim() == (-2, 2)
    assert [t.get_label() for t in axes[0].lines].count("chains") == 1


def test_picture_rows_needs_one_label_a_row() -> None:
    rows = [torch.rand(3, 1, 8, 8), torch.rand(2, 1, 8, 8)]
    assert len(plots.picture_rows(rows, ["a", "b"]).axes) == 6
    with pytest.raises(ValueError, match="zip"):
        plots.picture_rows(rows, ["a"])


def test_photo_rows_shows_the_pixels_clipped_and_tiles_do_not_overlap() -> None:
    picture = torch.linspace(-1.5, 1.5, 3 * 8 * 8).reshape(1, 3, 8, 8)
    rows = [picture.expand(3, -1, -1, -1), picture[:, :, :, :].flip(1)]
    figure = plots.photo_rows(
        rows, ["a", "b"], titles=["x", "y", "z"], notes={(0, 1): "note"}, framed={(1, 0)}
    )
    (ax,) = figure.axes
    assert len(ax.images) == 4
    shown = torch.tensor(ax.images[0].get_array())
    torch.testing.assert_close(shown, (picture[0].permute(1, 2, 0).clamp(-1, 1) + 1) / 2)
    boxes = [image.get_extent() for image in ax.images]
    for i, (l0, r0, b0, t0) in enumerate(boxes):
        assert (r0 - l0, b0 - t0) == pytest.approx((1, 1))
        for l1, r1, b1, t1 in boxes[i + 1 :]:
            assert r0 <= l1 or r1 <= l0 or b0 <= t1 or b1 <= t0
    words = [text.get_text() for text in ax.texts]
    assert {"a", "b", "x", "y", "z", "note"} <= set(words)
    (frame,) = ax.patches
    assert frame.get_xy() == pytest.approx((boxes[3][0], boxes[3][3]))


def test_photo_rows_leaves_more_room_between_blocks() -> None:
    rows = [torch.zeros(4, 3, 8, 16)] * 2
    (ax,) = plots.photo_rows(rows, ["", ""], blocks=(1, 2)).axes
    starts = [image.get_extent()[0] for image in ax.images[:4]]
    gaps = [b - a - 1 for a, b in pairwise(starts)]
    assert gaps[0] == pytest.approx(gaps[2])
    assert gaps[1] > 2 * gaps[0]
    assert ax.images[0].get_extent()[2] == pytest.approx(0.5)  # half as high as wide


def test_photo_rows_refuses_what_it_cannot_show() -> None:
    with pytest.raises(ValueError, match="labels"):
        plots.photo_rows([torch.zeros(2, 3, 8, 8)], ["a", "b"])
    with pytest.raises(ValueError, match="titles"):
        plots.photo_rows([torch.zeros(2, 3, 8, 8)], ["a"], titles=["x"])
    for wrong in ([], [torch.zeros(0, 3, 8, 8)], [torch.zeros(2, 1, 8, 8)]):
        with pytest.raises(ValueError, match="give"):
            plots.photo_rows(wrong, ["a"] * len(wrong))
