"""Towns from above: photographs, maps, and how rare each scene is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from skimage.color import rgb2hsv

from domain_translation.synthetic.city.city import sample
from domain_translation.synthetic.city.town import TOWN_LAW, Town, draw_town
from domain_translation.synthetic.city.town_map import PALETTE, draw_map
from domain_translation.synthetic.city.town_photo import photograph
from domain_translation.synthetic.city.town_plan import lay_out

NEAR = 0.1
"""Largest channel difference, out of 1, that still counts as a palette's colour."""


def pixels(images: torch.Tensor) -> np.ndarray:
    """(n, 3, S, S) in [-1, 1] as (n, S, S, 3) in [0, 1]."""
    return ((images + 1) / 2).permute(0, 2, 3, 1).numpy()


def is_colour(images: np.ndarray, name: str) -> np.ndarray:
    return np.abs(images - np.array(PALETTE[name]) / 255).max(axis=-1) < NEAR / 2


def town(seed: int, rare: float = 0.0, kind: str | None = None) -> Town:
    """The first town of a kind from `seed` on."""
    while True:
        found = draw_town(np.random.default_rng(seed), rare)
        if kind in (None, found.draw.kind):
            return found
        seed += 1


def test_a_town_keeps_its_plan_at_every_size() -> None:
    small, large = sample(6, 2, size=64), sample(6, 2, size=128)
    assert torch.equal(small.surprise, large.surprise)
    shrunk = torch.nn.functional.avg_pool2d(large.target, 2)
    assert float((shrunk - small.target).abs().mean()) < 0.03
    assert float((shrunk - small.target.roll(1, 0)).abs().mean()) > 0.1


def test_map_is_painted_with_the_palette() -> None:
    maps = pixels(sample(20, 1, rare=0.5).target)
    palette = np.array(list(PALETTE.values())) / 255
    distance = np.abs(maps[..., None, :] - palette).max(axis=-1).min(axis=-1)
    assert (distance < NEAR).mean() > 0.9
    # Enlarged, the mixed borders shrink to almost nothing.
    large = pixels(sample(3, 1, size=256).target)
    distance = np.abs(large[..., None, :] - palette).max(axis=-1).min(axis=-1)
    assert (distance < NEAR / 2).mean() > 0.95


def test_map_depends_on_the_latents_alone() -> None:
    scene = town(11)
    plan = lay_out(scene, 64)
    again = lay_out(scene, 64)
    assert np.array_equal(draw_map(plan, scene.draw.kind), draw_map(again, scene.draw.kind))
    first, second = (photograph(plan, scene, np.random.default_rng(k)) for k in (0, 1))
    assert not np.array_equal(first, second)
    assert np.abs(first - second).mean() < 0.08


def test_light_and_season_leave_the_map_alone() -> None:
    scene = town(4)
    plan = lay_out(scene, 64)
    odd = scene.draw._replace(
        values={**scene.draw.values, "haze": 0.5, "season": 2.0, "warmth": 2.0, "shadow": 1.2}
    )
    changed = scene._replace(draw=odd)
    same = draw_map(lay_out(changed, 64), odd.kind)
    assert np.array_equal(draw_map(plan, scene.draw.kind), same)
    rng = np.random.default_rng
    before, after = photograph(plan, scene, rng(0)), photograph(plan, changed, rng(0))
    assert np.abs(before - after).mean() > 0.1


@pytest.mark.parametrize("kind", ["river", "lake"])
def test_water_is_where_both_pictures_show_it(kind: str) -> None:
    scene = town(50, rare=1.0 if kind == "lake" else 0.0, kind=kind)
    # The first place number at zero: a shore in the picture, a river of ordinary width.
    scene = scene._replace(layout=scene.layout._replace(place=[0.0, *scene.layout.place[1:]]))
    plan = lay_out(scene, 128)
    photo = photograph(plan, scene, np.random.default_rng(0)).transpose(1, 2, 0)
    chart = draw_map(plan, kind).transpose(1, 2, 0)
    clear = np.minimum(np.minimum(plan.avenue, plan.street), np.abs(plan.rail) - 0.1) > 0.05
    water, land = clear & (plan.water < -0.06), clear & (plan.water > 0.06)
    assert water.mean() > 0.03
    assert is_colour(chart, "water")[water].mean() > 0.98
    assert not is_colour(chart, "water")[land].any()
    warmth = photo[..., 0] - photo[..., 2]
    assert warmth[water].mean() < warmth[land].mean() - 0.05
    assert photo[water].mean() < photo[land].mean()


