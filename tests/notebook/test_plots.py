"""Figures: the style applies, helpers draw what they are given."""

from __future__ import annotations

from itertools import combinations, pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.text import Text

mpl.use("Agg")

from domain_translation.notebook import plots
from domain_translation.notebook.evidence import mean, share, unmeasured
from domain_translation.notebook.plots.curves import _apart, _contrast, readable
from domain_translation.sampling import densities

VIEW = (-2.0, 2.0, -1.0, 1.0)
LOW, HIGH = mean([1.0, 2.0, 3.0]), mean([4.0, 6.0, 8.0])


@pytest.fixture(autouse=True)
def _closed():
    with plt.rc_context(plots.style.STYLE):
        yield
    plt.close("all")


def one_axes(**kwargs):
    figure, (ax,) = plots.panels(**kwargs)
    return figure, ax


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


# ---------- one look a method ----------


def test_a_method_looks_the_same_in_every_company():
    alone = plots.looks(["CycleGAN"])["CycleGAN"]
    assert plots.looks(["a", "MUNIT", "CycleGAN"])["CycleGAN"] == alone == plots.METHODS["CycleGAN"]


def test_no_two_methods_look_alike_even_without_colours():
    for first, second in combinations(plots.METHODS.values(), 2):
        assert first != second
    for name in ("JD-BW", "CycleGAN + weights", "MUNIT + weights"):
        bare = {"JD-BW": "joint discriminator"}.get(name, name.removesuffix(" + weights"))
        one, other = plots.METHODS[name], plots.METHODS[bare]
        assert one["color"] == other["color"]
        assert (one["ls"], one["mfc"]) != (other["ls"], other["mfc"])
    grey = {(m["marker"], m["ls"], m["mfc"] == "white") for m in plots.METHODS.values()}
    assert len(grey) >= 12


def test_other_names_take_what_no_method_among_them_has():
    found = plots.looks(["JD-BW", "first", "second", "first"])
    assert list(found) == ["JD-BW", "first", "second"]
    for kind in ("color", "marker"):
        assert len({look[kind] for look in found.values()}) == 3


# ---------- intervals, series, names beside lines ----------


def test_intervals_draw_the_estimates_with_their_95_percent_bars():
    _, ax = one_axes()
    lopsided = share(1, 10, seeds=1)
    plots.intervals(ax, [10, 20, 30], [LOW, unmeasured("a card"), lopsided], color=plots.RED)
    (bar,) = ax.containers
    assert bar.lines[0].get_xydata().tolist() == [[10, 2], [30, 0.1]]
    segments = bar.lines[2][0].get_segments()
    for segment, estimate in zip(segments, (LOW, lopsided), strict=True):
        assert segment[:, 1].tolist() == pytest.approx(estimate.interval())
    assert bar.lines[0].get_markerfacecolor() == plots.RED


def test_series_stand_side_by_side_in_points_on_any_scale():
    figure, ax = one_axes()
    named = {"JD-BW": [LOW, HIGH], "MUNIT": [LOW, HIGH], "else": [LOW, HIGH]}
    plots.intervals(ax, [1, 1000], named, dodge=6)
    ax.set_xscale("log")
    figure.draw_without_rendering()
    for at in (0, 1):
        pixels = [
            bar.lines[0].get_transform().transform(bar.lines[0].get_xydata())[at, 0]
            for bar in ax.containers
        ]
        assert np.diff(pixels).tolist() == pytest.approx([6 / 72 * figure.dpi] * 2)
    colours = [bar.lines[0].get_color() for bar in ax.containers]
    assert colours[:2] == [plots.BLUE, plots.GREEN]
    assert ax.get_legend_handles_labels()[1] == list(named)


def test_intervals_over_names_are_not_joined_and_none_is_cut_off():
    figure, ax = one_axes()
    places = ["horse", "winter", "apple"]
    plots.intervals(ax, places, {"a": [LOW] * 3, "b": [HIGH] * 3}, dodge=8, horizontal=True)
    figure.draw_without_rendering()
    assert [text.get_text() for text in ax.get_yticklabels()] == places
    heights = [text.get_window_extent().y0 for text in ax.get_yticklabels()]
    assert heights == sorted(heights, reverse=True)  # the first is on top
    for bar in ax.containers:
        line = bar.lines[0]
        assert line.get_linestyle() == "None"
        inside = ax.transAxes.inverted().transform(
            line.get_transform().transform(line.get_xydata())
        )
        assert ((inside > 0.02) & (inside < 0.98)).all()
    assert ax.containers[0].lines[0].get_xydata()[:, 0].tolist() == [2] * 3


