"""The picture of the landing page is computed, always the same, and light enough."""

from __future__ import annotations

import io

from PIL import Image

from domain_translation.press.pages import picture


def test_the_picture_is_the_same_each_time_and_light():
    first = picture.draw()
    assert picture.draw() == first
    assert len(first) < 400_000
    with Image.open(io.BytesIO(first)) as image:
        assert 1200 < image.width < 1500
        assert image.height < image.width


def test_the_picture_is_drawn_anew_when_its_code_changes():
    assert b"def draw" in picture.ingredients()
    assert b"def mala" in picture.ingredients()
