"""Mass shift breaks cycle-consistent GANs: couplings, two atoms, pies (jdbw.claim.impossible)."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.reweighting import two_points
from domain_translation.reweighting.masses import (
    class_change,
    maximal_coupling,
    skewed,
    total_variation,
)
from domain_translation.reweighting.pies import Pies
from domain_translation.reweighting.toy import cluster_of, sample

SR, MNIST = skewed(0.5), skewed(0.1)
share = st.floats(0.02, 0.98)
positive = st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4)


def normal(values: list[float]) -> torch.Tensor:
    v = torch.tensor(values, dtype=torch.float64)
    return v / v.sum()


def test_the_published_shift_moves_two_fifths() -> None:
    assert total_variation(SR, MNIST) == pytest.approx(0.4)
    assert class_change(maximal_coupling(SR, MNIST)) == pytest.approx(0.4)


@settings(deadline=None)
@given(positive, positive, st.integers(0, 10_000))
def test_the_maximal_coupling_is_one_and_no_other_keeps_more(
    a: list[float], b: list[float], seed: int
) -> None:
    p, q = normal(a), normal(b)
    best = maximal_coupling(p, q)
    torch.testing.assert_close(best.sum(1), p)
    torch.testing.assert_close(best.sum(0), q)
    assert class_change(best) == pytest.approx(total_variation(p, q), abs=1e-12)
    other = torch.rand(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    for _ in range(2000):  # Sinkhorn: some other coupling of p and q
        other = other * (p / other.sum(1))[:, None]
        other = other * (q / other.sum(0))[None]
    assert class_change(other / other.sum()) >= total_variation(p, q) - 1e-4


def test_equal_masses_need_no_change() -> None:
    torch.testing.assert_close(
        maximal_coupling([0.3, 0.7], [0.3, 0.7]), torch.tensor([[0.3, 0], [0, 0.7]]).double()
    )


@settings(deadline=None)
@given(share, share, st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_losses_are_expectations_over_all_outcomes(p: float, q: float, keep: list[float]) -> None:
    ahead, back = torch.tensor(keep).double().reshape(2, 2)
    forward = torch.tensor([[keep[0], 1 - keep[0]], [1 - keep[1], keep[1]]], dtype=torch.float64)
    backward = torch.tensor([[keep[2], 1 - keep[2]], [1 - keep[3], keep[3]]], dtype=torch.float64)
    mass_x, mass_y = torch.tensor([p, 1 - p]).double(), torch.tensor([q, 1 - q]).double()
    there = (mass_x @ forward - mass_y).abs().sum() / 2
    lost = mass_x @ (1 - (forward @ backward).diag()) + mass_y @ (1 - (backward @ forward).diag())
    assert float(two_points.gan_loss(ahead, p, q)) == pytest.approx(float(there), abs=1e-6)
    assert float(two_points.cycle_loss(ahead, back, p, q)) == pytest.approx(float(lost), abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(share, share, st.floats(0, 5))
def test_no_grid_point_beats_the_minimum(p: float, q: float, weight: float) -> None:
    found = two_points.minimise(p, q, weight)
    axis = torch.linspace(0, 1, 9, dtype=torch.float64)
    at = torch.cartesian_prod(axis, axis, axis, axis)
    least = two_points.loss(at[:, :2], at[:, 2:], p, q, weight).min()
    assert found.gan + weight * found.cycle <= float(least) + 1e-9


def test_transport_has_no_gan_loss_and_keeps_at_most_the_overlap() -> None:
    for p, q in itertools.product((0.1, 0.5, 0.8), (0.2, 0.5, 0.9)):
        for most in (True, False):
            keep = two_points.transport(p, q, most)
            assert bool(((keep >= -1e-12) & (keep <= 1 + 1e-12)).all())
            assert float(two_points.gan_loss(keep, p, q)) == pytest.approx(0, abs=1e-12)
        keep = two_points.transport(p, q, True)
        assert p * keep[0] + (1 - p) * keep[1] == pytest.approx(1 - abs(p - q))


def test_a_shift_past_one_half_exchanges_the_classes() -> None:
    exchanged = two_points.minimise(0.7, 0.3, 10.0)
    assert exchanged.kept == 0
    assert exchanged.gan + exchanged.cycle == pytest.approx(0)
    kept = two_points.minimise(0.7, 0.6, 10.0)
    assert kept.kept == 1
    assert kept.gan == pytest.approx(0.2)


def test_masses_and_weights_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        two_points.minimise(1.0, 0.5, 1.0)
    with pytest.raises(ValueError, match="0 or more"):
        two_points.minimise(0.5, 0.5, -1.0)


def test_pies_lose_nothing_and_change_as_many_classes_as_they_must() -> None:
    p, q = (0.6, 0.3, 0.1), (0.1, 0.3, 0.6)
    pies = Pies(maximal_coupling(p, q))
    data = sample(20_000, p, seed=0)
    there = pies.forward(data.x)
    torch.testing.assert_close(pies.backward(there), data.x.double(), rtol=0, atol=1e-6)
    arrived = cluster_of(there.float(), 3, shifted=True)
    shares = arrived.bincount(minlength=3) / len(arrived)
    assert shares.tolist() == pytest.approx(q, abs=0.015)
    assert float((arrived != data.y).float().mean()) == pytest.approx(0.5, abs=0.015)
    real = sample(20_000, q, seed=1, shifted=True)
    for k in range(3):  # mean and covariance of every cluster
        a, b = there[arrived == k], real.x[real.y == k].double()
        assert a.mean(0).tolist() == pytest.approx(b.mean(0).tolist(), abs=0.015)
        torch.testing.assert_close(a.T.cov(), b.T.cov(), rtol=0, atol=2e-3)


def test_pies_of_a_diagonal_coupling_are_the_shift() -> None:
    data = sample(100, (0.5, 0.5), seed=0)
    there = Pies(torch.eye(2) / 2).forward(data.x)
    torch.testing.assert_close(
        there, data.x.double() + torch.tensor([0.35, 0.25]).double(), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (torch.ones(2, 3) / 6, "square"),
        (torch.tensor([[1.5, -0.5], [0.0, 0.0]]), "at least 0"),
    ],
)
def test_bad_tables_are_refused(table: torch.Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Pies(table)
    with pytest.raises(ValueError, match=words):
        class_change(table)


def test_an_empty_cluster_and_a_wrong_sum_are_refused() -> None:
    with pytest.raises(ValueError, match="no mass"):
        Pies(torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(ValueError, match="sums to 2"):
        class_change(torch.eye(2))
    with pytest.raises(ValueError, match="2 classes in one domain, 3"):
        total_variation([0.5, 0.5], [0.2, 0.3, 0.5])
