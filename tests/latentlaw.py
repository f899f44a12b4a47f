"""What animals and fruit share: a law, evaluated a second time and term by term, and scenes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from domain_translation.synthetic.latent import Law


def log_density(law: Law, latents: dict[str, Any], i: int) -> float:
    """The mixture's log density at scene i, with scipy's normal density."""
    total = 0.0
    components: list[Any] = [(0.9, {}, {})]
    components += [(0.1 * o.share, o.normals, o.choices) for o in law.oddities.values()]
    for weight, normals, choices in components:
        density = weight
        for name, core in law.normals.items():
            density *= norm(*normals.get(name, core)).pdf(latents[name][i])
        for name, probabilities in law.choices.items():
            value = list(probabilities)[latents[name][i]]
            density *= choices.get(name, probabilities).get(value, 0.0)
        total += density
    return float(np.log(total))


def assert_normalised(law: Law) -> None:
    """All probabilities sum to 1, and no oddity draws a value that the core does not name."""
    assert sum(o.share for o in law.oddities.values()) == pytest.approx(1)
    for choices in (law.choices, *(o.choices for o in law.oddities.values())):
        for name, probabilities in choices.items():
            assert sum(probabilities.values()) == pytest.approx(1)
            assert set(probabilities) <= set(law.choices[name])


def assert_only_the_mask_changes(scenes: Any, least: float, change: float) -> None:
    """Outside the mask source and target are equal; inside they differ by `change` on average."""
    source, target, mask = scenes
    outside = np.broadcast_to(mask[:, None] == 0, source.shape)
    assert least < outside.mean() < 0.97
    assert np.array_equal(source[outside], target[outside])
    covered = np.broadcast_to(mask[:, None] > 0.9, source.shape)
    assert np.abs(source - target)[covered].mean() > change


def assert_something_is_always_in_the_picture(world: Any) -> None:
    """However odd the view."""
    for start in (0, 100, 200):
        latents, knots = world.draw(range(start, start + 100), 7, 32, 1.0)
        source, target, mask = world.render(latents, knots, 32)
        assert mask.sum((1, 2)).min() > 4
        assert np.abs(source - target).max((1, 2, 3)).min() > 0.1


def assert_surprise_is_minus_the_log_density(world: Any, law: Law) -> None:
    """Of scenes of which more than half are odd."""
    latents, _ = world.draw(range(40), 0, 16, 0.6)
    expected = [-log_density(law, latents, i) for i in range(40)]
    found = world.sample(40, 0, size=16, rare=0.6).surprise.numpy()
    assert np.allclose(found, expected, atol=1e-9)