def test_photo_and_map_are_aligned() -> None:
    """Map and photo agree where they lie, and less once one is moved by a few pixels."""
    scenes = sample(60, 8, rare=0.0)
    photos, maps = pixels(scenes.source), pixels(scenes.target)
    greenness = photos[..., 1] - np.maximum(photos[..., 0], photos[..., 2])
    park = is_colour(maps, "park")
    road = is_colour(maps, "avenue")
    saturation = rgb2hsv(photos)[..., 1]

    def contrast(shift: int) -> tuple[float, float]:
        moved_park, moved_road = np.roll(park, shift, axis=2), np.roll(road, shift, axis=2)
        green = greenness[moved_park].mean() - greenness[~moved_park].mean()
        grey = saturation[~moved_road].mean() - saturation[moved_road].mean()
        return green, grey

    aligned = contrast(0)
    assert aligned[0] > 0.03
    assert aligned[1] > 0.05
    for shift in (-6, 6):
        moved = contrast(shift)
        assert moved[0] < 0.9 * aligned[0]
        assert moved[1] < 0.6 * aligned[1]


def test_buildings_throw_shadows_away_from_the_sun() -> None:
    scene = town(3, kind="centre")
    plan = lay_out(scene, 128)

    def shot(shadow: float) -> np.ndarray:
        draw = scene.draw._replace(values={**scene.draw.values, "shadow": shadow})
        picture = photograph(plan, scene._replace(draw=draw), np.random.default_rng(0))
        return picture.mean(axis=0)

    ground = plan.building > 0.03
    short, long = shot(-0.9), shot(1.3)
    assert long[ground].mean() < short[ground].mean() - 0.02


def test_surprise_is_the_density_evaluated_independently() -> None:
    """-log of the mixture, written out with scipy's normal distribution."""
    for seed in range(20):
        draw = draw_town(np.random.default_rng(seed), rare=0.5).draw
        z = [draw.values[name] for name in TOWN_LAW.names]
        kind = TOWN_LAW.kinds.index(draw.kind)

        def density(part, z=z, kind=kind) -> float:
            return float(np.prod(stats.norm.pdf(z, part.means, part.scales)) * part.kinds[kind])

        tails = sum(part.weight * density(part) for part in TOWN_LAW.tails)
        expected = -math.log(0.9 * density(TOWN_LAW.core) + 0.1 * tails)
        assert TOWN_LAW.surprise(draw) == pytest.approx(expected, rel=1e-9)
    assert sum(part.weight for part in TOWN_LAW.tails) == pytest.approx(1)


def test_the_law_draws_from_the_density_it_states() -> None:
    """Moments and shares of drawn latents against the core's own numbers."""
    draws = [TOWN_LAW.draw(np.random.default_rng([9, i]), 0.0) for i in range(2000)]
    z = np.array([[draw.values[name] for name in TOWN_LAW.names] for draw in draws])
    error = (z.mean(axis=0) - TOWN_LAW.core.means) / TOWN_LAW.core.scales
    assert np.abs(error).max() < 4 / math.sqrt(2000)
    assert z.std(axis=0) == pytest.approx(TOWN_LAW.core.scales, rel=0.08)
    rivers = np.mean([draw.kind == "river" for draw in draws])
    assert rivers == pytest.approx(0.18, abs=0.035)


def test_rare_is_the_share_of_scenes_from_the_tail() -> None:
    common = sample(30, 4, size=16, rare=0.0)
    mixed = sample(30, 4, size=16, rare=0.1)
    changed = (common.surprise != mixed.surprise).double().mean()
    assert 0 < float(changed) < 0.35
