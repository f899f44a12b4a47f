"""Parameter counts of Table 6 under its readings (energies.parameter_counts)."""

from __future__ import annotations

import pytest
import torch

from domain_translation.energies import parameter_counts
from domain_translation.energies.network import EnergyNetwork
from domain_translation.energies.parameter_counts import PRINTED, Reading


@pytest.mark.parametrize(("size", "c"), [(8, 4), (32, 32), (64, 12), (256, 16)])
@pytest.mark.parametrize("kernel", [1, 3])
def test_the_formula_counts_the_network(size: int, c: int, kernel: int) -> None:
    with torch.device("meta"):
        network = EnergyNetwork(size, c, residual_kernel=kernel)
    built = sum(p.numel() for p in network.parameters())
    assert parameter_counts.parameters(Reading(residual=kernel), size, c) == built


def test_a_growing_network_has_a_fade() -> None:
    network = EnergyNetwork(8, 4)
    network.expand()
    built = sum(p.numel() for p in network.parameters())
    assert parameter_counts.parameters(Reading(fade=1), 16, 4) == built


def test_literal_counts_of_the_errata() -> None:
    literal = [parameter_counts.parameters(Reading(), p.size, p.c) for p in PRINTED]
    wide = [parameter_counts.parameters(Reading(residual=3), p.size, p.c) for p in PRINTED]
    assert literal == [412_273, 1_345_537, 3_025_921]
    assert wide == [532_081, 1_738_753, 3_910_657]


def test_readings_are_all_different_and_the_literal_one_comes_first() -> None:
    found = list(parameter_counts.readings())
    assert len(found) == len(set(found)) == 2**7 * 3 * 4
    assert found[0] == Reading()


def test_each_choice_changes_the_count() -> None:
    base = parameter_counts.parameters(Reading(), 64, 8)
    changed = [
        Reading(widened_first=False), Reading(residual=3), Reading(bias=False), Reading(rgb=3),
        Reading(fade=1), Reading(every_rgb=True), Reading(top_residual=True), Reading(more=1),
        Reading(at=256),
    ]  # fmt: skip
    assert all(parameter_counts.parameters(r, 64, 8) != base for r in changed)


def test_hits_round_to_what_is_printed() -> None:
    for p in PRINTED:
        for r in parameter_counts.hits(p):
            assert abs(parameter_counts.parameters(r, p.size, p.c) - p.value) <= p.rounding
    assert set(parameter_counts.hits(*PRINTED)) <= set(parameter_counts.hits(PRINTED[0]))


def test_the_quadratic_goes_through_both_totals() -> None:
    slope, low, high = parameter_counts.quadratic()
    linear = (PRINTED[0].value - slope * 16**2) / 16
    assert slope * 48**2 + linear * 48 == pytest.approx(PRINTED[2].value)
    assert low < slope < high


def test_a_printed_total_says_what_rounds_to_it() -> None:
    small, middle, _ = PRINTED
    assert [str(p) for p in PRINTED] == ["649K", "2.70M", "5.82M"]
    assert [small.rounds(n) for n in (648_499, 648_500, 649_500, 649_501)] == [
        False,
        True,
        True,
        False,
    ]
    nearest = parameter_counts.nearest(middle)
    found = [parameter_counts.parameters(r, 32, 32) for r in parameter_counts.readings()]
    assert nearest in found
    assert all(abs(n - middle.value) >= abs(nearest - middle.value) for n in found)
