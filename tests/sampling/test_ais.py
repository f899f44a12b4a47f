"""Annealed importance sampling against densities whose normaliser is known."""

import math

import pytest
import torch

from domain_translation.sampling import ais, densities, langevin
from domain_translation.sampling.densities.low_rank import LowRankMixture

OFFSET = 12.345  # log Z of exp(-(E - OFFSET)) for a normalised E


def shifted(density):
    return lambda x: density.energy(x) - OFFSET


def even(steps):
    return torch.linspace(0, 1, steps + 1, dtype=torch.float64)


def draws(density, n, seed):
    return density.sample(n, torch.Generator().manual_seed(seed))


def both_ways(density, base, betas, chains, seed, steps=None):
    energy = shifted(density)
    if steps is None:
        steps = ais.adapt(energy, base, betas, knots=6, warmup=30, seed=0)
    below = ais.forward(energy, base, betas, steps, chains=chains, seed=seed)
    above = ais.reverse(energy, base, betas, steps, draws(density, chains, seed), seed=seed)
    return ais.bound(below), ais.bound(above)


@pytest.fixture(scope="module")
def mixture():
    """Eight modes in 16 dimensions, at least 9 standard deviations apart."""
    g = torch.Generator().manual_seed(7)
    corners = 1.5 * (2 * torch.randint(2, (8, 16), generator=g) - 1).double()
    return densities.GaussianMixture(corners, 0.7)


def test_bounds_bracket_a_mixture_in_five_of_five_seeds(mixture):
    base, betas = ais.Normal((16,), std=math.hypot(0.7, 1.5)), ais.sigmoid(500)
    steps = ais.adapt(shifted(mixture), base, betas, knots=8, warmup=40, seed=0)
    for seed in range(5):
        below, above = both_ways(mixture, base, betas, 96, seed, steps)
        assert abs(below.value - OFFSET) < 0.5
        assert abs(above.value - OFFSET) < 0.5
        assert below.average - 2 * below.error < OFFSET < above.average + 2 * above.error
        assert below.average < below.value
        assert above.value < above.average
        assert above.average - below.average < 1.2  # and the bracket is not a trivial one


@pytest.mark.parametrize(
    ("density", "base"),
    [
        (densities.Gaussian(torch.tensor([1.0, -0.5]), torch.tensor([0.3, 1.2])), ais.Normal((2,))),
        (densities.Banana(bend=0.6), ais.Normal((2,), std=2.0)),
        (densities.Strip.source().smoothed(0.1), ais.Normal((2,), std=0.7, mean=0.5)),
    ],
    ids=["Gaussian", "banana", "strip"],
)
def test_bounds_bracket_known_densities(density, base):
    below, above = both_ways(density, base, ais.sigmoid(120), 128, seed=1)
    for found in (below, above):
        assert abs(found.value - OFFSET) < 0.25
    assert below.average - 3 * below.error < OFFSET < above.average + 3 * above.error


def test_a_bridge_that_is_not_its_own_mirror_image_brackets_too():
    """`geometric` takes other increments forwards than backwards; the densities are far apart."""
    density = densities.Gaussian(torch.tensor([0.3, -0.2, 0.1]), torch.tensor([0.05, 0.08, 0.1]))
    below, above = both_ways(density, ais.Normal((3,)), ais.geometric(150), 128, seed=2)
    for found in (below, above):
        assert abs(found.value - OFFSET) < 0.3
    assert below.average - 3 * below.error < OFFSET < above.average + 3 * above.error


def test_bounds_bracket_a_density_of_pictures():
    g = torch.Generator().manual_seed(0)
    density = LowRankMixture(
        0.3 * torch.randn(2, 1, 3, 3, generator=g),
        0.5 * torch.randn(2, 2, 1, 3, 3, generator=g),
        0.3,
    )
    below, above = both_ways(density, ais.Normal((1, 3, 3), 0.8), ais.sigmoid(250), 96, seed=0)
    assert abs(below.value - OFFSET) < 0.4
    assert abs(above.value - OFFSET) < 0.4