def test_intervals_need_one_estimate_a_place():
    _, ax = one_axes()
    with pytest.raises(ValueError, match="JD-BW has 1 estimates for 2 places"):
        plots.intervals(ax, [1, 2], {"JD-BW": [LOW]})


def test_series_draw_the_mean_and_every_seed():
    _, ax = one_axes()
    runs = np.array([[1.0, 2.0, np.nan], [3.0, 6.0, 1.0]])
    plots.series(ax, [0, 1, 2], {"JD-BW": runs, "alone": [5.0, 5.0, 5.0]}, lw=1)
    middle, *dots, alone = ax.lines
    assert middle.get_ydata().tolist()[:2] == [2, 4]
    assert np.isnan(middle.get_ydata()[2])  # a mean over survivors would not say so
    assert [line.get_ydata().tolist()[:2] for line in dots] == [[1, 2], [3, 6]]
    assert all(line.get_linestyle() == "None" for line in dots)
    assert alone.get_ydata().tolist() == [5, 5, 5]
    assert ax.get_legend_handles_labels()[1] == ["JD-BW", "alone"]
    for wrong in (np.zeros((2, 4)), np.zeros((1, 2, 3)), np.zeros((0, 3))):
        with pytest.raises(ValueError, match=r"give \(seeds, 3\)"):
            plots.series(ax, [0, 1, 2], {"wrong": wrong})


def test_names_stand_beside_their_lines_and_apart():
    figure, ax = one_axes(width=5.0)
    ends = {"low": 0.0, "middle": 0.5, "middle too": 0.51, "in two\nrows": 0.52, "high": 1.0}
    for name, end in ends.items():
        ax.plot([0, 1], [0.5, end], label=name)
    ax.plot([0, 1], [2, 2])  # without a label
    plots.label_lines(ax)
    figure.draw_without_rendering()
    names = {text.get_text(): text for text in ax.texts}
    assert set(names) == set(ends)
    boxes = [Text.get_window_extent(text) for text in names.values()]  # without a leading line
    assert all(box.x0 >= ax.bbox.x1 and box.x1 <= figure.bbox.x1 for box in boxes)
    for lower, upper in pairwise(sorted(boxes, key=lambda box: box.y0)):
        assert lower.y1 <= upper.y0 + 1
    for name in ("low", "high"):
        middle = Text.get_window_extent(names[name])
        wanted = ax.transData.transform((1, ends[name]))[1]
        assert (middle.y0 + middle.y1) / 2 == pytest.approx(wanted, abs=4)
        assert names[name].arrow_patch is None
    assert names["in two\nrows"].arrow_patch is not None  # it had to move
    with pytest.raises(ValueError, match="no line has a label"):
        plots.label_lines(one_axes()[1])


def test_rows_of_type_move_no_further_than_they_must():
    assert _apart([0.1, 0.9], [0.1, 0.1]) == pytest.approx([0.1, 0.9])
    assert _apart([0.5, 0.5], [0.1, 0.1]) == pytest.approx([0.45, 0.55])
    found = _apart([0.52, 0.5, 0.9], [0.2, 0.1, 0.1])
    assert found[0] - found[1] == pytest.approx(0.15)
    assert found[2] == pytest.approx(0.9)
    assert _apart([], []) == []


def test_names_can_be_read_in_every_colour():
    for colour in (*plots.CYCLE, plots.YELLOW, plots.GREY, plots.INK, "white"):
        assert _contrast(readable(colour)) >= 4.5
    assert readable(plots.INK) == pytest.approx(mpl.colors.to_rgb(plots.INK))


# ---------- pictures ----------


def shade(value, channels=1, side=8):
    return torch.full((channels, side, side), float(value))


