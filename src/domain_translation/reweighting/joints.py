"""Joint laws of pairs (x, y) on finite sets, and all that JD-BW's conditions allow (3.2, 3.4).

A joint law is a table (n, k) of masses. JD-BW asks for two of them, P_xy whose rows sum to P and
Q_xy whose columns sum to Q, with equal conditionals (eq. 8). On a connected part of their support
the ratio dQ/dP is constant, so P_xy and Q_xy are the same blocks with different masses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from domain_translation.reweighting.masses import masses


class Joints(NamedTuple):
    """P_xy and Q_xy, both (n, k)."""

    p: Tensor
    q: Tensor


class Block(NamedTuple):
    """Examples of the first domain and of the second that are translated into one another."""

    x: tuple[int, ...]
    y: tuple[int, ...]


Fill = Callable[[Tensor, Tensor, Block], Tensor]


def components(joint: Tensor) -> tuple[Tensor, Tensor]:
    """Connected part of the support that each x (n,) and each y (k,) belongs to, from 0.

    x and y are joined where the pair has mass: a bipartite graph. An x or y without mass is alone.
    """
    n, k = joint.shape
    x, y = joint.numpy().nonzero()
    graph = coo_array((np.ones(len(x)), (x, n + y)), shape=(n + k, n + k))
    labels = torch.from_numpy(connected_components(graph, directed=False)[1]).long()
    return labels[:n], labels[n:]


def conditionals(joint: Tensor) -> tuple[Tensor, Tensor]:
    """Laws of y given x and of x given y, both (n, k); 0 where the condition has no mass."""
    rows, columns = joint.sum(1, keepdim=True), joint.sum(0, keepdim=True)
    safe = torch.finfo(joint.dtype).tiny
    return joint / rows.clamp_min(safe), joint / columns.clamp_min(safe)


def matchings(classes: int) -> Iterator[tuple[Block, ...]]:
    """All ways to cut both domains into equally many blocks and to pair the blocks off.

    The paper's conditions cannot tell these structures apart (3.4): 3 for 2 classes, 25 for 3.
    """
    cuts = list(_partitions(tuple(range(classes))))
    for of_x in cuts:
        for of_y in cuts:
            if len(of_x) == len(of_y):
                yield from (
                    tuple(Block(a, b) for a, b in zip(of_x, order, strict=True))
                    for order in permutations(of_y)
                )


def independent(p: Tensor, q: Tensor, block: Block) -> Tensor:
    """Product law of a block's two sides: what G produces when it ignores its input."""
    return torch.outer(p, q)


def cheapest(cost: Tensor) -> Fill:
    """The coupling of a block's two sides of least mean `cost` (n, k): optimal transport."""

    def fill(p: Tensor, q: Tensor, block: Block) -> Tensor:
        price = cost[list(block.x)][:, list(block.y)].double().numpy()
        n, k = price.shape
        rows = np.kron(np.eye(n), np.ones(k))
        columns = np.kron(np.ones(n), np.eye(k))
        found = linprog(price.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([p, q]))
        return torch.from_numpy(found.x.reshape(n, k)).clamp_min(0)

    return fill


def joints(
    p: Sequence[float] | Tensor,
    q: Sequence[float] | Tensor,
    blocks: Sequence[Block],
    fill: Fill = independent,
) -> Joints:
    """The pair of joint laws with these blocks, marginals P on x and Q on y, equal conditionals.

    Args:
        p, q: masses of the examples (or classes) of each domain, (n,) and (k,).
        blocks: cover every x and every y once.
        fill: how a block couples its sides: (masses of x, masses of y, block) to a table, both
            masses summing to one.

    Raises:
        ValueError: blocks that leave something out or use it twice, or a block without mass.
    """
    a, b = masses(p), masses(q)
    for name, count, used in (
        ("first", len(a), [i for block in blocks for i in block.x]),
        ("second", len(b), [j for block in blocks for j in block.y]),
    ):
        if sorted(used) != list(range(count)):
            raise ValueError(
                f"blocks use {sorted(used)} of the {name} domain; use each of 0 to {count - 1} once"
            )
    tables = Joints(*(torch.zeros(len(a), len(b), dtype=torch.float64) for _ in range(2)))
    for block in blocks:
        x, y = list(block.x), list(block.y)
        mass_p, mass_q = a[x].sum(), b[y].sum()
        if mass_p == 0 or mass_q == 0:
            raise ValueError(f"block {x} to {y} has no mass in one of the domains; leave it out")
        law = fill(a[x] / mass_p, b[y] / mass_q, block)
        for table, mass in zip(tables, (mass_p, mass_q), strict=True):
            table[torch.tensor(x)[:, None], torch.tensor(y)] = mass * law
    return tables


def weighted(tables: Joints) -> Joints:
    """P_xy (1 + w)/2 and Q_xy (1 + 1/w)/2 with w = dQ/dP: the midpoint, twice (JD-BW eq. 10).

    Raises:
        ValueError: supports that differ, where no derivative exists.
    """
    if not torch.equal(tables.p > 0, tables.q > 0):
        raise ValueError("P_xy and Q_xy have different supports; the derivatives need a common one")
    w = torch.where(tables.p > 0, tables.q / tables.p, 1.0)
    return Joints(tables.p * (1 + w) / 2, tables.q * (1 + 1 / w) / 2)


def _partitions(items: tuple[int, ...]) -> Iterator[list[tuple[int, ...]]]:
    """All partitions of `items`."""
    if not items:
        yield []
        return
    for rest in _partitions(items[1:]):
        yield [(items[0],), *rest]
        for i, part in enumerate(rest):
            yield [*rest[:i], (items[0], *part), *rest[i + 1 :]]
