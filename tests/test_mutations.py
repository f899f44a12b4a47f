"""The tests must be able to fail: every wrong version of the package below turns them red.

A mutant is one line of the source made wrong in a way that still runs and looks plausible.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import domain_translation

PACKAGE = Path(domain_translation.__file__).parent
TESTS = Path(__file__).parent


class Mutant(NamedTuple):
    """`right` in `file` made `wrong`; `tests` are pytest ids, one of which must fail."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


ULA = ("test_langevin.py::test_ula_has_its_biased_variance",)
MALA = ("test_langevin.py::test_mala_has_the_exact_variance",)
PAIR = ("test_langevin.py::test_metropolis_ratio_on_a_pair_of_points",)
CACHE = ("test_langevin.py::test_cached_energy_and_score_belong_to_the_state",)
COLD = ("test_langevin.py::test_mala_restores_its_target_whatever_the_proposal_noise",)
SCALE = ("test_langevin.py::test_preconditioning_makes_all_directions_alike",)
EXACT = ("test_langevin.py::test_mala_leaves_the_exact_distribution_as_it_is",)
NOISE = "test_langevin_noise.py::"
NOT_A_MIRROR = ("test_ais.py::test_a_bridge_that_is_not_its_own_mirror_image_brackets_too",)

KERNELS, GAUSSIAN, CURVED = "kernels.py", "densities/gaussian.py", "densities/curved.py"
WEIGHTING, MASSES = "batch_weight/weighting.py", "batch_weight/masses.py"
GAME = "jd_bw/training.py"
ACCEPT = "accepted = (noise.log_uniform < log_ratio) | energy_y.isnan()"
ALWAYS = "accepted = torch.ones_like(energy_y, dtype=torch.bool)"

