"""Shares, total variation and weights of two domains, from labels and from groups."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from domain_translation.reweighting import groups
from domain_translation.reweighting.balance import Balance, of_groups, of_labels
from domain_translation.reweighting.masses import class_totals, total_variation, two_sided


def drawn(
    shares: list[float], n: int, seed: int, centres: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features and classes of n pictures; classes are round clouds about `centres`."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(len(shares), n, p=shares)
    return centres[classes] + 0.15 * rng.normal(size=(n, centres.shape[1])), classes


CENTRES = np.eye(4)[:, :3] * 1.5


def found_without_labels(p: list[float], q: list[float], n: int, seed: int) -> Balance:
    """Balance of two clouds of points of which the second lies elsewhere and is twice as wide."""
    x = drawn(p, n, seed, CENTRES)[0]
    y = 2 * drawn(q, n, seed + 1, CENTRES)[0] + 5
    assert groups.choose_count(x, y) == 4
    return of_groups(
        *groups.groups(x, y, 4), 4, lambda i, j, s: groups.groups(x[i], y[j], 4, s), draws=16
    )


def test_labels_are_counted_exactly() -> None:
    p, q = np.repeat([0, 1], [30, 10]), np.repeat([0, 1, 2], [10, 20, 10])
    found = of_labels(p, q, 3)
    assert [s.value for s in found.p] == [0.75, 0.25, 0]
    assert [s.value for s in found.q] == [0.25, 0.5, 0.25]
    assert all(s.low <= s.value <= s.high for s in (*found.p, *found.q))
    assert found.p[2].high > 0.05  # a class of which no picture was drawn may yet exist
    assert found.shift.low < 0.5 < found.shift.high
    assert found.shift.value == pytest.approx(0.5)


def test_weights_meet_half_way() -> None:
    """JD-BW eq. 10, and what the weights are worth."""
    p, q = np.repeat([0, 1], [30, 10]), np.repeat([0, 1], [5, 15])
    found = of_labels(p, q, 2)
    wanted = two_sided([0.75, 0.25], [0.25, 0.75])
    assert torch.allclose(found.weights, torch.stack(wanted, 1))
    for side, labels in enumerate((p, q)):
        rows = torch.from_numpy(labels)
        totals = class_totals(found.weights[rows, side], rows, 2)
        assert torch.allclose(totals, torch.tensor([0.5, 0.5], dtype=torch.float64))
    assert found.worth[0] == pytest.approx(1 / (0.75 * (2 / 3) ** 2 + 0.25 * 4))


def test_a_class_that_a_domain_lacks_has_no_weight_there() -> None:
    found = of_labels(np.repeat([0, 1], [5, 5]), np.repeat([1], 8), 2)
    assert found.weights[:, 0].tolist() == [0.5, 1.5]
    assert found.weights[0, 1].isnan()
    assert found.worth[1] == 1


def test_one_class_and_no_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="two classes"):
        of_labels(np.zeros(3, int), np.zeros(3, int), 1)
    with pytest.raises(ValueError, match="of both domains"):
        of_labels(np.zeros(0, int), np.zeros(3, int), 2)


def test_intervals_of_labels_cover() -> None:
    """Over 80 draws of equal masses and of unequal ones; the plug-in value would never be 0."""
    for p, q in (([0.25] * 4, [0.25] * 4), ([0.6, 0.2, 0.1, 0.1], [0.1, 0.2, 0.1, 0.6])):
        truth, hits, shares = total_variation(p, q), 0, 0
        for seed in range(80):
            a, b = (drawn(m, 150, 2 * seed + i, CENTRES)[1] for i, m in enumerate((p, q)))
            found = of_labels(a, b, 4, draws=200, seed=seed)
            hits += found.shift.low <= truth + 1e-9 and truth <= found.shift.high
            shares += sum(s.low <= m <= s.high for s, m in zip(found.p, p, strict=True))
        assert hits >= 71  # of 80 at 95 %: 76, and less with a chance of 0.01
        assert shares / 4 >= 71


def test_groups_are_the_classes_though_the_domains_differ() -> None:
    """Of 6 draws 5 intervals or more cover the truth, which no one draw has to do."""
    p, q = [0.55, 0.2, 0.15, 0.1], [0.1, 0.2, 0.2, 0.5]
    hits = []
    for seed in range(6):
        found = found_without_labels(p, q, 120, 10 * seed)
        assert found.shift.low > 0.15
        hits.append(found.shift.low <= total_variation(p, q) <= found.shift.high)
    assert sum(hits) >= 5


def test_equal_shares_are_not_told_apart() -> None:
    found = [found_without_labels([0.25] * 4, [0.25] * 4, 80, 7 * seed) for seed in range(3)]
    assert sum(f.shift.low == 0 for f in found) >= 2


def test_groups_are_matched_whatever_their_names() -> None:
    """A grouping that knows the classes and shuffles their names is no less certain for that."""
    p, q = np.repeat([0, 1, 2], [60, 30, 10]), np.repeat([0, 1, 2], [10, 30, 60])
    rng = np.random.default_rng(0)

    def shuffled(
        i: NDArray[np.int64], j: NDArray[np.int64], seed: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        names = rng.permutation(3)
        return names[p[i]], names[q[j]]

    found, known = of_groups(p, q, 3, shuffled), of_labels(p, q, 3)
    for one, other in zip((*found.p, *found.q), (*known.p, *known.q), strict=True):
        assert one == pytest.approx(other, abs=0.03)
    assert found.shift == pytest.approx(known.shift, abs=0.03)


def test_groups_that_come_and_go_have_wide_intervals() -> None:
    """What re-grouping adds is in the intervals."""
    p = q = np.repeat([0, 1], 50)
    rng = np.random.default_rng(0)

    def unsure(
        i: NDArray[np.int64], j: NDArray[np.int64], seed: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        flip = rng.random(2) < 0.5
        return tuple(np.where(flip[s] & (k[r] == 1), 0, k[r]) for s, (k, r) in
                     enumerate(((p, i), (q, j))))  # type: ignore[return-value]  # fmt: skip

    found = of_groups(p, q, 2, unsure)
    assert found.p[0].high > 0.95
    assert found.p[1].low < 0.05


def test_features_of_pictures_have_no_nan_for_flat_ones() -> None:
    values = groups.features(torch.zeros(3, 3, 32, 32))
    assert np.isfinite(values).all()
    assert groups.reduced(values).shape[0] == 3
