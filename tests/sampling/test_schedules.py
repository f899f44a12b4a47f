"""Every parametrisation of the sources against the step it stands for."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from domain_translation.sampling import schedules
from domain_translation.sampling.kernels import ula

sizes = st.floats(1e-6, 10.0)


@given(step_size=sizes, noise=sizes)
def test_step_noise_and_temperature_convert_back_and_forth(step_size: float, noise: float) -> None:
    temperature = schedules.temperature_from_noise(step_size, noise)
    assert temperature == pytest.approx(noise**2 / (2 * step_size))
    assert schedules.noise_std(step_size, temperature) == pytest.approx(noise)
    assert schedules.step_size_from_noise(noise, temperature) == pytest.approx(step_size)


def drift_and_noise(parameters: schedules.Parameters, step: int) -> tuple[float, float]:
    at = ula(torch.neg, *parameters).coefficients(step, 1, torch.zeros(1).double())
    (drift,), (spread,) = at.drift, at.spread
    return float(drift), float(spread) ** 2


@given(step_size=sizes, noise=sizes)
def test_each_convention_gives_its_own_step(step_size: float, noise: float) -> None:
    assert drift_and_noise(schedules.from_lcool(step_size, noise), 0) == pytest.approx(
        (step_size, noise**2)
    )
    assert drift_and_noise(schedules.from_cfebm_eq3(step_size), 0) == pytest.approx(
        (step_size / 2, step_size)
    )
    assert drift_and_noise(schedules.from_sgld(step_size, noise), 0) == pytest.approx(
        (step_size / 2, noise**2)
    )


def test_cfebm_appendix() -> None:
    """eta_t = 0.02 - 0.02 / (T - t + 1): 0.0196, 0.0192, 0.010, 0 at t = 1, 25 (T = 50), 49, 50."""
    variance = schedules.hyperbolic_variance(50)
    assert [round(variance[t - 1].item(), 4) for t in (1, 25, 49, 50)] == [
        0.0196,
        0.0192,
        0.01,
        0.0,
    ]
    for drift, most in ((1.0, 0.01), (0.5, 0.02)):
        parameters = schedules.from_cfebm_appendix(drift, 50)
        assert drift_and_noise(parameters, 24) == pytest.approx((drift, variance[24].item()))
        assert parameters.temperature.max() < most


def test_known_programs() -> None:
    """Implied temperatures: JEM (step 1, noise 0.01) 5e-5; ImproveIT's sigma = 0.001 T = 5e-5..."""
    jem = schedules.temperature_from_noise(1.0, 0.01)
    igebm = schedules.temperature_from_noise(10.0, 0.005)
    assert (jem, igebm) == pytest.approx((5e-5, 1.25e-6))


def test_linear() -> None:
    torch.testing.assert_close(
        schedules.linear(1.0, 0.0, 5), torch.tensor([1, 0.75, 0.5, 0.25, 0]).double()
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: schedules.temperature_from_noise(0.0, 1.0), "step_size was 0"),
        (lambda: schedules.temperature_from_noise(1.0, -1.0), "noise_std was -1"),
        (lambda: schedules.temperature_from_noise(math.nan, 1.0), "step_size was nan"),
        (lambda: schedules.noise_std(1.0, -0.1), "temperature was -0.1"),
        (lambda: schedules.step_size_from_noise(1.0, 0.0), "temperature was 0"),
        (lambda: schedules.from_cfebm_eq3(0.0), "eta was 0"),
        (lambda: schedules.from_cfebm_appendix(-1.0, 5), "drift was -1"),
        (lambda: schedules.from_sgld(math.inf, 1.0), "step_size was inf"),
        (lambda: schedules.linear(1.0, 0.0, 0), "steps was 0"),
        (lambda: schedules.hyperbolic_variance(0), "steps was 0"),
    ],
)
def test_bad_parameters(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
