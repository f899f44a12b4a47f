"""Shoes and bags: reproducible, true counterparts in both styles, and told apart by their shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation
from sklearn.linear_model import LogisticRegression

from domain_translation.synthetic.wares import bags, cutouts, shoes, shoes_open, wares
from domain_translation.synthetic.wares.wares import sample


def _sharpness(lines: torch.Tensor) -> torch.Tensor:
    return (1 - lines) / 2  # 1 on a black line, 0 on white paper


@settings(deadline=None, max_examples=10)
@given(
    st.integers(1, 4),
    st.integers(0, 2**31),
    st.sampled_from([16, 31, 32]),
    st.sampled_from(wares.STYLES),
)
def test_pictures_are_in_range(n: int, seed: int, size: int, style: str) -> None:
    x, y = sample(n, seed, size=size, style=style)
    assert x.shape == (n, 3 if style == "photo" else 1, size, size)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert set(y.tolist()) <= {0, 1}
    assert ((x >= -1) & (x <= 1)).all()
    assert (x.amax((1, 2, 3)) - x.amin((1, 2, 3)) > 0.3).all()


@pytest.mark.parametrize("style", wares.STYLES)
def test_a_ware_depends_on_its_seed_and_number_only(style: str) -> None:
    many, few = sample(9, 5, style=style), sample(4, 5, style=style)
    assert torch.equal(many.x[:4], few.x)
    assert torch.equal(many.y[:4], few.y)
    assert len(torch.unique(many.x.flatten(1), dim=0)) == 9
    assert not torch.equal(sample(4, 6, style=style).x, few.x)


def test_the_share_of_shoes_is_the_one_asked_for() -> None:
    for share in (0.0, 0.266, 0.9, 1.0):
        y = sample(300, 1, size=16, share_shoes=share, style="edges").y.float()
        assert abs(y.mean() - share) <= 4 * (share * (1 - share) / 300) ** 0.5
    some, more = (sample(60, 2, size=16, share_shoes=s).y for s in (0.3, 0.8))
    assert (more >= some).all()  # one uniform number decides


@pytest.mark.parametrize("size", [32, 64])
def test_drawing_and_photograph_show_the_same_ware(size: int) -> None:
    photo, edges = sample(40, 3, size=size), sample(40, 3, size=size, style="edges")
    assert torch.equal(photo.y, edges.y)
    met = []
    for i in range(40):
        ground = photo.x[i, :, 0, 0]  # wares do not reach the corners
        ware = (photo.x[i] - ground[:, None, None]).abs().amax(0).numpy()
        line = _sharpness(edges.x[i, 0]).numpy() > 0.5
        top = max(int(np.flatnonzero(line.any(1))[0]) - 1, 0)
        assert ware[:top].max(initial=0) < 0.12  # above the drawing there is only ground
        # Where two neighbours in the photograph differ strongly, there is a line.
        step = np.abs(np.diff(photo.x[i].numpy(), axis=2)).max(0) > 0.6
        near = binary_dilation(line, iterations=2 if size == 64 else 1)
        met.extend(near[:, :-1][step].tolist())
    assert len(met) > 40 * size / 2
    assert np.mean(met) > 0.8  # chance: half as often


def test_counterparts_agree_more_than_strangers() -> None:
    photo, edges = sample(60, 4), sample(60, 4, style="edges")
    grey = photo.x.mean(1)
    across, down = grey.diff(dim=2).abs()[:, :-1], grey.diff(dim=1).abs()[:, :, :-1]
    rough = (across + down).flatten(1)
    lines = _sharpness(edges.x[:, 0, :-1, :-1]).flatten(1)

    def standard(x: torch.Tensor) -> torch.Tensor:
        x = x - x.mean(1, keepdim=True)
        return x / x.norm(dim=1, keepdim=True)

    likeness = standard(rough) @ standard(lines).T
    own = likeness.diagonal()
    assert own.min() > 0.15
    # Only drawings of the same ware, more or less, may come closer.
    assert ((likeness > own[:, None]).sum(1) <= 2).float().mean() > 0.9


def test_contours_are_black_lines_on_white() -> None:
    x = sample(60, 7, size=64, style="edges").x
    assert (x[:, :, 0] == 1).all()
    assert (x > 0.9).float().mean() > 0.6
    assert 0.04 < (x < 0).float().mean() < 0.3


def test_the_styles_agree_between_sizes() -> None:
    for style in wares.STYLES:
        large = torch.nn.functional.avg_pool2d(sample(20, 8, size=64, style=style).x, 2)
        small = sample(20, 8, size=32, style=style).x
        assert (large - small).abs().mean() < 0.06


def test_shoes_and_bags_can_be_told_apart() -> None:
    train, test = sample(300, 10, style="edges"), sample(100, 11, style="edges")
    fitted = LogisticRegression(max_iter=200).fit(train.x.flatten(1), train.y)
    assert fitted.score(test.x.flatten(1), test.y) > 0.9


@pytest.mark.parametrize("draw", [*shoes.KINDS, *bags.KINDS])
def test_every_kind_is_drawn_within_its_frame(draw: object) -> None:
    for seed in range(15):
        rng = np.random.default_rng(seed)
        parts = draw(rng)
        assert {part.slot for part in parts} <= {"main", "second", "trim", "sole", "lining"}
        assert any(part.slot == "main" for part in parts)
        every = np.concatenate([part.points for part in wares._placed(parts, rng)])
        assert np.isfinite(every).all()
        assert 0.0 < every.min() < every.max() < 1.0
        placed = cutouts.coverage(wares._placed(parts, rng), 32)
        assert 0.08 < placed.mean() < 0.75


def test_shoes_are_long_and_stand_on_the_ground() -> None:
    for seed in range(10):
        parts = shoes_open.pump(np.random.default_rng(seed))
        every = np.concatenate([part.points for part in parts])
        assert abs(every[:, 1].max()) < 0.03
        assert 0.9 < np.ptp(every[:, 0]) < 1.1


def test_a_curve_passes_through_its_points_and_bends_at_doubled_ones() -> None:
    square = np.array([(0, 0), (0, 0), (1, 0), (1, 0), (1, 1), (1, 1), (0, 1), (0, 1)], float)
    line = cutouts.curve(square)
    assert np.allclose(np.minimum(*(np.abs(line - c).min(1) for c in (0.0, 1.0))), 0)
    around = cutouts.curve(cutouts.ellipse(0.0, 0.0, 2.0, 2.0))
    assert np.allclose(np.hypot(*around.T), 2, atol=2e-3)
    points = np.array([(0, 0), (0.3, 1), (1, 0.2)], float)
    for closed in (True, False):
        line = cutouts.curve(points, closed)
        assert np.allclose(line[:: cutouts.STEPS][:3], points)
    assert np.allclose(line[-1], points[-1])


def test_a_band_has_its_width() -> None:
    outline = cutouts.band([(0.0, 0.0), (3.0, 4.0)], 0.5)
    assert np.allclose(np.linalg.norm(outline[0] - outline[-1]), 0.5)
    assert np.allclose((outline[0] + outline[-1]) / 2, (0, 0))
    assert np.allclose((outline[0] - outline[-1]) @ (3.0, 4.0), 0)


def test_near_parts_hide_far_ones() -> None:
    back = cutouts.Part(np.array([(0.1, 0.4), (0.9, 0.4), (0.9, 0.6), (0.1, 0.6)]), "a")
    front = cutouts.Part(np.array([(0.3, 0.2), (0.7, 0.2), (0.7, 0.8), (0.3, 0.8)]), "b")
    finishes = {
        "a": cutouts.Finish(np.array([1.0, 0, 0])),
        "b": cutouts.Finish(np.array([0, 0, 1.0])),
    }
    picture = cutouts.painting([back, front], finishes, np.zeros((3, 40, 40), np.float32))
    assert picture[:, 20, 20].tolist() == [0, 0, 1]
    assert picture[:, 20, 8].tolist() == [1, 0, 0]
    assert picture[:, 2, 2].tolist() == [0, 0, 0]
    lines = cutouts.drawing([back, front], 40)
    assert (lines[16:24, 15:25] == 1).all()  # the contour of the one behind is hidden here
    assert lines[16, 8] < 0.5
    assert lines[20, 11:13].min() < 0.6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n is 0; ask for at least one picture"),
        ({"seed": -1}, "seed is -1; give an integer, 0 or larger"),
        ({"size": 8}, "size is 8 pixels; ask for at least 16"),
        ({"share_shoes": 1.2}, r"share is 1\.2; it is a probability, give it in \[0, 1\]"),
        ({"style": "paint"}, "style is 'paint'; allowed are photo, edges"),
    ],
)
def test_what_cannot_be_asked(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample(**({"n": 1, "seed": 0} | arguments))
