"""The law of animals and fruit, evaluated a second time and term by term."""

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