def test_pictures_show_any_channels_and_sizes_clamped_in_their_places():
    colour = torch.stack([torch.tensor([[-1.0, 1.0], [3.0, -3.0]])] * 3)
    rows = [torch.stack([shade(-1), shade(0), shade(2)]), [colour, shade(1, side=32)]]
    figure = plots.pictures(rows, ["grey", "colour"], titles=["a", "b", "c"])
    (ax,) = figure.axes
    assert len(ax.images) == 5
    arrays = [image.get_array() for image in ax.images]
    assert [float(a[0, 0, 0]) for a in arrays[:3]] == [0, 0.5, 1]
    shown = arrays[3]
    half = shown.shape[0] // 2
    assert shown.shape == (128, 128, 3)  # whole pixels: squares of 64
    assert (shown[:half, :half] == 0).all()
    assert (shown[half:, :half] == 1).all()
    assert (shown[:half, half:] == 1).all()
    boxes = [image.get_extent() for image in ax.images]
    assert all(
        (right - left, low - high) == pytest.approx((1, 1)) for left, right, low, high in boxes
    )
    for (l0, r0, b0, t0), (l1, r1, b1, t1) in combinations(boxes, 2):
        assert r0 <= l1 or r1 <= l0 or b0 <= t1 or b1 <= t0
    assert boxes[3][0] == boxes[0][0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["grey", "colour"]
    assert list(ax.get_yticks()) == pytest.approx([(boxes[k][2] + boxes[k][3]) / 2 for k in (0, 3)])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]


def test_ink_is_dark_where_the_picture_is_bright_and_leaves_colours_alone():
    arrays = [
        image.get_array()
        for image in plots.pictures([[shade(1), shade(1, channels=3)]], ink=True).axes[0].images
    ]
    assert [float(a.mean()) for a in arrays] == [0, 1]


def test_pictures_leave_room_for_notes_and_between_blocks():
    rows = [torch.zeros(4, 1, 8, 16)] * 3
    (ax,) = plots.pictures(rows, blocks=(2, 2), notes={(0, 1): "note"}, framed={(1, 0)}).axes
    boxes = np.array([image.get_extent() for image in ax.images]).reshape(3, 4, 4)
    gaps = boxes[0, 1:, 0] - boxes[0, :-1, 1]
    assert gaps[0] == pytest.approx(gaps[2])
    assert gaps[1] > 2 * gaps[0]
    below = boxes[1:, 0, 3] - boxes[:-1, 0, 2]
    assert below.min() > gaps[0]  # the note's, and the block's
    assert boxes[0, 0, 2] - boxes[0, 0, 3] == pytest.approx(0.5)  # half as high as wide
    (note,) = ax.texts
    assert boxes[0, 1, 0] < note.get_position()[0] < boxes[0, 1, 1]
    assert boxes[0, 1, 2] < note.get_position()[1] < boxes[1, 1, 3]
    (frame,) = ax.patches
    assert frame.get_xy() == pytest.approx((boxes[1, 0, 0], boxes[1, 0, 3]))


def test_pictures_draw_where_they_are_told_to():
    figure, axes = plots.panels(1, 2)
    assert plots.pictures([torch.zeros(2, 3, 8, 8)], ax=axes[1]) is figure
    assert [len(ax.images) for ax in axes] == [0, 2]


def test_pictures_of_the_network_on_its_way_are_shown():
    weight = torch.zeros(1, 1, 8, 8, requires_grad=True, dtype=torch.float64)
    assert len(plots.pictures([weight + 1]).axes[0].images) == 1


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([], {}, "give some"),
        ([torch.zeros(0, 1, 8, 8)], {}, "give some"),
        ([[shade(0), torch.zeros(1, 8, 16)]], {}, "one proportion"),
        ([torch.zeros(1, 2, 8, 8)], {}, r"give \(1 or 3, H, W\)"),
        ([torch.zeros(1, 8, 8)], {}, r"shape \(8, 8\)"),
        ([[shade(float("nan"))]], {}, "not finite"),
        ([[shade(0)]], {"labels": ["a", "b"]}, "2 labels for 1 rows"),
        ([[shade(0)] * 2], {"titles": ["a"]}, "1 titles for 2 columns"),
    ],
)
def test_pictures_refuse_what_they_cannot_show(rows, options, said):
    with pytest.raises(ValueError, match=said):
        plots.pictures(rows, **options)


def test_a_line_without_points_gets_no_name() -> None:
    _, ax = plt.subplots()
    ax.plot([0, 1], [np.nan, np.nan], label="to come")
    plots.label_lines(ax)
    assert not list(ax.texts)
    ax.plot([0, 1], [0, 1], label="here")
    plots.label_lines(ax)
    assert [text.get_text() for text in ax.texts] == ["here"]
