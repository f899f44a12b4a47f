"""The list of errata, the functions that show them, and the chapter that shows them all."""

import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from domain_translation.notebook import ledger
from domain_translation.notebook.errata import checks
from domain_translation.notebook.errata.entries import entries, erratum, expect, substitutes
from domain_translation.notebook.rows import SOURCES
from domain_translation.sampling import langevin, schedules

CHAPTER = Path(__file__).parents[2] / "book" / "record" / "errata.md"
KINDS = {"arithmetic", "counted", "derived", "simulated", "compared", "lost"}


def test_every_entry_is_complete_and_names_known_rows():
    for e in entries().values():
        assert e.evidence in KINDS, e.id
        assert all((e.title, e.printed, e.reading, e.why, e.rows)), e.id
        assert set(e.rows) <= set(ledger.inventory()), e.id
        assert e.source in SOURCES
        assert ledger.inventory()[e.rows[0]].seed == e.source, e.id
    for s in substitutes():
        assert set(s.rows) <= set(ledger.inventory())


def test_the_chapter_shows_every_erratum_once_in_order():
    shown = re.findall(r'erratum\("([\w.]+)"\)', CHAPTER.read_text(encoding="utf-8"))
    assert shown == list(entries())


def test_the_chapter_computes_what_can_be_computed():
    """Between an entry with numeric evidence and the next stands a check."""
    parts = re.split(r'erratum\("([\w.]+)"\)', CHAPTER.read_text(encoding="utf-8"))
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        if entries()[name].evidence in {"arithmetic", "counted", "simulated"}:
            assert "expect(" in text, name


def test_unknown_erratum_is_refused():
    with pytest.raises(ValueError, match=r"unknown erratum 'nothing'"):
        erratum("nothing")


def test_expect_prints_what_was_expected_and_stops_on_a_difference(capsys):
    expect("masses", (1.8889, 1.32), (1.889, 1.320), tolerance=1e-3)
    expect("parameters", 4592769, 4592769)
    assert capsys.readouterr().out == "masses: 1.889, 1.32 (± 0.001)\nparameters: 4,592,769\n"
    with pytest.raises(AssertionError, match=r"masses: computed 1.8, expected 1.9"):
        expect("masses", 1.8, 1.9, tolerance=0.05)
    with pytest.raises(ValueError, match="zip"):
        expect("masses", (1, 2), (1,))


@given(std=st.floats(0.1, 10), share=st.floats(0.01, 0.99), noise=st.floats(0.01, 10))
def test_gaussian_variance_solves_its_equation(std, share, noise):
    step = 2 * std**2 * share
    v = checks.gaussian_variance(step, noise, std)
    assert v == pytest.approx((1 - step / std**2) ** 2 * v + noise**2)
    limit = std**2 * noise**2 / (2 * step)
    assert v / limit - 1 == pytest.approx(step / (2 * std**2 - step))


def test_gaussian_variance_is_what_the_chain_does():
    kernel = langevin.ula(lambda x: -x, 0.5, schedules.temperature_from_noise(0.5, 0.5))
    x = langevin.sample(kernel, torch.zeros(100_000, 1), 200).x
    assert checks.gaussian_variance(0.5, 0.5, 1.0) == pytest.approx(float(x.var()), rel=0.02)


@pytest.mark.parametrize("step", [0.0, 2.0, -0.1])
def test_a_step_without_stationary_law_is_refused(step):
    with pytest.raises(ValueError, match="no stationary law"):
        checks.gaussian_variance(step, 0.1, 1.0)


@given(st.integers(1, 130), st.lists(st.integers(0, 130), min_size=1, max_size=5))
def test_subset_sizes_find_the_size_that_made_the_shares(n, ks):
    shares = [round(100 * min(k, n) / n, 2) for k in ks]
    assert n in checks.subset_sizes(shares)


def test_printed_columns_come_from_120_and_66_images():
    assert checks.subset_sizes([89.16, 86.67, 87.50, 90.83]) == [120]
    assert checks.subset_sizes([92.42, 92.42, 93.93, 93.93]) == [66]


@given(st.floats(-5, -0.01), st.floats(0.2, 3))
def test_celu_slope_is_the_exponential(x, shape):
    right, printed = checks.celu_slopes(x, shape)
    assert right == pytest.approx(float(torch.tensor(x / shape, dtype=torch.float64).exp()))
    assert printed == pytest.approx(float(F.celu(torch.tensor(x, dtype=torch.float64), shape)))


def test_swish_slopes_agree_at_one_only():
    right, printed = checks.swish_slopes(0.7, 1.0)
    assert right == pytest.approx(printed)
    right, printed = checks.swish_slopes(0.7, 2.0)
    assert abs(right - printed) > 0.1


def test_noise_schedule_and_fading():
    assert [checks.noise_variance(t, 50) for t in (1, 49, 50)] == pytest.approx([0.0196, 0.01, 0])
    assert checks.fade_printed(50_000, 64) > 1
    assert [checks.fade_read(m, 100) for m in (0, 25, 50, 100)] == [0, 0.5, 1, 1]


@given(st.floats(-3, 3), st.floats(-2, 2), st.floats(0.1, 3))
def test_the_gap_of_the_bound_is_the_reverse_divergence(x, mean, variance):
    gap, reverse, _ = checks.vae_gap(x, mean, variance)
    assert gap == pytest.approx(reverse, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_rbm_gradient_needs_the_conditional(seed):
    read, printed = checks.rbm_gradient_errors(seed=seed)
    assert read < 1e-12
    assert printed > 1e-2


def test_walkback_with_means_and_with_draws():
    assert checks.walkback_variance(1, 0.5, draw=False) == pytest.approx(1 / 2.25, rel=0.02)
    assert checks.walkback_variance(2, 1.0, draw=True) == pytest.approx(4, rel=0.02)


@given(st.lists(st.floats(0.05, 1), min_size=2, max_size=6))
def test_the_inverse_ratio_always_gives_the_midpoint(masses):
    import numpy as np

    p = np.array(masses) / sum(masses)
    q = p[::-1].copy()
    assert checks.midpoint_masses(p, q)[2:] == pytest.approx((1, 1))
    assert min(checks.midpoint_masses(p, q)[:2]) >= 1 - 1e-12


def test_numbers_of_the_mass_shift():
    assert checks.midpoint_masses()[:2] == pytest.approx((1.889, 1.320), abs=5e-4)
    assert checks.midpoint_targets() == pytest.approx((0.3, 7 / 90))
    assert checks.softmax_share(128) == pytest.approx(1 / 129)
    assert checks.softmax_share(128) < 0.01
    assert checks.conditional_freedoms([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) == 2
    assert checks.conditional_freedoms([[1, 0, 0], [0, 0, 0], [0, 0, 1]]) == 1
