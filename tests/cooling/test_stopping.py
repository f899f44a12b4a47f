"""Cooling that stops by itself, and cooling along a ladder: closed forms on Gaussians."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.cooling import cool
from domain_translation.cooling.stopping import cool_along, cool_until
from domain_translation.sampling.langevin import DivergenceError

VARIANCE = 0.5


def score(x: torch.Tensor) -> torch.Tensor:
    return -x / VARIANCE


def starts(n: int = 6) -> torch.Tensor:
    return torch.randn(n, 3, 4, generator=torch.Generator().manual_seed(0)) * torch.arange(
        1.0, n + 1
    ).reshape(-1, 1, 1)


SETTING = {"step_size": 0.05, "temperature": 0.0, "max_steps": 200}


def test_without_noise_each_sample_stops_where_the_geometric_series_says() -> None:
    x, level = starts(), 1.3
    out = cool_until(score, x, level=level, **SETTING)
    first = score(x).flatten(1).norm(dim=1)
    expected = [max(0, math.ceil(math.log(level / n) / math.log(0.9))) for n in first.tolist()]
    assert out.steps.tolist() == expected
    factor = (0.9 ** out.steps.double()).reshape(-1, 1, 1)
    assert torch.allclose(out.x.double(), factor * x.double(), atol=1e-5)
    assert (score(out.x).flatten(1).norm(dim=1) <= level).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), level=st.floats(0.5, 20.0))
def test_a_stopped_sample_is_a_cooled_one(seed: int, level: float) -> None:
    x = starts()
    setting = {"step_size": 0.05, "temperature": 0.01, "seed": seed}
    out = cool_until(score, x, level=level, max_steps=12, **setting)
    for i, n in enumerate(out.steps.tolist()):
        if n == 0:
            assert torch.equal(out.x[i], x[i])
        else:
            assert torch.equal(out.x[i], cool(score, x, steps=n, **setting).x[i])


def test_nothing_is_evaluated_once_all_have_stopped() -> None:
    calls = []

    def counted(y: torch.Tensor) -> torch.Tensor:
        calls.append(len(y))
        return score(y)

    x = torch.zeros(2, 1 << 15)  # sixteen steps make a block of noise
    out = cool_until(counted, x, level=1.0, step_size=0.1, temperature=0.0, max_steps=1000)
    assert out.steps.tolist() == [0, 0]
    assert calls == [2] * 17  # one of them to look at its shape


def test_a_sample_does_not_depend_on_its_batch() -> None:
    x, setting = starts(), {"step_size": 0.05, "temperature": 0.02, "max_steps": 50, "seed": 3}
    whole = cool_until(score, x, level=2.0, **setting)
    order = [4, 1, 5]
    part = cool_until(score, x[order], level=2.0, ids=order, **setting)
    assert torch.equal(part.x, whole.x[order])
    assert part.steps.tolist() == whole.steps[order].tolist()
    other = cool_until(score, x[order], level=2.0, **setting)  # ids 0, 1, 2: other noise
    assert not torch.allclose(other.x[0], whole.x[4])


def test_the_start_is_left_alone_and_the_limit_holds() -> None:
    x = starts()
    before = x.clone()
    out = cool_until(score, x, level=0.0, step_size=0.05, temperature=0.0, max_steps=7)
    assert torch.equal(x, before)
    assert out.steps.tolist() == [7] * len(x)


def test_equal_levels_are_plain_cooling() -> None:
    x = starts()

    def at(y: torch.Tensor, sigma: float) -> torch.Tensor:
        return -y / (VARIANCE + sigma**2)

    along = cool_along(at, x, sigmas=[0.4] * 9, share=0.3, temperature=0.01, seed=5)
    plain = cool(lambda y: at(y, 0.4), x, step_size=0.3 * 0.16, temperature=0.01, steps=9, seed=5).x
    assert torch.equal(along, plain)


def test_a_ladder_multiplies_its_rungs() -> None:
    x, sigmas = starts(), [0.8, 0.4, 0.2, 0.1]
    out = cool_along(
        lambda y, s: -y / (VARIANCE + s**2), x, sigmas=sigmas, share=0.5, temperature=0.0
    )
    factor = math.prod(1 - 0.5 * s**2 / (VARIANCE + s**2) for s in sigmas)
    assert torch.allclose(out, factor * x, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": -1.0}, "level is -1"),
        ({"level": math.nan}, "level is nan"),
        ({"step_size": 0.0}, "step size"),
        ({"temperature": 1.0}, "temperature 1.0"),
        ({"max_steps": 0}, "max_steps is 0"),
        ({"ids": [1]}, "1 ids for 6"),
    ],
)
def test_refused_settings(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cool_until(score, starts(), **{"level": 1.0, **SETTING, **change})


def test_refused_ladders() -> None:
    def at(y: torch.Tensor, sigma: float) -> torch.Tensor:
        return -y

    for sigmas, share, message in (([], 0.5, "0 steps"), ([0.1, 0.0], 0.5, "noise level 0"),
                                   ([0.1], 1.5, "share is 1.5")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            cool_along(at, starts(), sigmas=sigmas, share=share, temperature=0.0)


def test_divergence_is_reported_with_its_chain() -> None:
    def explosive(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x.flatten(1).norm(dim=1).reshape(-1, 1, 1) > 8, x * 1e30, -x)

    with pytest.raises(DivergenceError) as caught:
        cool_until(explosive, starts(), level=0.0, step_size=1.0, temperature=0.0, max_steps=9)
    assert caught.value.step <= 3
    assert 5 in caught.value.chains
    with pytest.raises(DivergenceError):
        cool_along(
            lambda y, s: explosive(y) / s**2, starts(), sigmas=[1.0] * 9, share=1.0, temperature=0.0
        )
