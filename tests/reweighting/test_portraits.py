"""Painted photographs: any images, the same composition, and LFW's people in one domain only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.data.verify import DamagedData
from domain_translation.reweighting.domains import portraits
from domain_translation.reweighting.domains.portraits import load, painted
from domain_translation.synthetic import painterly
from domain_translation.synthetic.painterly import kuwahara

FOLDER = Path(os.environ.get("DOMAIN_TRANSLATION_DATA", "does not name a folder"))
REAL = pytest.mark.skipif(
    not (FOLDER / "lfw64_faces.zip").is_file(),
    reason="DOMAIN_TRANSLATION_DATA names no folder with lfw64_faces.zip",
)


def _scene(n: int = 4, size: int = 32, seed: int = 0) -> torch.Tensor:
    """Smooth random images in [-1, 1]."""
    knots = torch.rand(n, 3, 5, 5, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(knots, (size, size), mode="bilinear")


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 3), st.integers(8, 40), st.integers(0, 2**31))
def test_paintings_have_the_shape_and_range_of_images(n: int, size: int, seed: int) -> None:
    x = torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    before = x.clone()
    made = painted(x, seed)
    assert made.shape == x.shape
    assert made.dtype == x.dtype
    assert made.isfinite().all()
    assert ((made >= -1) & (made <= 1)).all()
    assert torch.equal(x, before)


def test_a_painting_depends_on_its_image_seed_and_number_only() -> None:
    x = _scene(6)
    many = painted(x, 5)
    torch.testing.assert_close(many[:2], painted(x[:2], 5), rtol=0, atol=1e-6)
    assert (painted(x, 6) - many).abs().mean() > 0.01
    twice = painted(x[:1].expand(2, -1, -1, -1), 5)
    assert (twice[0] - twice[1]).abs().mean() > 0.01  # another number, another hand


def test_the_composition_stays() -> None:
    x = _scene(20, 64)
    grey, tones = (images.mean(1).flatten(1).double() for images in (x, painted(x, 0)))
    likeness = torch.corrcoef(torch.cat([grey, tones]))[:20, 20:]
    assert likeness.diagonal().min() > 0.5
    assert torch.equal(likeness.argmax(1), torch.arange(20))


def test_colours_become_warm_and_tones_few() -> None:
    x = _scene(30, 64, seed=1)
    made = painted(x, 0)
    red, _, blue = made.mean((2, 3)).unbind(1)
    assert (red - blue).mean() > (x[:, 0] - x[:, 2]).mean() + 0.1
    hands = painterly._Hands(*(field[:1] for field in painterly._hands(1, 0)))
    hands = hands._replace(strength=torch.ones(1))
    ramp = torch.linspace(0, 1, 2000).reshape(1, 1, 1, -1).expand(1, 3, 1, -1)
    still = painterly._toned(ramp, hands)[0].diff(dim=-1).abs().amax(0) < 1e-6
    assert 0.6 < still.float().mean() < 0.75  # two thirds of the way there is no change of tone


def test_the_filter_keeps_edges_and_flattens_the_rest() -> None:
    generator = torch.Generator().manual_seed(0)
    step = torch.full((1, 3, 20, 20), 0.2)
    step[..., 10:] = 0.8
    torch.testing.assert_close(kuwahara(step, 3), step, rtol=0, atol=1e-3)
    noisy = step + 0.03 * torch.randn(step.shape, generator=generator)
    calm = kuwahara(noisy, 4)
    assert (calm - step).square().mean() < 0.5 * (noisy - step).square().mean()
    assert (calm[..., 10] - calm[..., 9]).mean() > 0.55
    flat = torch.full((2, 3, 9, 9), 0.4)
    torch.testing.assert_close(kuwahara(flat, 2), flat)
    pictures = torch.rand(2, 3, 12, 12, generator=generator)
    made = kuwahara(pictures, 3)
    torch.testing.assert_close(kuwahara(pictures.flip(-1), 3), made.flip(-1))
    torch.testing.assert_close(kuwahara(pictures.mT, 3), made.mT)


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 3, 8, 9), (1, 3, 4, 4)])
def test_other_images_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"images have shape .*; give \(n, 3, S, S\)"):
        painted(torch.zeros(shape), 0)
    with pytest.raises(ValueError, match="seed is -1; give an integer, 0 or larger"):
        painted(torch.zeros(1, 3, 8, 8), -1)


def test_parts_and_sizes_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="part is 'validation'; allowed are train, test"):
        load("validation")
    for size in (4, 128):
        with pytest.raises(ValueError, match=f"size is {size} pixels; give 8 to 64"):
            load(size=size)


def test_too_few_pictures_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portraits, "unpack", lambda *_, **__: (tmp_path,))
    with pytest.raises(DamagedData, match="holds 0 pictures"):
        load("train")


@REAL
def test_the_real_faces(tmp_path: Path) -> None:
    found = load("test", 32, cache=tmp_path, offline=True)
    assert found.photos.shape == found.paintings.shape == (250, 3, 32, 32)
    own = painted(found.photos, 0)
    # Nobody is in both domains: no photograph, painted, is one of the paintings.
    assert torch.cdist(own.flatten(1), found.paintings.flatten(1)).min() > 1.0
    other = load("test", 32, seed=1, cache=tmp_path, offline=True)
    assert not torch.equal(other.photos, found.photos)
    assert portraits.PORTRAITS == 1714
