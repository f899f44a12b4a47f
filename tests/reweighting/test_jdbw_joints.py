"""Joint laws with equal conditionals: what JD-BW's eq. 8 to 12 allow (jdbw.concept.nonunique)."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_translation.notebook.errata.checks import conditional_freedoms
from domain_translation.reweighting import joints as j
from domain_translation.reweighting.joints import Block, Joints
from domain_translation.reweighting.masses import midpoint, two_sided

P, Q = torch.tensor([0.6, 0.3, 0.1]).double(), torch.tensor([0.1, 0.3, 0.6]).double()


def same_conditionals(tables: Joints) -> bool:
    pairs = zip(j.conditionals(tables.p), j.conditionals(tables.q), strict=True)
    return all(torch.allclose(a, b) for a, b in pairs)


@pytest.mark.parametrize(("classes", "count"), [(1, 1), (2, 3), (3, 25), (4, 339)])
def test_matchings_are_all_there_once(classes: int, count: int) -> None:
    # sum over the number of blocks of (Stirling number)^2 times the orders: 1, 3, 25, 339
    found = {frozenset(blocks) for blocks in j.matchings(classes)}
    assert len(found) == len(list(j.matchings(classes))) == count


def test_every_matching_satisfies_the_conditions() -> None:
    for blocks in j.matchings(3):
        for fill in (j.independent, j.cheapest(torch.rand(3, 3))):
            tables = j.joints(P, Q, blocks, fill)
            torch.testing.assert_close(tables.p.sum(1), P)
            torch.testing.assert_close(tables.q.sum(0), Q)
            assert same_conditionals(tables)
            one, other = j.weighted(tables)
            torch.testing.assert_close(one, (tables.p + tables.q) / 2)
            torch.testing.assert_close(other, one)


def test_one_block_has_weight_one_and_classes_have_theirs() -> None:
    whole = j.joints(P, Q, [Block((0, 1, 2), (0, 1, 2))])
    torch.testing.assert_close(whole.p, torch.outer(P, Q))
    torch.testing.assert_close(whole.q, whole.p)
    right = j.joints(P, Q, [Block((k,), (k,)) for k in range(3)])
    torch.testing.assert_close(right.p.diag(), P)
    torch.testing.assert_close(right.q.diag(), Q)
    torch.testing.assert_close(j.weighted(right).p.diag(), midpoint(P, Q))
    torch.testing.assert_close(j.weighted(right).p.diag() / P, two_sided(P, Q).p)


def test_components_agree_with_the_check_of_the_errata() -> None:
    for support in ([[1, 1, 0], [0, 1, 1]], [[1, 1, 0], [0, 0, 1]], [[1, 0], [0, 1]]):
        x, y = j.components(torch.tensor(support))
        assert len(set(x.tolist() + y.tolist())) - 1 == conditional_freedoms(support)
        rows, columns = torch.tensor(support).nonzero().T
        assert torch.equal(x[rows], y[columns])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_equal_conditionals_allow_exactly_a_rescaling_of_components(
    seed: int, share: float
) -> None:
    """The linear system of eq. 8 has one solution per component, no more."""
    g = torch.Generator().manual_seed(seed)
    table = torch.rand(4, 5, generator=g).double() * (torch.rand(4, 5, generator=g) < share)
    if not bool((table > 0).any()):
        return
    rows, columns = table.nonzero().T
    unknowns = len(rows)
    given_x, given_y = j.conditionals(table)
    equations = []
    for at in range(unknowns):  # Q(x, y) = c(y | x) Q(x) and Q(x, y) = c(x | y) Q(y)
        r, c = rows[at], columns[at]
        equations.append(-given_x[r, c] * (rows == r).double())
        equations[-1][at] += 1
        equations.append(-given_y[r, c] * (columns == c).double())
        equations[-1][at] += 1
    free = unknowns - int(torch.linalg.matrix_rank(torch.stack(equations), tol=1e-9))
    x, _ = j.components(table)
    assert free == len({int(x[r]) for r in rows})


def test_the_cheapest_filling_is_optimal_transport() -> None:
    cost = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    block = Block((0, 1), (0, 1))
    table = j.joints([0.7, 0.3], [0.4, 0.6], [block], j.cheapest(cost)).p
    torch.testing.assert_close(table, torch.tensor([[0.4, 0.3], [0.0, 0.3]]).double())


def test_bad_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="use each of 0 to 2 once"):
        j.joints(P, Q, [Block((0, 1), (0, 1, 2))])
    with pytest.raises(ValueError, match="second domain"):
        j.joints(P, Q, [Block((0, 1, 2), (0, 1, 1))])
    with pytest.raises(ValueError, match="no mass"):
        j.joints([1.0, 0.0], [0.5, 0.5], [Block((0,), (0,)), Block((1,), (1,))])
    with pytest.raises(ValueError, match="different supports"):
        j.weighted(Joints(torch.eye(2) / 2, torch.ones(2, 2) / 4))
