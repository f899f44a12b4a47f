"""Likelihood over temperatures on a box, where every normaliser is a formula."""

import math

import pytest
import torch
from torch.nn.utils import parameters_to_vector

from domain_translation import pretrained
from domain_translation.energies import baseline_densities, likelihood
from domain_translation.studies.energies import likelihood as mnist
from domain_translation.studies.study import tensors
from domain_translation.training.checkpoints import digest

DIM, TRUE = 6, 0.5  # energy sum(x), images from temperature 0.5


def slope(x):
    return x.flatten(1).sum(1)


def log_z(temperature):
    return DIM * math.log(2 * temperature * math.sinh(1 / temperature))


def images(n, seed=0):
    """Exact draws of exp(-sum(x) / 0.5) on the box, (n, 1, 2, 3)."""
    u = torch.rand(n, 1, 2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    a = 1 / TRUE
    return (-(u * math.exp(-a) + (1 - u) * math.exp(a)).log() / a).float()


@pytest.fixture(scope="module")
def found():
    return likelihood.profile(
        slope, images(4000), coldest=0.1, hottest=4.0, steps=120, chains=96, seed=0
    )


def test_profile_follows_the_formula(found):
    expected = [-found.image_energy / t - log_z(t) + DIM * math.log(2) for t in found.temperatures]
    assert (found.gain - torch.tensor(expected).double()).abs().max() < 0.4
    assert bool((found.temperatures.diff() < 0).all())
    assert bool((found.ess >= 1).all())
    mean = DIM * (found.temperatures - 1 / (1 / found.temperatures).tanh())
    assert (found.chain_energy - mean)[20:].abs().mean() < 0.5


def test_the_best_temperature_is_that_of_the_images(found):
    assert found.best == pytest.approx(TRUE, rel=0.3)
    entropy_gain = -found.image_energy / TRUE - log_z(TRUE) + DIM * math.log(2)
    assert float(found.gain.max()) == pytest.approx(entropy_gain, abs=0.15)


def test_gain_between_and_beyond_the_temperatures(found):
    between = float(found.temperatures[50])
    assert found.at(between) == pytest.approx(float(found.gain[50]))
    for t in (0.05, 0.01):  # a bound from above, and no empty one
        truth = -found.image_energy / t - log_z(t) + DIM * math.log(2)
        assert truth - 1 < found.at(t) < float(found.gain[-1])
    with pytest.raises(ValueError, match="from 4 down"):
        found.at(5.0)


def test_bracket_holds_the_normaliser():
    both = likelihood.bracket(slope, TRUE, images(48), hottest=4.0, steps=100, settle=60, seed=0)
    truth = log_z(TRUE)
    assert both.below.value == pytest.approx(truth, abs=0.15)
    assert both.below.average < truth + 2 * both.below.error
    for name, above in both.above.items():
        assert above.value == pytest.approx(truth, abs=0.25)
        assert above.average > truth - 2 * above.error
        assert both.x[name].shape == (48, 1, 2, 3)
        assert float(both.x[name].abs().max()) <= 1
        level = both.energies[f"settled from {name}"]
        assert float(level.mean()) == pytest.approx(DIM * (TRUE - 1 / math.tanh(2)), abs=0.6)
    assert 0.3 < both.acceptance < 0.95


def test_bad_temperatures():
    with pytest.raises(ValueError, match="coldest"):
        likelihood.profile(slope, images(4), coldest=2.0, hottest=1.0, steps=5, chains=2)
    with pytest.raises(ValueError, match="temperature was 0"):
        likelihood.divided(slope, 0.0)


def test_energies_of_many_images_come_in_their_order():
    x = images(300)
    assert torch.allclose(likelihood.mean_energy(slope, x), slope(x).double(), atol=1e-5)


def test_rim_and_levels_of_mnist():
    inner = torch.randint(256, (3, 1, 28, 28), generator=torch.Generator().manual_seed(0))
    stored = torch.nn.functional.pad(inner / 127.5 - 1, [2] * 4, value=-1.0)
    assert torch.equal(mnist.inner_levels(stored), inner)
    energy = mnist.rimmed(lambda x: x.flatten(1).sum(1) + (x.shape[-1] == 32) * 240)
    x = baseline_densities.dequantised(inner, 256, torch.Generator().manual_seed(0))
    assert torch.allclose(energy(x), x.flatten(1).sum(1), atol=1e-3)


def test_bounds_and_baselines_become_rows(monkeypatch):
    x = images(40)
    bounds = mnist.energy_bounds(
        slope, x[:20], x[20:], coldest=0.2, hottest=4.0, steps=40, chains=16
    )
    assert bounds["upper"] == pytest.approx(bounds["lower"]["arrivals"], abs=1.5)
    assert set(bounds["lower"]) == {"arrivals", "images"}
    levels = torch.randint(256, (300, 1, 2, 2), generator=torch.Generator().manual_seed(0))
    points = baseline_densities.dequantised(levels, 256, torch.Generator().manual_seed(1))
    rivals = mnist.baselines(levels, points[:100], points[100:])
    assert all(abs(one["mean"]) < 2 for one in rivals.values())  # uniform levels: little to gain
    found = tensors({"baselines": rivals, "energy": bounds})
    monkeypatch.setattr(mnist, "fingerprint", lambda network: "shipped")
    monkeypatch.setattr(mnist.pretrained, "load", lambda name: name)
    rows = {m.name: m for m in mnist.measure(mnist.Bridge(), 0, found)}
    exact = rows["Gaussian, full covariance"]
    assert (exact.value, exact.error) == tuple(
        rivals["Gaussian, full covariance"][k] for k in ("mean", "error")
    )
    assert exact.networks == ()
    assert rows["energy, lower, images"].value == bounds["lower"]["images"]
    assert rows["energy, lower, images"].networks == ["shipped"]
    curves = mnist.STUDY.excerpt(mnist.Bridge(), 0, found)
    assert curves["energy, profile, gain"].tolist() == bounds["profile"]["gain"]


def test_the_stored_run_belongs_to_the_shipped_weights():
    try:
        card, shipped = mnist.stored(), pretrained.load(mnist.NAME)
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    assert card["weights"] == digest(parameters_to_vector(shipped.parameters())), "run it again"
    assert card["dim"] == 784
    assert card["energy"]["lower, average"].keys() == {"arrivals", "images"}


def test_the_stored_run_gives_estimates_without_a_training():
    try:
        run = mnist.stored()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    found = mnist.estimate("independent pixel histograms")
    assert found.value == run["baselines"]["independent pixel histograms"]["mean"]
    assert (found.n, found.seeds) == (run["images"]["scored"], 0)
    assert found.card
    assert run["levels"] == 256  # continuous MNIST as it is read here (cfebm.data.mnist)
