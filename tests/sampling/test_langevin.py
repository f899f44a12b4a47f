"""The samplers against closed forms, at steps so large that a wrong kernel cannot hide."""

from __future__ import annotations

import gc
import math
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from domain_translation.notebook.machine import INSTRUCTION_SETS
from domain_translation.sampling import langevin, runners
from domain_translation.sampling.densities import Banana, Gaussian, GaussianMixture
from domain_translation.sampling.kernels import Kernel
from domain_translation.sampling.noise import Noise, shared_blocks

CHAINS = 40_000
# Five standard errors of a variance estimated from that many independent draws.
TOLERANCE = 5 * math.sqrt(2 / CHAINS)


def run(kernel: Kernel, steps: int, dim: int = 1, chains: int = CHAINS) -> torch.Tensor:
    return langevin.sample(kernel, torch.zeros(chains, dim), steps, seed=1).x


@pytest.mark.parametrize("step_size", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("temperature", [1.0, 0.2])
@pytest.mark.parametrize("std", [1.0, 1.7])
def test_ula_has_its_biased_variance(step_size: float, temperature: float, std: float) -> None:
    x = run(langevin.ula(Gaussian(0.0, std).score, step_size, temperature), 60)
    biased = std**2 * temperature / (1 - step_size / (2 * std**2))
    assert x.var().item() == pytest.approx(biased, rel=TOLERANCE)
    assert abs(x.mean().item()) < 5 * math.sqrt(biased / CHAINS)


@pytest.mark.parametrize("step_size", [0.5, 1.0, 1.5])
@pytest.mark.parametrize("temperature", [1.0, 0.2])
def test_mala_has_the_exact_variance(step_size: float, temperature: float) -> None:
    target = Gaussian(0.0, 1.0)
    kernel = langevin.mala(target.energy_and_score, step_size, temperature)
    assert run(kernel, 60).var().item() == pytest.approx(temperature, rel=TOLERANCE)


@pytest.mark.parametrize("proposal_temperature", [0.3, 2.0])
def test_mala_restores_its_target_whatever_the_proposal_noise(proposal_temperature: float) -> None:
    kernel = langevin.mala(
        Gaussian(0.0, 1.0).energy_and_score, 0.5, 0.7, proposal_temperature=proposal_temperature
    )
    assert run(kernel, 150).var().item() == pytest.approx(0.7, rel=TOLERANCE)


@pytest.mark.parametrize("adjusted", [False, True])
def test_preconditioning_makes_all_directions_alike(adjusted: bool) -> None:
    std = torch.tensor([0.1, 1.0, 10.0])
    target = Gaussian(torch.zeros(3), std)
    make = langevin.mala if adjusted else langevin.ula
    kernel = make(target.energy_and_score if adjusted else target.score, 0.5, scale=std)
    x = run(kernel, 60, dim=3)
    expected = std**2 * (1.0 if adjusted else 1 / (1 - 0.25))
    assert (x.var(0) / expected).numpy() == pytest.approx(1.0, rel=TOLERANCE)


def test_temperature_zero_is_gradient_ascent() -> None:
    kernel = langevin.ula(Gaussian(2.0, 1.0).score, 0.5, temperature=0.0)
    x = langevin.sample(kernel, torch.zeros(3, 1), 4).x
    torch.testing.assert_close(x, torch.full((3, 1), 2 - 2 * 0.5**4))


@pytest.mark.parametrize(
    ("target", "step_size"),
    [(Banana(0.5, 1.0), 0.4), (GaussianMixture([[-1.0, 0.0], [1.5, 1.0]], [0.5, 1.0]), 0.5)],
)
def test_mala_leaves_the_exact_distribution_as_it_is(target: Banana, step_size: float) -> None:
    generator = torch.Generator().manual_seed(0)
    kernel = langevin.mala(target.energy_and_score, step_size)
    chain = langevin.sample(kernel, target.sample(20_000, generator), 40)
    assert 0.3 < chain.acceptance.mean() < 0.95
    exact = target.sample(20_000, generator)
    for j in range(2):
        assert stats.ks_2samp(chain.x[:, j], exact[:, j]).pvalue > 1e-4


def log_normal(x: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    return torch.distributions.Normal(mean, std).log_prob(x).sum(1)


@settings(max_examples=25, deadline=None)
@given(
    step_size=st.floats(0.05, 2.0),
    temperature=st.floats(0.1, 3.0),
    proposal_temperature=st.floats(0.1, 3.0),
    seed=st.integers(0, 1000),
)
def test_metropolis_ratio_on_a_pair_of_points(
    step_size: float, temperature: float, proposal_temperature: float, seed: int
) -> None:
    """log r = log p(y) q(x|y) - log p(x) q(y|x), worked out from the densities of both moves."""
    generator = torch.Generator().manual_seed(seed)
    target = Banana(0.4, 1.3)
    scale = torch.tensor([0.7, 1.4]).double()
    kernel = langevin.mala(
        target.energy_and_score,
        step_size,
        temperature,
        proposal_temperature=proposal_temperature,
        scale=scale,
    )
    x, y = torch.randn(2, 5, 2, generator=generator, dtype=torch.float64)
    std = math.sqrt(2 * step_size * proposal_temperature) * scale

    def mean(z: torch.Tensor) -> torch.Tensor:
        return z + step_size * scale**2 * target.score(z)

    by_hand = (target.log_prob(y) - target.log_prob(x)) / temperature
    by_hand = by_hand + log_normal(x, mean(y), std) - log_normal(y, mean(x), std)
    nu = (y - mean(x)) / std
    for offset, accepted in ((-1e-6, True), (1e-6, False)):
        state, info = kernel(kernel.start(x), Noise(nu, by_hand + offset))
        torch.testing.assert_close(info.log_ratio, by_hand, rtol=1e-9, atol=1e-9)
        assert (info.accepted == accepted).all()
        torch.testing.assert_close(state.x, y if accepted else x)
        torch.testing.assert_close(state.energy, target.energy(state.x))
        torch.testing.assert_close(state.score, target.score(state.x))


def test_one_evaluation_of_the_target_per_step() -> None:
    target, calls = Gaussian(0.0, 1.0), 0

    def counted(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        nonlocal calls
        calls += 1
        return target.energy_and_score(x)

    langevin.sample(langevin.mala(counted, 0.5), torch.zeros(2, 1), 37)
    assert calls == 38


def test_cached_energy_and_score_belong_to_the_state() -> None:
    target = Banana()
    kernel = langevin.mala(target.energy_and_score, 1.0)
    state = kernel.start(torch.zeros(200, 2).double())
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        normal = torch.randn(200, 2, generator=generator, dtype=torch.float64)
        log_uniform = torch.rand(200, generator=generator, dtype=torch.float64).log()
        state, info = kernel(state, Noise(normal, log_uniform))
        assert 0 < info.accepted.double().mean() < 1
        torch.testing.assert_close(state.energy, target.energy(state.x))
        torch.testing.assert_close(state.score, target.score(state.x))
        torch.testing.assert_close(info.energy, state.energy)


def test_a_schedule_is_followed_step_by_step() -> None:
    steps = torch.linspace(0.1, 0.5, 23)
    noise_free = langevin.ula(Gaussian(0.0, 1.0).score, steps, temperature=0.0)
    x = langevin.sample(noise_free, torch.ones(2, 1), 23).x
    torch.testing.assert_close(x, (1 - steps).prod().expand(2, 1))
    cooled = langevin.ula(Gaussian(0.0, 1.0).score, 1.0, lambda t: 1.0 if t < 12 else 0.0)
    trajectory = langevin.sample(cooled, torch.ones(4, 1), 20, thin=1).trajectory
    assert (trajectory[11] != 0).all()
    assert (trajectory[12:] == 0).all()


def test_an_annealed_score_is_asked_at_the_level_of_its_step() -> None:
    levels, seen = torch.linspace(2.0, 0.5, 230), []  # more than a block

    def score(x: torch.Tensor, sigma: float) -> torch.Tensor:
        seen.append(sigma)
        return -x / sigma**2

    kernel = langevin.ula(score, 0.01, temperature=0.0, sigma=levels)
    x = langevin.sample(kernel, torch.ones(2, 1), 230, chain_seeds=[0, 1]).x
    torch.testing.assert_close(x, (1 - 0.01 / levels**2).prod().expand(2, 1))
    assert seen == [2.0, *levels.tolist()]  # first a look at its shape
    with pytest.raises(ValueError, match="sigma was 0"):
        langevin.ula(score, 0.1, sigma=0.0)


@pytest.mark.parametrize("shape", [(50, 2), (3, 4, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_floats_and_tensors_as_coefficients_lead_to_the_same_bits(
    shape: tuple[int, ...], dtype: torch.dtype
) -> None:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    noise = next(shared_blocks(x, torch.Generator().manual_seed(1), metropolis=True))
    steps = torch.linspace(0.01, 0.2, len(noise.normal))

    def both(y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return y.square().flatten(1).sum(1) / 3, -2 * y / 3

    for kernel in (langevin.ula(torch.neg, steps, 0.7), langevin.mala(both, steps, 0.7)):
        ends = []
        for tensors in (False, True):
            at = kernel.coefficients(0, len(steps), x, tensors=tensors)
            ends.append(
                runners.advance(kernel.move, kernel.target, kernel.start(x), noise, at, []).state.x
            )
        assert torch.equal(*ends)


def test_trajectory_info_and_acceptance_agree() -> None:
    kernel = langevin.mala(Banana().energy_and_score, 1.0)
    start = torch.zeros(6, 2)
    full = langevin.sample(kernel, start, 230, thin=1)
    thinned = langevin.sample(kernel, start, 230, thin=7)
    assert full.trajectory.shape == (230, 6, 2)
    assert full.info.accepted.shape == (230, 6)
    assert torch.equal(thinned.trajectory, full.trajectory[6::7])
    assert torch.equal(thinned.info.energy, full.info.energy[6::7])
    assert torch.equal(full.trajectory[-1], full.x)
    torch.testing.assert_close(full.acceptance, full.info.accepted.float().mean(0))
    moved = (full.trajectory.diff(dim=0) != 0).any(-1)
    assert torch.equal(moved, full.info.accepted[1:])
    assert langevin.sample(kernel, start, 230).trajectory is None
    assert torch.equal(start, torch.zeros(6, 2))


def live_bytes() -> int:
    tensors = [o for o in gc.get_objects() if type(o) is torch.Tensor]
    return sum(
        {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values()
    )


def test_memory_does_not_grow_with_the_number_of_steps() -> None:
    seen: dict[int, int] = {}
    calls = 0

    def score(x: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls in (300, 3000):
            gc.collect()
            seen[calls] = live_bytes()
        return -x

    langevin.sample(langevin.ula(score, 0.1), torch.zeros(100, 3), 3000)
    assert abs(seen[3000] - seen[300]) <= 3 * 100 * 3 * 4  # three states' worth


def test_compiled_code_that_goes_wrong_is_told_from_a_chain_that_diverges() -> None:
    assert "compile=False" in str(langevin.DivergenceError(27, [], []))


@pytest.mark.slow
@pytest.mark.skipif(
    any(name in os.environ for name in INSTRUCTION_SETS),
    reason="PyTorch's compiler asks the processor, not the variables: its code mixes both and dies",
)
@pytest.mark.parametrize("adjusted", [False, True])
def test_the_compiled_chain_is_the_plain_one(
    adjusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "STRETCH", 5)  # compiles faster than the usual length
    target = GaussianMixture([[-1.0, 0.5], [2.0, 0.0]], [0.5, 0.8], [0.3, 0.7])
    if adjusted:
        kernel = langevin.mala(target.energy_and_score, lambda t: 0.1 + 0.01 * t)
    else:
        kernel = langevin.ula(target.score, 0.05, scale=torch.tensor([1.0, 2.0]))
    start = target.sample(50, torch.Generator().manual_seed(0))
    plain = langevin.sample(kernel, start, 27, thin=4)
    fused = langevin.sample(kernel, start, 27, thin=4, compile=True)
    torch.testing.assert_close(fused.trajectory, plain.trajectory, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(fused.x, plain.x, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(fused.acceptance, plain.acceptance)


@pytest.mark.gpu
@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("compile", [False, True])
def test_the_cuda_graph_gives_the_eager_result(adjusted: bool, compile: bool) -> None:
    target = GaussianMixture.ring(4, 2.0, 0.7)
    step_size = torch.linspace(0.05, 0.2, 245)
    if adjusted:
        kernel = langevin.mala(target.energy_and_score, step_size)
    else:
        kernel = langevin.ula(target.score, step_size)
    start = target.sample(64, torch.Generator().manual_seed(0))
    seeds = range(64)  # drawn on the CPU, so both devices see the same noise
    eager = langevin.sample(kernel, start, 245, chain_seeds=seeds, thin=3)
    graph = langevin.sample(kernel, start.cuda(), 245, chain_seeds=seeds, thin=3, compile=compile)
    torch.testing.assert_close(graph.trajectory.cpu(), eager.trajectory, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(graph.acceptance.cpu(), eager.acceptance)
