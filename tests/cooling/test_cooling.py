"""Cooling: fringe detection, the chain in closed form, and what must not depend on what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from domain_translation import cooling, denoising
from domain_translation.cooling import (
    compare_by_share,
    cool,
    cool_then_translate,
    fringe_mask,
    score_norms,
    search,
)
from domain_translation.evaluation import compare
from domain_translation.runtime import seeded
from domain_translation.sampling.densities import Gaussian
from domain_translation.sampling.langevin import DivergenceError

SETTING: dict[str, Any] = {"step_size": 0.1, "temperature": 0.3, "steps": 12}


def gen(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def start(n: int = 9) -> Tensor:
    return 3 * torch.randn(n, 2, generator=gen())


def score(x: Tensor) -> Tensor:
    return -x  # of N(0, I)


# Fringe detection


def test_score_norms_are_euclidean_over_the_event() -> None:
    x = torch.tensor([[[3.0, 0.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert score_norms(score, x).tolist() == [5.0, 0.0]


def test_a_threshold_is_exceeded_strictly() -> None:
    assert fringe_mask(torch.tensor([1.0, 2.0, 3.0]), threshold=2.0).tolist() == [
        False,
        False,
        True,
    ]


@settings(deadline=None)
@given(st.lists(st.floats(0, 9, width=16), min_size=1, max_size=40), st.floats(0.001, 1))
def test_a_share_takes_the_longest_scores(norms: list[float], share: float) -> None:
    values = torch.tensor(norms)
    mask = fringe_mask(values, share=share)
    assert mask.dtype == torch.bool
    assert abs(mask.sum().item() - share * len(norms)) <= 0.5 + 1e-9 or mask.sum() == 1
    assert mask.any()
    if not mask.all():
        assert values[mask].min() >= values[~mask].max()


@pytest.mark.parametrize(
    ("count", "share", "fringe"), [(10, 0.2, 2), (10, 0.25, 3), (10, 1.0, 10), (3, 0.1, 1)]
)
def test_a_share_is_rounded_to_the_nearest_count(count: int, share: float, fringe: int) -> None:
    assert fringe_mask(torch.arange(float(count)), share=share).sum() == fringe


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either threshold"),
        ({"threshold": 1.0, "share": 0.5}, "either threshold"),
        ({"threshold": -1.0}, "0 or larger"),
        ({"threshold": float("nan")}, "0 or larger"),
        ({"share": 0.0}, r"in \(0, 1\]"),
        ({"share": 1.01}, r"in \(0, 1\]"),
        ({"share": -0.2}, r"in \(0, 1\]"),
        ({"share": float("nan")}, r"in \(0, 1\]"),
    ],
)
def test_fringe_refuses_bad_thresholds_and_shares(
    arguments: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fringe_mask(torch.ones(4), **arguments)


def test_fringe_refuses_bad_norms() -> None:
    for norms, message in (
        (torch.ones(0), "one norm per sample"),
        (torch.ones(2, 2), "one norm per sample"),
        (torch.tensor([1.0, torch.nan]), "NaN or infinite"),
    ):
        with pytest.raises(ValueError, match=message):
            fringe_mask(norms, share=0.5)


# Cooling


def test_without_noise_a_gaussian_shrinks_by_the_known_factor() -> None:
    x = start()
    out = cool(Gaussian([0.0, 0.0], 2.0).score, x, step_size=0.5, temperature=0.0, steps=7)
    torch.testing.assert_close(out.x, x * (1 - 0.5 / 4) ** 7)


def test_the_cooled_variance_is_the_one_of_the_temperature() -> None:
    """Stationary variance T s^2 / (1 - alpha / (2 s^2)), errata.md, from 20,000 numbers."""
    s2, alpha, t = 1.0, 0.2, 0.25
    x = torch.randn(200, 100, generator=gen())
    out = cool(lambda y: -y / s2, x, step_size=alpha, temperature=t, steps=60)
    assert out.x.var().item() == pytest.approx(t * s2 / (1 - alpha / (2 * s2)), rel=0.04)


def test_seeds_decide_the_noise() -> None:
    x = start()
    a, b, other = (cool(score, x, **SETTING, seed=s).x for s in (1, 1, 2))
    assert torch.equal(a, b)
    assert ((a - other).abs() > 1e-6).all()
    same_start = cool(score, torch.ones(50, 2), **SETTING, seed=1).x
    assert len(same_start.unique(dim=0)) == 50  # every sample has noise of its own


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(6)), st.integers(1, 6))
def test_a_cooled_sample_does_not_depend_on_its_neighbours(order: list[int], count: int) -> None:
    x, chosen = start(6), order[:count]
    whole = cool(score, x, **SETTING, seed=4).x
    part = cool(score, x[chosen], **SETTING, seed=4, ids=chosen).x
    torch.testing.assert_close(part, whole[chosen], rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_only_the_mask_is_cooled_and_as_if_alone(picked: list[bool]) -> None:
    x, mask = start(6), torch.tensor(picked)
    whole = cool(score, x, **SETTING, seed=4, thin=3)
    part = cool(score, x, **SETTING, seed=4, thin=3, mask=mask)
    assert whole.trajectory is not None
    assert part.trajectory is not None
    assert torch.equal(part.x[~mask], x[~mask])
    torch.testing.assert_close(part.x[mask], whole.x[mask], rtol=1e-6, atol=1e-6)
    assert part.trajectory.shape == whole.trajectory.shape == (4, 6, 2)
    assert (part.trajectory[:, ~mask] == x[~mask]).all()
    torch.testing.assert_close(part.trajectory[-1], part.x)


def test_a_shorter_run_is_the_start_of_a_longer_one() -> None:
    long = cool(score, start(), step_size=0.1, temperature=0.3, steps=300, thin=20)
    short = cool(score, start(), step_size=0.1, temperature=0.3, steps=120)
    assert long.trajectory is not None
    torch.testing.assert_close(long.trajectory[5], short.x, rtol=1e-6, atol=1e-6)


def test_the_input_is_left_alone() -> None:
    x = start()
    before = x.clone()
    cool(score, x, **SETTING)
    cool(score, x, **SETTING, mask=torch.zeros(9, dtype=torch.bool)).x.zero_()
    assert torch.equal(x, before)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"temperature": 1.0}, "temperature 1.0: give 0 <= temperature < 1"),
        ({"temperature": 2.0}, "temperature < 1"),
        ({"temperature": -0.1}, "temperature < 1"),
        ({"temperature": float("nan")}, "temperature < 1"),
        ({"x": torch.empty(0, 2)}, "empty batch"),
        ({"x": torch.tensor([[0.0, torch.nan]])}, "NaN or infinite"),
        ({"step_size": 0.0}, "step"),
        ({"step_size": -1.0}, "step"),
        ({"steps": 0}, "steps"),
        ({"mask": torch.ones(3, dtype=torch.bool)}, "give a boolean"),
        ({"mask": torch.ones(9)}, "give a boolean"),
        ({"ids": [1, 2]}, "2 ids for 9 samples"),
        ({"seed": -1}, "give integers from 0"),
        ({"batch": 0}, "batch is 0"),
        ({"score": lambda x: x[:, :1]}, "score"),
    ],
)
def test_bad_requests_get_one_sentence(changed: dict[str, Any], message: str) -> None:
    request = {"score": score, "x": start(), **SETTING, **changed}
    with pytest.raises(ValueError, match=message) as caught:
        cool(**request)
    assert "\n" not in str(caught.value)


def test_a_diverging_chain_is_reported_by_its_place_in_the_batch() -> None:
    def explosive(x: Tensor) -> Tensor:
        return torch.where(x > 5, torch.inf, -x)

    x = torch.ones(7, 2)
    x[5] = 6
    mask = torch.arange(7) > 1
    for batch in (None, 2):
        with pytest.raises(DivergenceError, match="chain 5 ") as caught:
            cool(explosive, x, **SETTING, mask=mask, batch=batch)
        assert caught.value.chains == [5]


@pytest.mark.parametrize("batch", [2, 3, 4, 100])
def test_parts_of_two_or_more_have_the_bits_of_the_whole(batch: int) -> None:
    with seeded(0):
        network = denoising.UNetDenoiser(3, 8).requires_grad_(False).eval()
    x = torch.rand(9, 3, 16, 16, generator=gen()) * 2 - 1
    mask, seen = torch.arange(9) != 4, []

    def denoised(y: Tensor) -> Tensor:
        seen.append(len(y))
        return (network(y) - y) / 0.09

    setting = {**SETTING, "step_size": 0.005, "thin": 4, "mask": mask}
    whole = cool(denoised, x, **setting)
    seen.clear()
    parts = cool(denoised, x, **setting, batch=batch)
    assert torch.equal(parts.x, whole.x)
    assert torch.equal(parts.trajectory, whole.trajectory)
    assert max(seen) <= batch


# Cool, then translate


def test_it_translates_the_cooled_samples() -> None:
    x, mask = start(), torch.arange(9) < 4

    def translator(y: Tensor) -> Tensor:
        return torch.cat([y, 2 * y], dim=1)

    both = cool_then_translate(translator, score, x, **SETTING, seed=3, mask=mask)
    cooled = cool(score, x, **SETTING, seed=3, mask=mask).x
    assert torch.equal(both.cooled, cooled)
    assert torch.equal(both.translated, translator(cooled))


@pytest.mark.parametrize("broken", [lambda y: y[1:], lambda y: y.sum(), lambda y: y.repeat(2, 1)])
def test_a_translator_that_changes_the_batch_is_refused(broken: Any) -> None:
    with pytest.raises(ValueError, match="has to return one"):
        cool_then_translate(broken, score, start(), **SETTING)


# Protocols


def test_the_table_by_share_compares_the_fringe_samples() -> None:
    norms = torch.rand(50, generator=gen(1))
    before = torch.rand(50, generator=gen(2))
    after = before + 0.1 * norms + 0.01 * torch.rand(50, generator=gen(3))
    rows = compare_by_share(norms, before, after)
    assert [r.share for r in rows] == [0.2, 0.4, 0.6, 0.8, 1.0]
    for row in rows:
        fringe = norms >= row.threshold
        assert fringe.sum() == round(50 * row.share)
        assert row.result == compare(before[fringe].numpy(), after[fringe].numpy())
    gains = [r.result.gain for r in rows]
    assert gains == sorted(gains, reverse=True)


def test_the_search_tries_the_whole_grid_and_sorts_it() -> None:
    x = start()

    def closeness(y: Tensor) -> float:
        return -abs(y.norm().item() - 2.0)

    grid: dict[str, Any] = {"step_sizes": (0.01, 0.1), "temperatures": (0.0, 0.5), "steps": (4, 6)}
    trials = search(score, x, closeness, **grid, seed=2)
    assert {t[:3] for t in trials} == {
        (a, t, n) for a in (0.01, 0.1) for t in (0.0, 0.5) for n in (4, 6)
    }
    assert [t.value for t in trials] == sorted((t.value for t in trials), reverse=True)
    for a, t, n, value in trials:
        direct = cool(score, x, step_size=a, temperature=t, steps=n, seed=2).x
        assert value == pytest.approx(closeness(direct), abs=1e-5)
    with pytest.raises(ValueError, match="grid is empty"):
        search(score, x, closeness, step_sizes=(), temperatures=(0.1,), steps=(5,))


def test_the_grid_and_the_setting_are_the_papers() -> None:
    assert np.prod([len(v) for v in cooling.PAPER_GRID.values()]) == 60
    for name, value in cooling.PAPER.chain().items():
        assert value in cooling.PAPER_GRID[{"steps": "steps"}.get(name, f"{name}s")]
    delta2 = 2 * cooling.PAPER.step_size * cooling.PAPER.temperature
    assert delta2 == pytest.approx(1e-5)  # lcool.hyper.image
