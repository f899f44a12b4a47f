"""Picture files to tensors: range, crop, orientation, colour modes, damage."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from domain_translation.data.images import list_images, open_rgb, read_images

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def _encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _grey(value: int) -> bytes:
    return _encoded(Image.new("RGB", (12, 8), (value, value, value)))


def _read(folder: Path, size: int) -> torch.Tensor:
    return read_images(list_images(folder), size)


def test_range_order_and_type(tmp_path: Path) -> None:
    for name, value in (("b.png", 255), ("a.PNG", 0), ("c.png", 51)):
        (tmp_path / name).write_bytes(_grey(value))
    (tmp_path / "._a.png").write_bytes(b"a note of another system")
    (tmp_path / "notes.txt").write_text("no picture")
    x = _read(tmp_path, 4)
    assert x.shape == (3, 3, 4, 4)
    assert x.dtype == torch.float32
    expected = torch.tensor([-1.0, 1.0, -0.6]).reshape(-1, 1, 1, 1).expand_as(x)
    torch.testing.assert_close(x, expected, atol=1e-6, rtol=0)


def test_the_central_square_is_taken(tmp_path: Path) -> None:
    wide = Image.new("RGB", (30, 10), RED)
    wide.paste(GREEN, (10, 0, 20, 10))
    (tmp_path / "wide.png").write_bytes(_encoded(wide))
    (tmp_path / "high.png").write_bytes(_encoded(wide.transpose(Image.Transpose.ROTATE_90)))
    x = _read(tmp_path, 10)
    green = torch.tensor([-1.0, 1.0, -1.0]).reshape(1, 3, 1, 1).expand_as(x)
    torch.testing.assert_close(x, green)


def test_shrinking_averages(tmp_path: Path) -> None:
    # One-pixel stripes shrunk eightfold are their mean; picking every eighth would be 0 or 255.
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    (tmp_path / "a.png").write_bytes(_encoded(Image.fromarray(stripes)))
    inner = _read(tmp_path, 8)[..., 1:-1, 1:-1]
    assert inner.abs().max() < 0.02


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path: Path, orientation: int) -> None:
    # Red above blue, then stored turned as a camera of that orientation stores it.
    upright = Image.new("RGB", (16, 16), RED)
    upright.paste(BLUE, (0, 8, 16, 16))
    upright.paste(GREEN, (0, 0, 8, 8))
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = upright if stored is None else upright.transpose(stored)
    (tmp_path / "a.png").write_bytes(_encoded(turned, exif=exif))
    seen = np.asarray(open_rgb(tmp_path / "a.png"))
    np.testing.assert_array_equal(seen, np.asarray(upright))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (4, 4), 100), (100, 100, 100)),
        (Image.new("1", (4, 4), 1), (255, 255, 255)),
        (Image.new("LA", (4, 4), (0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (255, 0, 0, 255)), RED),
        (Image.new("RGB", (4, 4), BLUE).quantize(4), BLUE),
        (Image.fromarray(np.full((4, 4), 100 * 257, np.uint16)), (100, 100, 100)),
    ],
    ids=["grey", "bits", "clear grey", "clear", "opaque", "palette", "16 bit"],
)
def test_other_modes_become_rgb(
    tmp_path: Path, image: Image.Image, expected: tuple[int, int, int]
) -> None:
    (tmp_path / "a.png").write_bytes(_encoded(image))
    seen = open_rgb(tmp_path / "a.png")
    assert seen.mode == "RGB"
    assert seen.getpixel((1, 1)) == expected


def test_pictures_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_grey(0))
    with pytest.raises(ValueError, match="size is 0"):
        _read(tmp_path, 0)
    (tmp_path / "b.jpg").write_bytes(_encoded(Image.new("RGB", (64, 64)), "JPEG")[:400])
    with pytest.raises(ValueError, match=r"b\.jpg is not a readable picture"):
        _read(tmp_path, 8)
