"""Edges and photographs of Fashion-MNIST's shoes and bags: shares, classes, no image in both."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.data import arrays
from domain_translation.data.digits import Split
from domain_translation.reweighting.domains import fashion_wares
from domain_translation.reweighting.domains.edges import canny_edges
from domain_translation.reweighting.domains.fashion_wares import divided, only_wares

FOLDER = Path(os.environ.get("DOMAIN_TRANSLATION_DATA", "does not name a folder"))
REAL = pytest.mark.skipif(
    not (FOLDER / "fashion_mnist_test_public.npz").is_file(),
    reason="DOMAIN_TRANSLATION_DATA names no folder with Fashion-MNIST",
)


def _numbered(each: int) -> Split:
    """`each` pictures of every class; a picture's brightness is its number, a square has edges."""
    y = torch.arange(10).repeat(each)
    x = torch.full((len(y), 1, 16, 16), -1.0)
    x[:, :, 4:12, 4:12] = torch.linspace(0, 1, len(y))[:, None, None, None]
    return Split(x, y)


def test_only_shoes_and_bags_stay_and_their_ground_is_white() -> None:
    data = _numbered(6)
    kept = only_wares(data)
    assert len(kept.y) == 6 * 4
    assert kept.y.sum() == 6 * 3
    assert bool((kept.x[:, 0, 0, 0] == 1).all())
    was = data.y[torch.isin(data.x[:, 0, 8, 8], -kept.x[:, 0, 8, 8])]
    assert set(was.tolist()) == {5, 7, 8, 9}
    assert torch.equal(kept.y, (was != 8).long())


@settings(deadline=None, max_examples=10)
@given(st.integers(20, 400), st.integers(0, 1000))
def test_shares_are_those_of_the_paper(n: int, seed: int) -> None:
    found = divided(_numbered(8), n, seed)
    for split, share in ((found.edges, 50 / 188), (found.photos, 0.9)):
        assert len(split.x) == len(split.y) == n
        assert abs(split.y.sum() - share * n) <= 1


def test_no_picture_is_in_both_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_wares, "canny_edges", lambda x: x)  # to know them again
    found = divided(_numbered(10), 500, 3)
    drawn, taken = (set(s.x[:, 0, 8, 8].tolist()) for s in (found.edges, found.photos))
    assert not drawn & taken
    assert len(drawn | taken) == 40
    for split in (found.edges, found.photos):
        number = (-split.x[:, 0, 8, 8] * 99).round().long()
        assert torch.equal(split.y, (number % 10 != 8).long())
    again = divided(_numbered(10), 500, 3)
    assert torch.equal(again.photos.x, found.photos.x)
    assert not torch.equal(divided(_numbered(10), 500, 4).photos.x, found.photos.x)


def test_edges_are_contours_and_photos_are_not() -> None:
    found = divided(_numbered(6), 40, 0)
    assert set(found.edges.x.unique().tolist()) == {-1.0, 1.0}
    assert (found.edges.x == -1).any(dim=3).any(dim=2).all()
    assert len(found.photos.x.unique()) > 5


def test_what_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="cannot draw 0 examples; give at least 1"):
        divided(_numbered(6), 0, 0)
    no_bags = _numbered(6)
    keep = no_bags.y != 8
    with pytest.raises(ValueError, match=r"class 0 has mass .* and no examples"):
        divided(Split(no_bags.x[keep], no_bags.y[keep]), 10, 0)


@REAL
def test_the_real_wares() -> None:
    found = divided(arrays.load("fashion", "test", offline=True), 300, 0)
    assert found.edges.x.shape == found.photos.x.shape == (300, 1, 32, 32)
    assert found.edges.y.float().mean() == pytest.approx(50 / 188, abs=0.01)
    assert found.photos.y.float().mean() == pytest.approx(0.9, abs=0.01)
    contours = canny_edges(found.photos.x)
    # A contour of a photograph, taken here, is not among the drawings.
    same = (contours[:, None] == found.edges.x[None]).flatten(2).all(2)
    assert same.float().mean() < 0.001
    assert 0.03 < (found.edges.x == -1).float().mean() < 0.25
