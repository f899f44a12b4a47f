"""Drawn heads: reproducible, the same person in both styles, glasses as often as asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from domain_translation.synthetic.heads import head_shapes, heads
from domain_translation.synthetic.heads.heads import sample
from domain_translation.synthetic.painterly import painted
from domain_translation.synthetic.wares import cutouts


@settings(deadline=None, max_examples=8)
@given(
    st.integers(1, 3),
    st.integers(0, 2**31),
    st.sampled_from([16, 32, 33]),
    st.sampled_from(heads.STYLES),
)
def test_pictures_are_in_range(n: int, seed: int, size: int, style: str) -> None:
    x, y = sample(n, seed, size=size, style=style)
    assert x.shape == (n, 3, size, size)
    assert (x.dtype, y.dtype) == (torch.float32, torch.int64)
    assert set(y.tolist()) <= {0, 1}
    assert ((x >= -1) & (x <= 1)).all()
    assert (x.std((1, 2, 3)) > 0.1).all()


@pytest.mark.parametrize("style", heads.STYLES)
def test_a_head_depends_on_its_seed_and_number_only(style: str) -> None:
    many, few = sample(7, 5, style=style), sample(3, 5, style=style)
    torch.testing.assert_close(many.x[:3], few.x, rtol=0, atol=1e-6)
    assert torch.equal(many.y[:3], few.y)
    assert len(torch.unique(many.x.flatten(1), dim=0)) == 7
    assert (sample(3, 6, style=style).x - few.x).abs().mean() > 0.05


def test_the_share_of_glasses_is_the_one_asked_for() -> None:
    for share in (0.0, 0.3, 1.0):
        y = sample(200, 1, size=16, share=share).y.float()
        assert abs(y.mean() - share) <= 4 * (share * (1 - share) / 200) ** 0.5


def test_glasses_change_the_eyes_and_nothing_else() -> None:
    bare, worn = sample(30, 2, share=0.0), sample(30, 2, share=1.0)
    assert (bare.y == 0).all()
    assert (worn.y == 1).all()
    changed = (bare.x - worn.x).abs().amax(1) > 1e-6
    share = changed.float().mean((1, 2))
    assert 0.01 < share.min() < share.max() < 0.35
    assert not changed[:, :2].any()
    assert not changed[:, 22:].any()


def test_the_painting_is_that_of_the_photograph() -> None:
    photo, painting = sample(40, 3), sample(40, 3, style="painted")
    assert torch.equal(photo.y, painting.y)
    assert torch.equal(painting.x, painted(photo.x, 3))
    grey, tones = (x.mean(1).flatten(1).double() for x in (photo.x, painting.x))
    likeness = torch.corrcoef(torch.cat([grey, tones]))[:40, 40:]
    assert likeness.diagonal().min() > 0.5
    assert (likeness.argmax(1) == torch.arange(40)).float().mean() > 0.9
    assert (photo.x - painting.x).abs().mean() > 0.1


@pytest.mark.parametrize("style", heads.STYLES)
def test_glasses_can_be_seen(style: str) -> None:
    train, test = sample(500, 10, style=style), sample(150, 11, style=style)

    def features(x: torch.Tensor) -> np.ndarray:
        """The part about the eyes, in steps of brightness from row to row."""
        return x.mean(1)[:, 8:22, 6:26].diff(dim=1).flatten(1).numpy()

    fitted = LogisticRegression(max_iter=300, C=0.1).fit(features(train.x), train.y)
    assert fitted.score(features(test.x), test.y) > 0.75


def test_every_head_is_whole() -> None:
    slots = set()
    for seed in range(40):
        parts = head_shapes.draw(np.random.default_rng(seed), glasses=bool(seed % 2))
        slots |= {part.slot for part in parts}
        low, high = cutouts.box([part for part in parts if part.slot in ("skin", "frame")])
        assert (low > 0).all()
        assert (high < 1).all()
        assert ("frame" in {part.slot for part in parts}) == bool(seed % 2)
    assert slots == set(heads._finishes(np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n is 0; ask for at least one picture"),
        ({"seed": -1}, "seed is -1; give an integer, 0 or larger"),
        ({"size": 8}, "size is 8 pixels; ask for at least 16"),
        ({"style": "oil"}, "style is 'oil'; allowed are photo, painted"),
        ({"share": -0.1}, r"share is -0\.1; it is a probability, give it in \[0, 1\]"),
    ],
)
def test_what_cannot_be_asked(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample(**({"n": 1, "seed": 0} | arguments))
