"""Which numbers a chain sees, and what it says when it is given bad ones."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.sampling import langevin
from domain_translation.sampling.adaptation import adapt_step_size
from domain_translation.sampling.densities import Banana, Gaussian
from domain_translation.sampling.noise import block_length, chain_blocks, shared_blocks


def kernel_of(adjusted: bool) -> langevin.Kernel:
    target = Banana()
    if adjusted:
        return langevin.mala(target.energy_and_score, 0.5)
    return langevin.ula(target.score, 0.05)


@settings(max_examples=30, deadline=None)
@given(
    seeds=st.lists(st.integers(0, 2**63), min_size=1, max_size=6, unique=True),
    data=st.data(),
    adjusted=st.booleans(),
)
def test_a_seeded_chain_does_not_depend_on_its_batch(
    seeds: list[int], data: st.DataObject, adjusted: bool
) -> None:
    kernel = kernel_of(adjusted)
    start = torch.tensor([[0.1 * (s % 7), 0.2 * (s % 5)] for s in seeds], dtype=torch.float64)
    together = langevin.sample(kernel, start, 30, chain_seeds=seeds, thin=1).trajectory
    order = data.draw(st.permutations(range(len(seeds))))
    some = order[: data.draw(st.integers(1, len(seeds)))]
    apart = langevin.sample(
        kernel, start[some], 30, chain_seeds=[seeds[i] for i in some], thin=1
    ).trajectory
    torch.testing.assert_close(apart, together[:, some], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("event", [(1,), (2,), (3, 16, 16)])
def test_chain_noise_is_the_same_bit_for_bit_in_every_batch(event: tuple[int, ...]) -> None:
    many = next(chain_blocks(torch.zeros(5, *event), [3, 1, 4, 1, 5], metropolis=True))
    one = next(chain_blocks(torch.zeros(1, *event), [4], metropolis=True))
    assert torch.equal(many.normal[:, 2:3], one.normal)
    assert torch.equal(many.log_uniform[:, 2:3], one.log_uniform)
    assert torch.equal(many.normal[:, 1], many.normal[:, 3])
    assert not torch.equal(many.normal[:, 0], many.normal[:, 1])


@settings(max_examples=20, deadline=None)
@given(short=st.integers(1, 230), extra=st.integers(1, 230), seeded=st.booleans())
def test_a_longer_run_begins_like_the_shorter_one(short: int, extra: int, seeded: bool) -> None:
    seeds = [7, 8, 9] if seeded else None
    start = torch.zeros(3, 2)
    runs = [
        langevin.sample(kernel_of(True), start, n, seed=5, chain_seeds=seeds, thin=1).trajectory
        for n in (short, short + extra)
    ]
    assert torch.equal(runs[0], runs[1][:short])


def test_seeds_generators_and_global_state() -> None:
    kernel, start = kernel_of(False), torch.zeros(4, 2)

    def final(**how: object) -> torch.Tensor:
        return langevin.sample(kernel, start, 12, **how).x

    torch.manual_seed(1)
    first, state = final(seed=3), torch.get_rng_state()
    torch.manual_seed(2)
    assert torch.equal(first, final(seed=3))
    assert torch.equal(first, final(generator=torch.Generator().manual_seed(3)))
    assert not torch.equal(first, final(seed=4))
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("per_chain", [False, True])
def test_the_noise_is_standard_normal_and_log_uniform(per_chain: bool) -> None:
    x = torch.zeros(200, 6)
    if per_chain:
        blocks = chain_blocks(x, range(200), metropolis=True)
    else:
        blocks = shared_blocks(x, torch.Generator().manual_seed(0), metropolis=True)
    drawn = [next(blocks) for _ in range(2)]
    normal = drawn[0].normal
    error = 5 / math.sqrt(normal.numel())
    assert abs(normal.mean().item()) < error
    assert abs(normal.var().item() - 1) < error * math.sqrt(2)
    lag = (normal[1:] * normal[:-1]).mean().item()
    assert abs(lag) < error
    uniform = drawn[0].log_uniform.exp()
    assert abs(uniform.mean().item() - 0.5) < 5 / math.sqrt(12 * uniform.numel())
    assert (uniform >= 0).all()
    assert (uniform <= 1).all()


def test_block_length() -> None:
    assert [block_length(n, 1000) for n in (1, 7, 45, 200, 5000)] == [200, 140, 20, 5, 1]


def test_shapes_of_events() -> None:
    for shape in ((5,), (5, 1), (5, 9), (5, 3, 4), (5, 2, 3, 4)):
        chain = langevin.sample(langevin.ula(torch.neg, 0.1), torch.zeros(shape), 11, thin=2)
        assert chain.x.shape == shape
        assert chain.x.is_contiguous()
        assert chain.trajectory.shape == (5, *shape)
        assert chain.acceptance.tolist() == [1.0] * 5


def test_divergence_names_step_chain_and_norm() -> None:
    start = torch.tensor([[0.1, 0.0], [3.0, 4.0], [0.2, 0.0]])

    def score(x: torch.Tensor) -> torch.Tensor:
        return torch.where(x.norm(dim=1, keepdim=True) > 70, torch.inf, 1.0) * x

    kernel = langevin.ula(score, 1.0, temperature=0.0)  # doubles: 5, 10, 20, 40, 80, inf
    with pytest.raises(langevin.DivergenceError, match="step 5: chain 1 ") as caught:
        langevin.sample(kernel, start, 300)
    assert (caught.value.step, caught.value.chains) == (5, [1])
    assert caught.value.norms == pytest.approx([80.0])


def test_divergence_far_into_a_run() -> None:
    calls = 0

    def score(x: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return x * math.nan if x.abs().max() > 1e3 else torch.full_like(x, 1.0)

    with pytest.raises(langevin.DivergenceError) as caught:
        langevin.sample(langevin.ula(score, 1.0, temperature=0.0), torch.zeros(2, 1), 5000)
    assert (caught.value.step, caught.value.chains) == (1002, [0, 1])


def test_a_nan_energy_is_raised_and_an_infinite_one_rejected() -> None:
    def half_line(value: float) -> langevin.Kernel:
        def both(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            energy = 0.5 * (x * x).sum(1)
            return torch.where(x[:, 0] > 0, energy, value), -x

        return langevin.mala(both, 0.5)

    start = torch.ones(50, 1)
    with pytest.raises(langevin.DivergenceError):
        langevin.sample(half_line(math.nan), start, 50)
    chain = langevin.sample(half_line(math.inf), start, 50)
    assert (chain.x > 0).all()
    assert chain.acceptance.mean() < 0.95


GOOD = torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (torch.tensor([[0.0], [math.nan]]), r"start of chain \[1\] is NaN or infinite"),
        (torch.tensor([[math.inf], [0.0]]), r"start of chain \[0\] is NaN or infinite"),
        (torch.zeros(0, 3), "at least one chain"),
        (torch.zeros(2, 0), "at least one chain"),
        (torch.tensor(1.0), "at least one chain"),
        (torch.zeros(2, 3, dtype=torch.long), "floating-point"),
    ],
)
def test_bad_starts(start: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        langevin.sample(langevin.ula(torch.neg, 0.1), start, 3)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda x: x[:, :1], r"score .* shape \(2, 1\)"),
        (lambda x: x[:1], r"score .* shape \(1, 3\)"),
        (lambda x: x.double(), "float64"),
        (lambda x: x.to("meta"), "on meta"),
        (lambda x: 1.0, "score"),
    ],
)
def test_bad_scores(score: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        langevin.sample(langevin.ula(score, 0.1), GOOD, 3)


def test_bad_energies() -> None:
    for energy, message in (
        (lambda x: x, r"energy .* shape \(2, 3\)"),
        (lambda x: x.sum(), r"energy .* shape \(\)"),
        (lambda x: x.sum(1) / 0 * 0, "not finite"),
    ):
        kernel = langevin.mala(lambda x, energy=energy: (energy(x), -x), 0.1)
        with pytest.raises(ValueError, match=message):
            langevin.sample(kernel, GOOD, 3)


@pytest.mark.parametrize("step_size", [0, -0.1, math.nan, math.inf, torch.tensor([0.1, 0.0])])
def test_bad_step_sizes(step_size: float) -> None:
    with pytest.raises(ValueError, match=r"step_size was .* greater than 0"):
        langevin.ula(torch.neg, step_size)
    late = langevin.ula(
        torch.neg, lambda t: float(torch.as_tensor(step_size).min()) if t == 2 else 1.0
    )
    with pytest.raises(ValueError, match=r"step_size was .* greater than 0"):
        langevin.sample(late, GOOD, 3)


def test_bad_temperatures_and_scales() -> None:
    both = Gaussian().energy_and_score
    with pytest.raises(ValueError, match="temperature was -1"):
        langevin.ula(torch.neg, 0.1, -1.0)
    with pytest.raises(ValueError, match="temperature was 0"):
        langevin.mala(both, 0.1, 0.0)
    with pytest.raises(ValueError, match="proposal_temperature was 0"):
        langevin.mala(both, 0.1, proposal_temperature=0.0)
    with pytest.raises(ValueError, match="scale"):
        langevin.ula(torch.neg, 0.1, scale=torch.tensor([1.0, 0.0]))
    with pytest.raises(ValueError, match=r"scale has shape \(2,\)"):
        langevin.sample(langevin.ula(torch.neg, 0.1, scale=torch.ones(2)), GOOD, 3)
    with pytest.raises(ValueError, match="one value per step"):
        langevin.sample(langevin.ula(torch.neg, torch.full((5,), 0.1)), GOOD, 6)


def test_bad_counts_and_seeds() -> None:
    kernel = langevin.ula(torch.neg, 0.1)
    for bad, message in (
        ({"steps": 0}, "steps is 0"),
        ({"steps": 3, "thin": 0}, "thin was 0"),
        ({"steps": 3, "thin": 4}, "thin was 4"),
        ({"steps": 3, "chain_seeds": [1]}, "one integer >= 0 per chain"),
        ({"steps": 3, "chain_seeds": [1, -1]}, "one integer >= 0 per chain"),
        ({"steps": 3, "chain_seeds": [1, 2], "generator": torch.Generator()}, "give one of them"),
    ):
        with pytest.raises(ValueError, match=message):
            langevin.sample(kernel, GOOD, **bad)


@pytest.mark.parametrize("target_accept", [0.4, 0.574, 0.8])
def test_adapted_step_size_accepts_as_wished(target_accept: float) -> None:
    target = Gaussian(torch.zeros(10), torch.linspace(0.5, 2.0, 10))

    def make(step_size: float) -> langevin.Kernel:
        return langevin.mala(target.energy_and_score, step_size)

    start = target.sample(50, torch.Generator().manual_seed(0))
    step_size, x = adapt_step_size(make, start, 400, target_accept=target_accept)
    chain = langevin.sample(make(step_size), x, 200, seed=1)
    assert chain.acceptance.mean().item() == pytest.approx(target_accept, abs=0.03)


def test_bad_adaptations() -> None:
    start = torch.zeros(2, 1)
    with pytest.raises(ValueError, match="use mala"):
        adapt_step_size(lambda a: langevin.ula(torch.neg, a), start)
    for bad, message in (
        ({"target_accept": 1.0}, "target_accept was 1"),
        ({"initial": 0.0}, "initial was 0"),
        ({"steps": 0}, "steps is 0"),
    ):
        with pytest.raises(ValueError, match=message):
            adapt_step_size(lambda a: langevin.mala(Gaussian().energy_and_score, a), start, **bad)


def test_a_chain_that_nobody_checks_goes_on() -> None:
    calls, kernel = [], langevin.ula(lambda x: calls.append(len(x)) or x / x, 0.1)
    start = torch.tensor([[0.0, 1.0], [2.0, 1.0]])
    with pytest.raises(langevin.DivergenceError, match="step 1: chain 0 "):
        langevin.sample(kernel, start, 30)
    calls.clear()
    chain = langevin.sample(kernel, start, 30, check=False)
    assert calls == [2] * 30  # no look at its shape
    assert chain.x.isnan().tolist() == [[True, False], [False, False]]
    assert torch.equal(chain.x[1], langevin.sample(kernel, start[1:].repeat(2, 1), 30).x[1])


@pytest.mark.parametrize("event", [(2,), (3, 16, 16)])
def test_normal_noise_is_the_same_in_blocks_of_any_length(event: tuple[int, ...]) -> None:
    x, seeds = torch.zeros(2, *event), [5, 6]
    short, long = (chain_blocks(x, seeds, metropolis=False, steps=n) for n in (1, 30))
    whole = next(long).normal
    assert len(whole) == 30
    for step in whole:
        assert torch.equal(next(short).normal[0], step)
