"""Figures: the style applies, helpers draw what they are given."""

from __future__ import annotations

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
