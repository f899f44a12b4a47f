"""What cooling does to a Gaussian: closed forms against chains and against a search."""

import math

import pytest
import torch

from domain_translation.cooling import cool
from domain_translation.cooling.filter import best_time, kept, risk
from domain_translation.synthetic.gallery.gallery import GRAIN

SIGMA = 0.2


@pytest.mark.parametrize(
    ("variance", "damage"), [(0.04, 0.15), (0.3, 0.3), (0.01, 0.2), (0.5, 0.1)]
)
@pytest.mark.parametrize("temperature", [0.0, 0.05, 0.1])
def test_no_time_is_better_than_the_best(
    variance: float, damage: float, temperature: float
) -> None:
    times = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    v = torch.tensor(variance, dtype=torch.float64)
    found = float(times[risk(times, v, SIGMA, damage, temperature).argmin()])
    assert found == pytest.approx(best_time(variance, SIGMA, damage, temperature), abs=1e-4)


def test_without_temperature_the_best_factor_is_wieners() -> None:
    variance, damage = 0.3, 0.15
    a = kept(best_time(variance, SIGMA, damage, 0.0), torch.tensor(variance + SIGMA**2))
    assert float(a) == pytest.approx(variance / (variance + damage**2))


def test_a_chain_has_the_risk_of_finite_steps() -> None:
    variance = torch.tensor([0.001, 0.04, 1.0], dtype=torch.float64)
    g = torch.Generator().manual_seed(0)
    clean = torch.randn(20_000, 3, generator=g, dtype=torch.float64) * variance.sqrt()
    damaged = clean + 0.3 * torch.randn(clean.shape, generator=g, dtype=torch.float64)
    v, step, steps, temperature = variance + SIGMA**2, 0.01, 12, 0.02
    chain = {"step_size": step, "temperature": temperature, "steps": steps}
    cooled = cool(lambda x: -x / v.to(x), damaged, seed=0, **chain).x
    found = (cooled - clean).square().mean(0)
    expected = risk(step * steps, variance, SIGMA, 0.3, temperature, step)
    assert torch.allclose(found.double(), expected, rtol=0.05)
    assert not torch.allclose(expected, risk(step * steps, variance, SIGMA, 0.3, temperature))


def test_the_window_of_the_gallery_is_as_its_chapter_says() -> None:
    opens = (GRAIN**2 + SIGMA**2) * math.log(10)
    assert opens == pytest.approx(0.094, abs=5e-4)
    assert float(kept(opens, torch.tensor(GRAIN**2 + SIGMA**2))) == pytest.approx(0.1)
    assert float(kept(opens, torch.tensor(0.92**2 + SIGMA**2))) == pytest.approx(0.9, abs=2e-3)


def test_small_steps_are_the_limit() -> None:
    v = torch.tensor([0.05, 2.0], dtype=torch.float64)
    assert torch.allclose(kept(0.1, v, 1e-6), kept(0.1, v), atol=1e-5)
    assert float(kept(0.1, v)[0]) == pytest.approx(math.exp(-2))
