"""Typeset digits: reproducible, legible, and one glyph in every style and size."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import avg_pool2d, max_pool2d

from domain_translation.synthetic.digits import glyphs
from domain_translation.synthetic.digits.glyphs import sample


@settings(deadline=None, max_examples=15)
@given(
    st.integers(1, 30),
    st.integers(0, 2**31),
    st.sampled_from(glyphs.SIZES),
    st.sampled_from(glyphs.STYLES),
)
def test_pictures_are_white_on_black(n: int, seed: int, size: int, style: str) -> None:
    x, y = sample(n, seed, size=size, style=style)
    assert x.shape == (n, 1, size, size)
    assert x.dtype == torch.float32
    assert y.dtype == torch.int64
    assert ((y >= 0) & (y <= 9)).all()
    assert ((x >= -1) & (x <= 1)).all()
    assert (x.amax(dim=(1, 2, 3)) > -0.4).all()


@pytest.mark.parametrize("style", glyphs.STYLES)
def test_nothing_is_cut_off(style: str) -> None:
    x = sample(4000, 0, size=64, style=style).x
    rim = torch.ones(64, 64, dtype=torch.bool)
    rim[1:-1, 1:-1] = False
    assert (x[..., rim] == -1).all()


def test_a_glyph_depends_on_its_seed_and_number_only() -> None:
    many, few = sample(glyphs.CHUNK + 3, 5), sample(3, 5)
    assert torch.equal(many.x[:3], few.x)
    assert torch.equal(many.y[:3], few.y)
    again = sample(glyphs.CHUNK + 3, 5)
    assert torch.equal(again.x, many.x)
    assert len(torch.unique(many.x.flatten(1), dim=0)) == len(many.x)
    assert not torch.equal(sample(3, 6).x, few.x)


@pytest.mark.parametrize("style", glyphs.STYLES)
def test_small_glyphs_are_averages_of_large_ones(style: str) -> None:
    large = sample(40, 1, size=64, style=style).x
    for size in (8, 16, 32):
        assert torch.allclose(
            sample(40, 1, size=size, style=style).x, avg_pool2d(large, 64 // size), atol=1e-6
        )


def test_the_outline_is_the_rim_of_the_same_glyph() -> None:
    plain, outline = (sample(60, 2, size=64, style=s) for s in glyphs.STYLES)
    assert torch.equal(plain.y, outline.y)
    ink, line = (plain.x + 1) / 2, (outline.x + 1) / 2
    assert (ink + line <= 1).all()
    assert (line[ink > 0.999] < 0.001).all()  # the strokes are hollow
    width = round(glyphs.LINE * 64)
    # All of the line is within its width of the strokes, and it closes around them.
    near = max_pool2d(ink, 2 * width + 3, stride=1, padding=width + 1)
    assert (line <= near + 1e-6).all()
    beside = max_pool2d(ink, 3, stride=1, padding=1)
    # (a counter narrower than two lines would be filled: still line, not black)
    assert ((line + ink)[beside > 0.99] > 0.99).float().mean() > 0.97


def test_the_styles_differ_at_sixteen_pixels() -> None:
    plain, outline = (sample(300, 3, style=s).x.flatten(1) for s in glyphs.STYLES)
    x = torch.cat([plain, outline]).numpy()
    y = [0] * 300 + [1] * 300
    train = [*range(200), *range(300, 500)]
    test = [*range(200, 300), *range(500, 600)]
    fitted = LogisticRegression(max_iter=500).fit(x[train], [y[i] for i in train])
    assert fitted.score(x[test], [y[i] for i in test]) > 0.97
    assert (plain - outline).square().mean() > 0.3


@pytest.mark.parametrize("style", glyphs.STYLES)
def test_digits_can_be_told_apart(style: str) -> None:
    train, test = sample(1500, 10, style=style), sample(300, 11, style=style)
    fitted = LogisticRegression(max_iter=300).fit(train.x.flatten(1), train.y)
    assert fitted.score(test.x.flatten(1), test.y) > 0.9


def test_digits_and_cuts_are_equally_frequent() -> None:
    poses = glyphs._poses(4000, 0)
    for drawn, kinds in ((poses.digit, 10), (poses.cut, len(glyphs.CUTS))):
        counts = torch.bincount(drawn, minlength=kinds).float()
        expected = 4000 / kinds
        assert len(counts) == kinds
        # chi-squared: mean kinds - 1, standard deviation sqrt(2 (kinds - 1))
        assert ((counts - expected) ** 2 / expected).sum() < kinds - 1 + 5 * (2 * kinds) ** 0.5


def test_a_signed_distance_is_a_distance() -> None:
    half = torch.zeros(glyphs.MASTER, glyphs.MASTER, dtype=torch.bool)
    half[:, :60] = True  # the edge is at column 60, i.e. between the centres 59.5 and 60.5
    found = torch.from_numpy(glyphs._signed_distance(half.numpy()))
    centres = torch.arange(glyphs.MASTER) + 0.5
    assert torch.allclose(found, ((centres - 60) / glyphs.MASTER).double().expand_as(found))


def test_every_cut_and_digit_is_another_drawing() -> None:
    maps = glyphs.masters().flatten(0, 1).flatten(1)
    assert len(torch.unique(maps, dim=0)) == 10 * len(glyphs.CUTS)


def test_what_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="n is 0; ask for at least one"):
        sample(0, 0)
    with pytest.raises(ValueError, match="seed is -1; give an integer, 0 or larger"):
        sample(1, -1)
    with pytest.raises(ValueError, match="size is 12 pixels; allowed are 8, 16, 32, 64"):
        sample(1, 0, size=12)
    with pytest.raises(ValueError, match="style is 'bold'; allowed are plain, outline"):
        sample(1, 0, style="bold")


def test_missing_fonts_are_named(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    glyphs.masters.cache_clear()
    monkeypatch.setattr("matplotlib.get_data_path", lambda: str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"DejaVuSans\.ttf is not among matplotlib's fonts"):
        sample(1, 0)