MUTANTS = (
    Mutant("accept step dropped", KERNELS, ACCEPT, ALWAYS, MALA),
    Mutant("accept step dropped, bent target", KERNELS, ACCEPT, ALWAYS, EXACT),
    Mutant("accepted when it should be rejected", KERNELS, "< log_ratio", "> log_ratio", MALA),
    Mutant("proposal ratio dropped", KERNELS, " - proposal_ratio", "", MALA),
    Mutant("proposal ratio upside down", KERNELS, " - proposal_ratio", " + proposal_ratio", PAIR),
    Mutant("energies swapped", KERNELS, "(energy - energy_y)", "(energy_y - energy)", MALA),
    Mutant("half step forgotten in the ratio", KERNELS, "0.5, back", "1.0, back", MALA),
    Mutant("drift sign flipped", KERNELS, "drift, spread = alpha,", "drift, spread = -alpha,", ULA),
    Mutant(
        "noise halved",
        KERNELS,
        "(2 * alpha * proposal).sqrt()",
        "(2 * alpha * proposal).sqrt() / 2",
        ULA,
    ),
    Mutant(
        "noise halved in mala",
        KERNELS,
        "(2 * alpha * proposal).sqrt()",
        "(2 * alpha * proposal).sqrt() / 2",
        PAIR,
    ),
    Mutant(
        "factor two of the noise lost", KERNELS, "(2 * alpha * proposal)", "(alpha * proposal)", ULA
    ),
    Mutant("temperature for its inverse", KERNELS, "1 / temperature,", "temperature,", MALA),
    Mutant("target tempered like the proposal", KERNELS, "1 / temperature,", "1 / proposal,", COLD),
    Mutant(
        "score of the old point kept", KERNELS, "choose(accepted, score_y, score)", "score", CACHE
    ),
    Mutant(
        "score of the rejected point kept",
        KERNELS,
        "choose(accepted, score_y, score)",
        "score_y",
        CACHE,
    ),
    Mutant(
        "energy of the old point kept",
        KERNELS,
        "torch.where(accepted, energy_y, energy)",
        "energy",
        CACHE,
    ),
    Mutant(
        "nan rejected silently",
        KERNELS,
        " | energy_y.isnan()",
        "",
        (NOISE + "test_a_nan_energy_is_raised_and_an_infinite_one_rejected",),
    ),
    Mutant(
        "preconditioner not squared",
        KERNELS,
        "_outer(drift, scale**2)",
        "_outer(drift, scale)",
        SCALE,
    ),
    Mutant(
        "schedule stuck at its first value",
        "schedules.py",
        "schedule(first + i)",
        "schedule(first)",
        ("test_langevin.py::test_a_schedule_is_followed_step_by_step",),
    ),
    Mutant(
        "temperature without the two",
        "schedules.py",
        "** 2 / (2 * step_size)",
        "** 2 / step_size",
        ("test_schedules.py",),
    ),
    Mutant(
        "uniform without logarithm",
        "noise.py",
        "uniform_(generator=generator).log_()",
        "uniform_(generator=generator)",
        (NOISE + "test_the_noise_is_standard_normal_and_log_uniform",),
    ),
    Mutant(
        "chain noise from the position in the batch",
        "noise.py",
        "np.random.SFC64(seed)",
        "np.random.SFC64(len(seeds))",
        (NOISE + "test_chain_noise_is_the_same_bit_for_bit_in_every_batch",),
    ),
    Mutant(
        "global generator",
        "noise.py",
        "drawn.normal_(generator=generator)",
        "drawn.normal_()",
        (NOISE + "test_seeds_generators_and_global_state",),
    ),
    Mutant(
        "divergence unnoticed",
        "langevin.py",
        "if not _finite(state):",
        "if False:",
        (NOISE + "test_divergence_names_step_chain_and_norm",),
    ),
    Mutant(
        "trajectory one step late",
        "langevin.py",
        "self.thin - 1 - self.done",
        "self.thin - self.done",
        ("test_langevin.py::test_trajectory_info_and_acceptance_agree",),
    ),
    Mutant(
        "memory growing with the steps",
        "langevin.py",
        "record.add(count, outcome)",
        "record.add(count, outcome); hoard = [*locals().get('hoard', []), state.x]",
        ("test_langevin.py::test_memory_does_not_grow_with_the_number_of_steps",),
    ),
    Mutant(
        "adaptation the wrong way round",
        "adaptation.py",
        "(target_accept - accepted)",
        "(accepted - target_accept)",
        (NOISE + "test_adapted_step_size_accepts_as_wished",),
    ),
    Mutant(
        "mixture score by responsibility of the farthest",
        GAUSSIAN,
        "torch.softmax(torch.addmm(",
        "torch.softmax(-torch.addmm(",
        ("test_densities.py::test_autograd_agrees_with_the_analytic_score",),
    ),
    Mutant(
        "mixture weights forgotten",
        GAUSSIAN,
        "self.weights.log() - dim",
        "-dim",
        ("test_densities.py::test_against_scipy",),
    ),
    Mutant(
        "smoothing by sigma instead of its square",
        GAUSSIAN,
        "(self.std**2 + sigma**2).sqrt(), self.weights",
        "self.std + sigma, self.weights",
        ("test_densities.py::test_smoothed_score_is_tweedies_denoiser",),
    ),
    Mutant(
        "upper edge of the strip forgotten",
        CURVED,
        "(rise - fall)",
        "rise",
        ("test_densities.py::test_score_is_the_gradient_of_the_log_density",),
    ),
    Mutant(
        "w for 1/w in the dae score",
        "scores.py",
        "(denoiser(x) - x) / sigma**2",
        "(denoiser(x) - x) * sigma**2",
        ("test_scores.py",),
    ),
    Mutant(
        "energy gradient uphill",
        "scores.py",
        "return each.detach(), -gradient",
        "return each.detach(), gradient",
        ("test_scores.py",),
    ),
    Mutant(
        "autocorrelation counted once",
        "diagnostics.py",
        "2 * monotone",
        "monotone",
        ("test_diagnostics.py::test_ess_of_an_autoregressive_chain",),
    ),
    Mutant(
        "rhat without the chains' differences",
        "diagnostics.py",
        " + halves.mean(0).var(0)",
        "",
        ("test_diagnostics.py::test_split_rhat_of_shifted_chains",),
    ),
    Mutant(
        "w and 1/w swapped",
        WEIGHTING,
        "at_x = batch_softmax(self.weight_x(pairs.x), bound)",
        "at_x = batch_softmax(-self.weight_x(pairs.x), bound)",
        ("test_batch_weighting.py::test_composite_is_the_formula_of_the_paper",),
    ),
    Mutant(
        "weights as printed, out of scale",
        WEIGHTING,
        "(1 / len(weights) + weights) / 2",
        "(1 + weights) / 2",
        ("test_batch_weighting.py::test_halfway_keeps_half_of_every_example",),
    ),
    Mutant(
        "ratio of masses upside down",
        MASSES,
        "torch.where(a > 0, b / a.clamp_min",
        "torch.where(a > 0, a / b.clamp_min",
        ("test_batch_masses.py::test_the_published_shift_has_the_derived_weights",),
    ),
    Mutant(
        "clipping forgotten",
        WEIGHTING,
        "flat.clamp(-bound, bound).softmax(0)",
        "flat.softmax(0)",
        ("test_batch_weighting.py::test_softmax_sums_to_one_within_the_clipped_ratio",),
    ),
    Mutant(
        "second domain weighted with the first one's weights",
        GAME,
        "(plus * halfway(weights.y)).sum()",
        "(plus * halfway(weights.x)).sum()",
        ("test_jdbw_training.py::test_the_gap_is_the_weighted_difference_of_algorithm_1",),
    ),
    Mutant(
        "penalty on one image of the pair only",
        GAME,
        "list(points), create_graph=True",
        "[points.x, points.fy], create_graph=True",
        ("test_jdbw_training.py::test_steepness_is_the_squared_gradient_norm",),
    ),
    Mutant(
        "fakes are true for the critic of pix2pix",
        "pix2pix/training.py",
        "least_squares(critic(fresh[0]), 0)",
        "least_squares(critic(fresh[0]), 1)",
        ("test_pix2pix.py::test_the_losses_are_those_of_pix2pix",),
    ),
    Mutant(
        "moving average the wrong way round",
        "cf_ebm/average.py",
        "mean.lerp_(weight, 1 - decay)",
        "mean.lerp_(weight, decay)",
        ("test_energy_training.py::test_the_average_follows_its_formula",),
    ),
    Mutant(
        "increments of the bridge taken from its other end",
        "ais.py",
        "kinds, betas.diff(), numbers",
        "kinds, betas.diff().flip(0), numbers",
        NOT_A_MIRROR,
    ),
    Mutant(
        "way back with the increments of the way there",
        "ais.py",
        "betas.diff().flip(0), numbers",
        "betas.diff(), numbers",
        NOT_A_MIRROR,
    ),
    Mutant(
        "gaps paired with the next density's increment",
        "ais.py",
        "(increments.to(gap)[:, None] * gap)",
        "(increments.to(gap)[:, None] * gap.roll(-1, 0))",
        NOT_A_MIRROR,
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_line_a_mutant_changes_is_there_once(mutant: Mutant) -> None:
    assert (PACKAGE / mutant.file).read_text().count(mutant.right) == 1


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants are run in forked processes")
def test_every_mutant_turns_the_tests_red(tmp_path: Path) -> None:
    chosen = sorted({t for m in MUTANTS for t in m.tests})
    unchanged = Mutant("unchanged", KERNELS, "", "", tuple(chosen))
    job = tmp_path / "job.json"
    job.write_text(json.dumps([unchanged, *MUTANTS]))
    done = subprocess.run(
        [sys.executable, str(TESTS / "mutants.py"), str(PACKAGE), str(TESTS), str(job)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes = json.loads(done.stdout.splitlines()[-1])
    assert codes.pop("unchanged") == 0, "the tests fail on the package as it is"
    alive = [name for name, code in codes.items() if code != 1]
    assert not alive, f"no test noticed: {alive}"
