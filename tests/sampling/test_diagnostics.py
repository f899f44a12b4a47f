"""Diagnostics on autoregressive chains, whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from domain_translation.sampling import diagnostics


def autoregressive(phi: float, steps: int, chains: int, seed: int = 0) -> torch.Tensor:
    """x_t = phi x_(t-1) + e_t with e ~ N(0, 1), started in its stationary law: ``(T, B)``."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(steps, chains, generator=generator, dtype=torch.float64)
    noise[0] /= math.sqrt(1 - phi**2)
    return torch.from_numpy(lfilter([1.0], [1.0, -phi], noise.numpy(), axis=0).copy())


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, -0.4])
def test_ess_of_an_autoregressive_chain(phi: float) -> None:
    x = autoregressive(phi, 20_000, 6)
    known = x.numel() * (1 - phi) / (1 + phi)
    assert diagnostics.ess(x).item() == pytest.approx(known, rel=0.1)


def test_ess_says_how_far_the_mean_is_off() -> None:
    """The variance of the mean over many runs is var / ESS."""
    means = torch.stack([autoregressive(0.8, 500, 4, seed).mean() for seed in range(300)])
    share = diagnostics.ess(autoregressive(0.8, 20_000, 1)).item() / 20_000
    known = 1 / (1 - 0.8**2) / (share * 500 * 4)
    assert means.var().item() == pytest.approx(known, rel=0.3)


def test_autocorrelation_of_an_autoregressive_chain() -> None:
    rho = diagnostics.autocorrelation(autoregressive(0.7, 50_000, 4))
    torch.testing.assert_close(rho[:8], 0.7 ** torch.arange(8).double(), atol=0.02, rtol=0)


def test_autocorrelation_against_the_plain_sum() -> None:
    x = autoregressive(0.3, 40, 2)
    centred = x - x.mean(0)
    plain = torch.stack([(centred[k:] * centred[: 40 - k]).sum() for k in range(40)])
    torch.testing.assert_close(diagnostics.autocorrelation(x), plain / plain[0])


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_split_rhat_of_shifted_chains(shift: float) -> None:
    """Two of four chains moved apart by `shift`: variance between them shift^2 2/7 of eight."""
    x = autoregressive(0.0, 20_000, 4) + torch.tensor([0.0, 0.0, shift, shift])
    between = shift**2 * 2 / 7  # sample variance of 4 zeros and 4 shifts over shift^2
    assert diagnostics.split_rhat(x).item() == pytest.approx(math.sqrt(1 + between), abs=2e-3)


def test_split_rhat_sees_a_drift_within_chains() -> None:
    x = autoregressive(0.0, 4000, 3) + torch.linspace(0, 4, 4000)[:, None]
    # A drift of 4 leaves variance 2^2/12 more in each half and moves the half means 2 apart.
    within, between = 1 + 4 / 12, 6 / 5
    known = math.sqrt(1 + between / within)
    assert diagnostics.split_rhat(x).item() == pytest.approx(known, rel=0.02)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_diagnostics_do_not_depend_on_units(scale: float, offset: float) -> None:
    x = autoregressive(0.6, 300, 3)
    for measure in (diagnostics.ess, diagnostics.split_rhat, diagnostics.autocorrelation):
        torch.testing.assert_close(measure(x * scale + offset), measure(x), rtol=1e-5, atol=1e-5)


def test_coordinates_are_treated_alone() -> None:
    parts = [autoregressive(phi, 400, 3, seed) for seed, phi in enumerate((0.0, 0.5, 0.9, 0.2))]
    x = torch.stack(parts, -1).unflatten(-1, (2, 2))
    for measure in (diagnostics.ess, diagnostics.split_rhat):
        assert measure(x).shape == (2, 2)
        torch.testing.assert_close(measure(x).flatten(), torch.stack([measure(p) for p in parts]))


def test_values_computed_by_arviz() -> None:
    """arviz 0.23 on this chain: ess(method="mean") and rhat(method="split")."""
    x = autoregressive(0.5, 2000, 4, seed=11)
    assert diagnostics.ess(x).item() == pytest.approx(2415.0499, rel=0.01)
    assert diagnostics.split_rhat(x).item() == pytest.approx(1.0008578651526814, rel=1e-9)


def test_a_coordinate_that_never_moves_has_no_ess() -> None:
    assert diagnostics.ess(torch.ones(10, 2)).isnan()


def test_bad_trajectories() -> None:
    for measure in (diagnostics.ess, diagnostics.split_rhat):
        with pytest.raises(ValueError, match="at least 4 steps"):
            measure(torch.zeros(3, 2))
        with pytest.raises(ValueError, match="at least 4 steps"):
            measure(torch.zeros(10))
        with pytest.raises(ValueError, match="NaN or infinite"):
            measure(torch.full((10, 2), torch.nan))
