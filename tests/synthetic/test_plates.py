"""House-number plates: reproducible, readable, and with the shares that were asked for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neural_network import MLPClassifier
from torch.nn.functional import avg_pool2d

from domain_translation.synthetic.digits import glyphs, plates
from domain_translation.synthetic.digits.plates import sample

UNIFORM = [0.1] * 10


@settings(deadline=None, max_examples=10)
@given(st.integers(1, 20), st.integers(0, 2**31), st.sampled_from(glyphs.SIZES))
def test_pictures_have_three_channels_in_range(n: int, seed: int, size: int) -> None:
    x, y = sample(n, seed, size=size)
    assert x.shape == (n, 3, size, size)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert ((y >= 0) & (y <= 9)).all()
    assert ((x >= -1) & (x <= 1)).all()
    assert (x.std(dim=(1, 2, 3)) > 0.05).all()  # there is something to see


def test_a_plate_depends_on_its_seed_and_number_only() -> None:
    many, few = sample(plates.CHUNK + 3, 5), sample(3, 5)
    torch.testing.assert_close(many.x[:3], few.x, rtol=0, atol=1e-6)
    assert torch.equal(many.y[:3], few.y)
    again = sample(plates.CHUNK + 3, 5)
    assert torch.equal(again.x, many.x)
    assert len(torch.unique(many.x.flatten(1), dim=0)) == len(many.x)
    assert not torch.equal(sample(3, 6).x, few.x)


def test_small_plates_are_averages_of_large_ones() -> None:
    large = sample(40, 1, size=64).x
    for size in (8, 16, 32):
        averaged = avg_pool2d(large, 64 // size)
        torch.testing.assert_close(sample(40, 1, size=size).x, averaged, rtol=0, atol=1e-6)


def test_shares_are_those_of_the_street_view_house_numbers() -> None:
    assert sum(plates.SVHN_COUNTS) == 73257
    expected = 5000 * torch.tensor(plates.SVHN_COUNTS) / 73257
    counts = torch.bincount(sample(5000, 0, size=8).y, minlength=10)
    # chi-squared with nine degrees of freedom exceeds 40 once in 100,000 draws
    assert ((counts - expected) ** 2 / expected).sum() < 40
    assert counts[1] > 2.5 * counts[9]


def test_other_shares_change_the_digits_and_nothing_else() -> None:
    only = [0.0] * 10
    only[7] = 1.0
    u, knots = plates._draw(range(64), 3)
    assert (sample(200, 3, size=8, shares=only).y == 7).all()
    even, svhn = sample(400, 3, shares=UNIFORM), sample(400, 3)
    same = even.y == svhn.y
    assert 0.3 < same.float().mean() < 0.95
    torch.testing.assert_close(even.x[same], svhn.x[same], rtol=0, atol=1e-6)
    # The corners show the plate, not the digit.
    corner = (even.x - svhn.x)[~same][:, :, 0, 0].abs()
    assert corner.median() < 1e-6
    assert u.shape == (64, plates.UNIFORMS)
    assert knots.shape == (64, 1, plates.KNOTS, plates.KNOTS)


def test_ink_stands_out_and_is_of_either_kind() -> None:
    u, _ = plates._draw(range(500), 0)
    ground, ink = (c.mean(1).flatten() for c in plates._colours(u[:, 12:19]))
    gap = ink - ground
    assert gap.abs().min() > 0.34
    assert gap.abs().max() < 0.76
    assert 0.4 < (gap > 0).float().mean() < 0.6
    for colours in (ground, ink):
        assert 0.05 < colours.min() < colours.max() < 0.95


def test_the_middle_digit_is_the_one_of_its_class() -> None:
    """Without neighbours, the strokes are those of the glyph of the same pose."""
    u, _ = plates._draw(range(30), 2)
    u[:, 30:32] = 0.99  # nobody beside
    digit = torch.arange(30) % 10
    alone = plates._written(digit, u)
    u[:, 30:32] = 0.0
    beside = plates._written(digit, u)
    assert (beside <= alone + 1e-6).all()
    inside, more = (alone < 0).float(), (beside < 0).float()
    assert (inside * more == inside).all()
    assert more.mean() > 1.1 * inside.mean()
    middle = slice(24, 40)
    outer = (more - inside).mean((0, 1, 2))
    assert outer[middle].max() < 0.05 < outer[[0, 1, -2, -1]].min()
    heights = inside.amax((1, 3)).sum(1) / glyphs.FINE
    assert 0.65 < heights.min() < heights.max() < 0.98


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # a short fit is enough
def test_digits_can_be_told_apart() -> None:
    train, test = sample(2500, 10, shares=UNIFORM), sample(400, 11, shares=UNIFORM)

    def features(p: plates.Plates) -> torch.Tensor:
        grey = p.x.mean(1)
        centred = grey - grey.mean((1, 2), keepdim=True)
        return (centred / centred.std((1, 2), keepdim=True)).flatten(1)

    x = features(train)
    fitted = MLPClassifier((100,), max_iter=15, random_state=0, early_stopping=True)
    # Ink may be darker or lighter than its plate: both ways round belong to the digit.
    fitted.fit(torch.cat([x, -x]).numpy(), torch.cat([train.y, train.y]).numpy())
    assert fitted.score(features(test).numpy(), test.y.numpy()) > 0.75


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n is 0; ask for at least one plate"),
        ({"seed": -1}, "seed is -1; give an integer, 0 or larger"),
        ({"size": 12}, "size is 12 pixels; allowed are 8, 16, 32, 64"),
        ({"shares": [0.5, 0.5]}, "2 shares given; give ten, one for each digit"),
        ({"shares": [0.2] * 10}, "sum"),
    ],
)
def test_what_cannot_be_asked(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample(**({"n": 1, "seed": 0} | arguments))