def test_box_of_an_exponential_density_and_all_its_temperatures():
    """exp(-a sum x) on the box: log Z(b) = d log(2 sinh(a b) / (a b)), at every b on the way."""
    slope, dim = 3.0, 4
    base, betas = ais.Uniform((dim,)), even(150)

    def energy(x):
        return slope * x.sum(1)

    steps = ais.adapt(energy, base, betas, knots=6, warmup=30, seed=0)
    run = ais.forward(energy, base, betas, steps, chains=256, seed=0)
    found = ais_at_temperatures(run.path, betas, base.log_volume)
    truth = dim * (2 * (slope * betas[1:]).sinh() / (slope * betas[1:])).log()
    assert (found - truth).abs().max() < 0.15
    # Samples from the end, back again: the truncated exponential by its inverse distribution.
    u = torch.rand(256, dim, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    exact = -(u * math.exp(-slope) + (1 - u) * math.exp(slope)).log() / slope
    above = ais.bound(ais.reverse(energy, base, betas, steps, exact.float(), seed=0))
    assert abs(above.value - truth[-1]) < 0.15
    assert above.average > truth[-1] - 3 * above.error


def ais_at_temperatures(path, betas, log_volume):
    """Log-mean-exp over the chains of the tempered log-weights, (K,)."""
    rows = ais.tempered(path, betas, log_volume)
    return rows.logsumexp(1) - math.log(rows.shape[1])


def test_one_step_is_plain_importance_sampling():
    """Without transitions the log-weights are -log p_0 - E at draws from the base."""
    density, base = densities.Gaussian(0.5, 0.8), ais.Normal((1,))
    run = ais.forward(shifted(density), base, even(1), 1.0, chains=4000, seed=0)
    assert run.acceptance.shape == (0,)
    expected = OFFSET - density.energy(run.x) + base.energy_and_score(run.x)[0]
    assert torch.allclose(run.log_weights, expected.double(), atol=1e-5)
    assert abs(ais.bound(run).value - OFFSET) < 0.1


def test_a_longer_bridge_closes_the_gap():
    density, base = densities.Gaussian(torch.full((8,), 0.5), 0.4), ais.Normal((8,))
    gaps = []
    for count in (10, 40, 160):
        below, above = both_ways(density, base, ais.sigmoid(count), 128, seed=0)
        gaps.append(above.average - below.average)
    assert gaps[0] > 2 * gaps[1] > 4 * gaps[2] > 0


def test_shards_are_parts_of_the_whole():
    density, base, betas = densities.Banana(), ais.Normal((2,), 2.0), ais.sigmoid(20)
    whole = ais.forward(density.energy, base, betas, 0.3, chains=6, seed=3)
    parts = [
        ais.forward(density.energy, base, betas, 0.3, chains=c, seed=3)
        for c in ([0, 1], range(2, 6))
    ]
    together = torch.cat([p.log_weights for p in parts])
    assert torch.allclose(whole.log_weights, together, atol=1e-4)
    other = ais.forward(density.energy, base, betas, 0.3, chains=6, seed=4)
    assert (whole.log_weights - other.log_weights).abs().min() > 1e-4


def test_blocks_chains_and_directions_have_noise_of_their_own(monkeypatch):
    """Four blocks of a bridge that is longer than one."""
    used, sample = [], langevin.sample

    def watched(*arguments, chain_seeds, **more):
        used.extend(chain_seeds)
        return sample(*arguments, chain_seeds=chain_seeds, **more)

    monkeypatch.setattr(langevin, "sample", watched)
    monkeypatch.setattr(ais, "_LONGEST", 5)
    density, base, betas = densities.Banana(), ais.Normal((2,), 2.0), ais.sigmoid(21)
    ais.forward(density.energy, base, betas, 0.3, chains=3, seed=3)
    ais.reverse(density.energy, base, betas, 0.3, draws(density, 3, 0), seed=3)
    assert len(set(used)) == len(used) == 2 * 4 * 3


def test_samples_that_miss_a_mode_give_no_upper_bound():
    """A narrow heavy mode that no chain finds: both estimates settle at log Z + log(pi / P)."""
    density = densities.GaussianMixture([[-3.0] * 4, [3.0] * 4], [0.2, 1.0], [0.9, 0.1])
    base, betas = ais.Normal((4,), std=3.5), ais.sigmoid(300)
    energy = shifted(density)
    steps = ais.adapt(energy, base, betas, knots=6, warmup=30, seed=0)
    below = ais.forward(energy, base, betas, steps, chains=64, seed=0)
    wide = below.x[below.x.mean(1) > 0]
    share = len(wide) / 64
    assert share > 0.9
    above = ais.bound(ais.reverse(energy, base, betas, steps, wide, seed=0))
    assert above.high < OFFSET - 1  # the "upper bound" lies far below the truth
    assert abs(above.value - (OFFSET + math.log(0.1 / share))) < 0.35
    exact = ais.bound(ais.reverse(energy, base, betas, steps, draws(density, 64, 0), seed=0))
    assert exact.average > OFFSET - 3 * exact.error


def test_adapted_steps_are_accepted_as_often_as_asked(mixture):
    base, betas = ais.Normal((16,), std=1.7), ais.sigmoid(60)
    energy = shifted(mixture)
    for wish in (0.5, 0.8):
        steps = ais.adapt(energy, base, betas, target_accept=wish, knots=6, warmup=60, seed=1)
        assert bool((steps <= base.widest).all())
        run = ais.forward(energy, base, betas, steps, chains=64, seed=0)
        assert abs(float(run.acceptance.mean()) - wish) < 0.1


def test_effective_number_of_chains():
    even = ais.log_normaliser_bound(torch.zeros(50))
    assert (even.ess, even.value, even.average, even.error) == (pytest.approx(50), 0, 0, 0)
    one = ais.log_normaliser_bound(torch.tensor([100.0] + [0.0] * 49))
    assert one.ess == pytest.approx(1)
    assert one.value == pytest.approx(100 - math.log(50))
    weights = torch.randn(50, generator=torch.Generator().manual_seed(0))
    up, down = ais.log_normaliser_bound(weights), ais.log_normaliser_bound(-weights, reverse=True)
    assert (up.value, up.low, up.high) == pytest.approx((-down.value, -down.high, -down.low))
    assert up.low < up.value < up.high
    assert down.ess == pytest.approx(up.ess)


def test_bootstrap_intervals_cover():
    """Log-normal weights of known mean: 95 % intervals hold it in most repetitions."""
    g = torch.Generator().manual_seed(0)
    inside = 0
    for k in range(60):
        found = ais.log_normaliser_bound(0.5 * torch.randn(100, generator=g), seed=k)
        inside += found.low <= 0.125 <= found.high
    assert inside >= 50


ENERGY = densities.Gaussian(torch.zeros(2)).energy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"betas": torch.tensor([0.0, 0.5])}, "the first 0 and the last 1"),
        ({"betas": torch.tensor([0.0, 0.7, 0.6, 1.0])}, "increasing"),
        ({"step_sizes": torch.ones(3)}, "one for each density between"),
        ({"step_sizes": -1.0}, "greater than 0"),
        ({"chains": 0}, "give how many"),
        ({"chains": [-1]}, "from 0 up"),
        ({"energy": lambda x: x}, "was not finite"),
        ({"energy": lambda x: x.sum(1) / 0.0}, "was not finite"),
    ],
)
def test_bad_arguments_of_a_forward_run(change, message):
    given_ = {"energy": ENERGY, "base": ais.Normal((2,)), "betas": even(3), "step_sizes": 0.1}
    with pytest.raises(ValueError, match=message):
        ais.forward(**given_ | change)


def test_other_bad_arguments():
    base, betas = ais.Uniform((2,)), even(3)
    with pytest.raises(ValueError, match="pass \\(B, 2\\)"):
        ais.reverse(ENERGY, base, betas, 0.1, torch.zeros(4, 3))
    with pytest.raises(ValueError, match="outside the base's support"):
        ais.reverse(ENERGY, base, betas, 0.1, torch.full((4, 2), 1.5))
    with pytest.raises(ValueError, match="knots was 0"):
        ais.adapt(ENERGY, base, betas, knots=0)
    with pytest.raises(ValueError, match="at least 2 chains"):
        ais.log_normaliser_bound(torch.zeros(1))
    with pytest.raises(ValueError, match="at least 1 step"):
        ais.sigmoid(0)
    with pytest.raises(ValueError, match="sharpness was 0"):
        ais.sigmoid(5, 0.0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        ais.geometric(5, 1.0)
    with pytest.raises(ValueError, match="std > 0"):
        ais.Normal((2,), std=0.0)
    with pytest.raises(ValueError, match="low < high"):
        ais.Uniform((2,), 1.0, 1.0)
    with pytest.raises(ValueError, match="shape of one point"):
        ais.Uniform(())
