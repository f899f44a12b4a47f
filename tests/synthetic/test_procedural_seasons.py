"""Landscapes in summer and winter: shared geometry, and how rare each scene is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from domain_translation.synthetic.canvas import Array, coordinates
from domain_translation.synthetic.seasons.landscape import LANDSCAPE_LAW, Landscape, draw_landscape
from domain_translation.synthetic.seasons.landscape_paint import paint_pair
from domain_translation.synthetic.seasons.landscape_terrain import Terrain, shape_terrain
from domain_translation.synthetic.seasons.seasons import sample


def landscape(seed: int, kind: str | None = None, **latents: float) -> Landscape:
    """The first core landscape of a kind from `seed` on, with some latents set by hand."""
    while True:
        found = draw_landscape(np.random.default_rng(seed), 0.0)
        if kind in (None, found.draw.kind):
            values = {**found.draw.values, **latents}
            return found._replace(draw=found.draw._replace(values=values))
        seed += 1


def painted(scene: Landscape, size: int = 64) -> tuple[Array, Terrain]:
    terrain = shape_terrain(scene, np.random.default_rng(7), size)
    return paint_pair(scene, terrain), terrain


def below_horizon(terrain: Terrain) -> np.ndarray:
    return coordinates(terrain.depth.shape[0])[1] > terrain.horizon + 0.05


def test_a_landscape_keeps_its_shape_at_every_size() -> None:
    small, large = sample(8, 2, size=64), sample(8, 2, size=128)
    assert torch.equal(small.surprise, large.surprise)
    for near, far in zip(small[:2], large[:2], strict=True):
        shrunk = torch.nn.functional.avg_pool2d(far, 2)
        own = (shrunk - near).abs().mean()
        other = (shrunk - near.roll(1, 0)).abs().mean()
        assert float(own) < 0.5 * float(other)


def test_winter_is_brighter_and_paler_below_the_horizon() -> None:
    spread = []
    for seed in range(12):
        pair, terrain = painted(landscape(100 * seed))
        summer, winter = pair[:, :, below_horizon(terrain)]
        assert winter.mean() > summer.mean() + 0.15
        spread.append([np.ptp(picture, axis=0).mean() for picture in (summer, winter)])
    colourful, pale = np.mean(spread, axis=0)
    assert pale < 0.6 * colourful


def test_both_seasons_share_the_ridge_against_the_sky() -> None:
    """The skyline's edge is where the terrain says, in summer and in winter alike."""
    for seed in range(6):
        # Clear air and an empty foreground: the edge is the strongest one above the horizon.
        scene = landscape(40 * seed, "meadow", clouds=-4.0, trees=-4.0, fog=-5.0, warmth=0.0)
        pair, terrain = painted(scene, 128)
        skyline = np.min(terrain.ridges, axis=0)
        # The treeline hides the lowest ridges.
        columns = np.flatnonzero((skyline < terrain.horizon - 0.25) & (skyline > -0.9))
        for picture in pair:
            above, under = (
                np.stack([picture[:, int((skyline[c] + 1) * 64) + step, c] for c in columns])
                for step in (-3, 3)
            )
            further = np.stack([picture[:, int((skyline[c] + 1) * 64) - 7, c] for c in columns])
            across, beside = np.abs(above - under).mean(), np.abs(further - above).mean()
            assert across > 3 * beside


def test_edges_of_both_seasons_lie_together() -> None:
    """Gradients of the two pictures coincide, and no longer do once one is mirrored."""
    scenes = sample(40, 6, rare=0.0)

    def edges(images: torch.Tensor) -> torch.Tensor:
        grey = images.mean(dim=1)
        size = (grey[:, 1:, :-1] - grey[:, :-1, :-1]).abs()
        return size + (grey[:, :-1, 1:] - grey[:, :-1, :-1]).abs()

    def agreement(a: torch.Tensor, b: torch.Tensor) -> float:
        stacked = torch.stack([a.flatten(), b.flatten()])
        return float(torch.corrcoef(stacked)[0, 1])

    summer, winter = edges(scenes.source), edges(scenes.target)
    assert agreement(summer, winter) > 0.3
    assert agreement(summer, winter) > 2.0 * agreement(summer, winter.flip(-1))


def test_water_is_blue_in_summer_and_ice_in_winter() -> None:
    pair, terrain = painted(landscape(1, "stream", trees=-4.0))
    water = (terrain.water < -0.05) & (terrain.depth > 0.3)
    land = (terrain.water > 0.1) & (terrain.depth > 0.3)
    summer, winter = pair[:, :, water]
    assert water.mean() > 0.02
    assert summer[2].mean() > summer[0].mean() + 0.1
    assert (pair[0][1][land] - pair[0][2][land]).mean() > 0.1
    assert winter.mean() > summer.mean() + 0.15


def test_a_lake_mirrors_the_ridge_above_it() -> None:
    scene = landscape(5, "lake", trees=-4.0, horizon=-0.1, fog=-5.0)
    summer = painted(scene)[0][0]
    row = int(0.9 * 32)
    ridge, mirror = summer[:, row - 8 : row].mean(axis=0), summer[:, row + 1 : row + 9].mean(axis=0)
    upright = np.corrcoef(ridge[::-1].ravel(), mirror.ravel())[0, 1]
    assert upright > 0.4


def test_early_snow_leaves_grass_showing() -> None:
    full, _ = painted(landscape(3, "meadow", trees=-4.0))
    scene = landscape(3, "meadow", trees=-4.0, snow=-1.5)
    thin, terrain = painted(scene)
    ground = below_horizon(terrain)
    assert thin[1][:, ground].mean() < full[1][:, ground].mean() - 0.1
    assert np.array_equal(thin[0], full[0])


@pytest.mark.parametrize(
    ("latents", "channel", "sign"),
    [({"dusk": 1.2}, 0, 1), ({"night": 1.2}, 2, 1), ({"fog": 1.0}, 1, 0)],
)
def test_unusual_light_shows(latents: dict[str, float], channel: int, sign: int) -> None:
    plain = painted(landscape(8, "meadow"))[0]
    odd = painted(landscape(8, "meadow", **latents))[0]
    if sign:
        tint, usual = (p[:, channel].mean() / p.mean() for p in (odd, plain))
        assert tint > 1.1 * usual
    else:
        assert odd.std() < 0.75 * plain.std()


def test_surprise_is_the_density_evaluated_independently() -> None:
    """-log of the mixture, written out with scipy's normal distribution."""
    law = LANDSCAPE_LAW
    for seed in range(20):
        draw = draw_landscape(np.random.default_rng(seed), rare=0.5).draw
        z = [draw.values[name] for name in law.names]
        kind = law.kinds.index(draw.kind)
        parts = [
            float(np.prod(stats.norm.pdf(z, part.means, part.scales)) * part.kinds[kind])
            for part in (law.core, *law.tails)
        ]
        weights = [0.9, *(0.1 * part.weight for part in law.tails)]
        expected = -math.log(float(np.dot(weights, parts)))
        assert law.surprise(draw) == pytest.approx(expected, rel=1e-9)
    assert sum(part.weight for part in law.tails) == pytest.approx(1)


def test_sampled_surprise_is_that_of_the_scene_drawn() -> None:
    scenes = sample(4, 12, size=16)
    for i, surprise in enumerate(scenes.surprise.tolist()):
        draw = draw_landscape(np.random.default_rng([12, i]), 0.1).draw
        assert surprise == LANDSCAPE_LAW.surprise(draw)
