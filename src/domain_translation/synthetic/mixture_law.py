"""The law of a scene's latent parameters: a narrow core and a wide tail.

A scene has d real latents z and one kind c out of a short list (a town by a
river, a town with a railway ...). Its density is

    p(z, c) = (1 - ε) N(z; m₀, s₀) P₀(c) + ε Σ_j w_j N(z; m_j, s_j) P_j(c),

every N a product of independent normals. The first term is the core: what an
ordinary picture looks like. The others are ways of being unusual: long
shadows, fog, a strange kind of place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

DEFAULT_RARE = 0.1

Floats = NDArray[np.float64]


class Component(NamedTuple):
    """One term of the mixture: independent normals and a law of the kinds."""

    weight: float
    means: Floats
    scales: Floats
    kinds: Floats


class Draw(NamedTuple):
    """Latents of one scene: values by name, and the name of its kind."""

    values: dict[str, float]
    kind: str


class Law(NamedTuple):
    """Mixture of a core and of tails; the tails' weights sum to one."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    core: Component
    tails: tuple[Component, ...]

    def draw(self, rng: np.random.Generator, rare: float) -> Draw:
        """One scene, from the tails with probability `rare`, else from the core.

        It always uses up the same random numbers, whatever `rare` is.
        """
        choose_tail, choose_component, choose_kind = rng.random(3)
        normals = rng.standard_normal(len(self.names))
        component = self.core
        if choose_tail < rare:
            component = self.tails[_pick([tail.weight for tail in self.tails], choose_component)]
        values = component.means + component.scales * normals
        kind = self.kinds[_pick(component.kinds, choose_kind)]
        return Draw(dict(zip(self.names, values.tolist(), strict=True)), kind)

    def surprise(self, draw: Draw) -> float:
        """-log p(z, c) in nats under the default mixture, ε = 0.1."""
        z = np.array([draw.values[name] for name in self.names])
        kind = self.kinds.index(draw.kind)
        weights = [1 - DEFAULT_RARE, *(DEFAULT_RARE * tail.weight for tail in self.tails)]
        terms = [_log_density(part, z, kind) for part in (self.core, *self.tails)]
        return -float(logsumexp(terms, b=weights))


def law(
    core: Mapping[str, tuple[float, float]],
    kinds: Mapping[str, float],
    tails: Sequence[tuple[float, Mapping[str, tuple[float, float]], Mapping[str, float]]],
    spread: float = 1.4,
) -> Law:
    """A law from its core and from what each tail changes.

    core: (mean, scale) by latent name; kinds: the core's probability of each
    kind, zero for the kinds only a tail can draw. A tail is its weight, the
    (mean, scale) it sets, and its own law of the kinds (empty: the core's);
    every other latent keeps its core mean with `spread` times the core scale.
    """
    names, labels = tuple(core), tuple(kinds)
    means, scales = (np.array(column) for column in zip(*core.values(), strict=True))
    everyday = np.array(list(kinds.values())) / sum(kinds.values())
    total = sum(weight for weight, _, _ in tails)
    parts = []
    for weight, changes, own in tails:
        shifted = np.array([changes[n][0] if n in changes else core[n][0] for n in names])
        wide = np.array([changes[n][1] if n in changes else spread * core[n][1] for n in names])
        mass = np.array([own.get(label, 0.0) for label in labels])
        mass = mass / mass.sum() if own else everyday
        parts.append(Component(weight / total, shifted, wide, mass))
    return Law(names, labels, Component(1.0, means, scales, everyday), tuple(parts))


def _pick(weights: Sequence[float] | Floats, uniform: float) -> int:
    cumulative = np.cumsum(weights)
    return int(np.searchsorted(cumulative / cumulative[-1], uniform, side="right"))


def _log_density(part: Component, z: Floats, kind: int) -> float:
    if part.kinds[kind] == 0:
        return -np.inf
    normal = -0.5 * ((z - part.means) / part.scales) ** 2 - np.log(part.scales)
    return float(normal.sum() - 0.5 * len(z) * np.log(2 * np.pi) + np.log(part.kinds[kind]))
