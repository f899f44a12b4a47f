"""Procedural apples and oranges: the sampler's contract, its law, and its pictures."""

from __future__ import annotations

import latentlaw
import numpy as np
import pytest

from domain_translation.synthetic import latent
from domain_translation.synthetic.fruit import fruit, skin, table
from domain_translation.synthetic.fruit.fruit_law import LAW, index


def _draw(n, rare, size=64, seed=0):
    latents, knots = fruit.draw(range(n), seed, size, rare)
    return latents, fruit.render(latents, knots, size)


def test_only_the_fruit_changes():
    latentlaw.assert_only_the_mask_changes(_draw(24, 0.5)[1], 0.2, 0.15)


def test_some_of_the_fruit_is_always_in_the_picture():
    latentlaw.assert_something_is_always_in_the_picture(fruit)


def test_a_leaf_in_front_hides_the_change():
    latents, knots = fruit.draw(range(8), 0, 64, 0.0)
    latents["veil"] = np.full(8, index("veil", "left"))
    source, target, _ = fruit.render(latents, knots, 64)
    latents["veil"] = np.full(8, index("veil", "none"))
    bare, bare_target, _ = fruit.render(latents, knots, 64)
    assert np.abs(source - target).mean() < 0.95 * np.abs(bare - bare_target).mean()


def test_oranges_are_orange_and_apples_have_their_own_colours():
    latents, (source, target, mask) = _draw(48, 0.0)
    colours = {}
    for name in LAW.choices["variety"]:
        here = latents["variety"] == index("variety", name)
        inside = mask[here] > 0.95
        colours[name] = [
            (im[here].transpose(0, 2, 3, 1)[inside].mean(0) + 1) / 2 for im in (source, target)
        ]
        red, green, blue = colours[name][1]
        assert red > 1.3 * green
        assert green > 2 * blue
    assert colours["red"][0][0] > 2.5 * colours["red"][0][1]
    assert colours["green"][0][1] > 1.1 * colours["green"][0][0]


def test_peel_is_rougher_than_an_apples_skin():
    latents, (source, target, mask) = _draw(32, 0.0, size=128)
    keep = (latents["variety"] == index("variety", "yellow")) & (latents["count"] == 0)
    assert keep.any()
    roughness = []
    for images in (source, target):
        bend = np.abs(np.diff(images[keep].mean(1), n=2, axis=2))
        roughness.append(np.median(bend[mask[keep][:, :, 1:-1] > 0.99]))
    assert roughness[1] > 1.2 * roughness[0]


def test_the_orange_lies_where_the_apple_was():
    latents, knots = fruit.draw(range(16), 0, 64, 0.0)
    centres, radius = fruit._arrange(latents, knots["whims"])
    assert (np.isnan(centres[:, :, 0]) == np.isnan(centres[:, :, 1])).all()
    number = (~np.isnan(centres[:, :, 0])).sum(1)
    expected = [len(fruit.LAYOUTS[name][1]) for name in LAW.choices["count"]]
    assert (number == np.array(expected)[latents["count"]]).all()
    whims, bounce = knots["whims"][:, 0], np.ones((16, 3, 1, 1), np.float32)
    one = fruit._place(latents, whims, centres[:, 0], radius, 64)
    apple = skin.apple(one, latents, whims, bounce)[0].alpha
    orange = skin.orange(one, latents, whims, knots["pores"], bounce)[0].alpha
    overlap = np.minimum(apple, orange).sum((1, 2)) / np.maximum(apple, orange).sum((1, 2))
    assert overlap.min() > 0.85


def test_surprise_is_minus_the_log_density():
    latentlaw.assert_surprise_is_minus_the_log_density(fruit, LAW)


def test_the_law_is_normalised_and_drawn_as_stated():
    latentlaw.assert_normalised(LAW)
    wide, _ = latent.draw(LAW, range(2000), 0, 1.0, 0)
    crowded = LAW.oddities["cover"].share * LAW.oddities["cover"].choices["count"]["crowd"]
    assert (wide["count"] == index("count", "crowd")).mean() == pytest.approx(crowded, abs=0.05)


def test_every_kind_of_scene_has_its_colours():
    assert len(table.NEAR) == len(table.FAR) == len(table.ROUGH) == len(LAW.choices["ground"])
    assert len(table.KEY) == len(table.FALL_OFF) == len(LAW.choices["light"])
    kinds = (skin.BASE, skin.BLUSH, skin.BLUSH_BIAS, skin.CROWN)
    assert {len(one) for one in kinds} == {len(LAW.choices["variety"])}
    assert set(fruit.LAYOUTS) == set(LAW.choices["count"])
